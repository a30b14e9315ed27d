package bertkit.text;

import bertkit.BertkitException;
import bertkit.Encoding;
import bertkit.files.Fields;
import bertkit.files.Folder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Turns texts into the ids that a model was trained with: WordPiece, byte-level BPE and SentencePiece. */
public final class Tokenizer {
    private static final String[][] ROLES = {{"unk", "[UNK]"}, {"cls", "[CLS]"}, {"sep", "[SEP]"}, {"pad", "[PAD]"},
        {"mask", "[MASK]"}, {"bos", null}, {"eos", null}};
    private final WordModel model;
    private final Template template;
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<String, String> special = new HashMap<>();
    private final Splitter raw = new Splitter();
    private final Splitter normal = new Splitter();
    private final int padId;
    private final int clsId;

    /**
     * Reads the tokenizer of a folder.
     *
     * @param folder the folder, with vocab.txt or vocabulary.json
     * @param settings what ondevice.json says of the tokenizer
     * @throws BertkitException when a file or a setting is missing, damaged or unknown
     */
    public Tokenizer(Folder folder, Fields settings) {
        String kind = settings.string("kind", "wordpiece");
        Fields tables = file(kind).endsWith(".json") ? folder.json(file(kind)) : null;
        List<String> vocabulary = tables == null ? lines(folder, file(kind)) : tables.strings("vocabulary");
        readRoles(settings);
        model = model(kind, vocabulary, settings, tables);
        for (int i = 0; i < vocabulary.size(); i++) {
            ids.put(vocabulary.get(i), i);
        }
        readAdded(settings, vocabulary.size());
        Map<String, Integer> found = new HashMap<>();
        for (String role : new String[] {"unk", "cls", "sep", "pad"}) {
            if (special.containsKey(role)) {
                found.put(role, id(special.get(role)));
            }
        }
        padId = found.getOrDefault("pad", 0);
        clsId = found.getOrDefault("cls", Integer.MIN_VALUE);
        template = settings.has("template") ? new Template(settings.fields("template"), this::id) : new Template(found);
        settings.end();
    }

    /** Returns the name of the file that holds the vocabulary of a kind of tokenizer. */
    public static String file(String kind) {
        return "wordpiece".equals(kind) || "japanese".equals(kind) ? "vocab.txt" : "vocabulary.json";
    }

    private static List<String> lines(Folder folder, String name) {
        String text = folder.text(name);
        if (text.isEmpty()) {
            throw new BertkitException(folder.file(name) + " is empty; wanted one vocabulary entry a line.");
        }
        List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n", -1)));
        if (text.endsWith("\n")) {
            lines.remove(lines.size() - 1);
        }
        lines.replaceAll(line -> line.endsWith("\r") ? line.substring(0, line.length() - 1) : line);
        return lines;
    }

    private WordModel model(String kind, List<String> vocabulary, Fields settings, Fields tables) {
        if (vocabulary.isEmpty()) {
            throw new BertkitException(settings.source() + ": the vocabulary is empty; copy the folder again.");
        }
        String unknown = special.get("unk");
        switch (kind) {
            case "wordpiece": return new WordPiece(vocabulary, unknown == null ? "[UNK]" : unknown, settings);
            case "bytelevel": return new ByteLevel(vocabulary, unknown, settings, tables);
            case "unigram": return new Unigram(vocabulary, unknown, settings, tables);
            case "bpe": return new Bpe(vocabulary, unknown, settings, tables);
            case "bytefallback": return new ByteFallback(vocabulary, unknown, settings, tables);
            default: throw new BertkitException("The tokenizer kind " + kind + " is not one that this client reads"
                    + ("japanese".equals(kind) ? ", because its words need MeCab" : "") + "; it reads wordpiece, "
                    + "bytelevel, unigram, bpe and bytefallback.");
        }
    }

    private void readRoles(Fields settings) {
        Fields given = settings.has("special") ? settings.fields("special") : new Fields(new HashMap<>(), "special");
        for (String[] role : ROLES) {
            boolean named = settings.has("special") && isNamed(settings, role[0]);
            String token = named ? given.string(role[0], null) : role[1];
            if (token != null) {
                special.put(role[0], token);
            }
        }
    }

    private static boolean isNamed(Fields settings, String role) {
        return ((Map<?, ?>) settings.value("special")).containsKey(role);
    }

    /** Reads the added tokens: those without an entry get the ids behind the vocabulary, those with a role are text. */
    private void readAdded(Fields settings, int size) {
        int next = size;
        for (Object value : settings.list("added")) {
            Added token = new Added(value, settings.source());
            if (!ids.containsKey(token.content)) {
                ids.put(token.content, next++);
            }
            if (special.containsValue(token.content)) {
                continue;
            }
            if (token.normalized) {
                normal.add(model.normalised(Codes.of(token.content)).codes, token);
            } else {
                raw.add(Codes.of(token.content), token);
            }
        }
    }

    private int id(String token) {
        Integer found = ids.get(token);
        if (found == null) {
            throw new BertkitException("The vocabulary has no " + token + "; give the vocabulary of the checkpoint.");
        }
        return found;
    }

    Template template() {
        return template;
    }

    int clsId() {
        return clsId;
    }

    /**
     * Returns the tokens of a text, without special tokens around them.
     *
     * @param text the text; names of special tokens in it are text
     * @return the tokens
     */
    public Encoding encode(String text) {
        return encode(Codes.of(text));
    }

    /** Returns the tokens of a text of code points. */
    public Encoding encode(int[] text) {
        Pieces found = new Pieces();
        for (Splitter.Part part : raw.split(text)) {
            if (part.token != null) {
                found.add(id(part.token.content), part.start, part.end);
            } else {
                int[] inner = Codes.part(text, part.start, part.end);
                Pieces pieces = normal.isEmpty() ? model.encode(inner) : encodeNormalised(inner);
                for (int i = 0; i < pieces.size(); i++) {
                    found.add(pieces.id(i), part.start + pieces.start(i), part.start + pieces.end(i));
                }
            }
        }
        return found.encoding();
    }

    /** Returns the pieces of a text, in whose normalised form tokens are found. */
    private Pieces encodeNormalised(int[] text) {
        Pieces found = new Pieces();
        Aligned aligned = model.normalised(text);
        for (Splitter.Part part : normal.split(aligned.codes)) {
            Pieces pieces = new Pieces();
            if (part.token != null) {
                pieces.add(id(part.token.content), 0, part.end - part.start);
            } else {
                pieces = model.encodeNormalised(Codes.part(aligned.codes, part.start, part.end));
            }
            for (int i = 0; i < pieces.size(); i++) {
                int start = part.start + pieces.start(i);
                int end = part.start + pieces.end(i);
                found.add(pieces.id(i), aligned.start(start, end), aligned.end(end));
            }
        }
        return found;
    }

    /**
     * Returns a text as the model's words are found in it: in front of MediaPipe it gives bertkit's ids.
     *
     * @param text the text
     * @return the normalised text
     */
    public String normalize(String text) {
        return Codes.text(model.normalised(Codes.of(text)).codes);
    }

    /**
     * Makes a row of a text, or of a pair, with the special tokens, cut to a length.
     *
     * @param first the ids of the first text
     * @param second the ids of the second text; null for a single text
     * @param length the most tokens of the row
     * @return the row
     */
    public Row row(int[] first, int[] second, int length) {
        return template.row(first, second, length);
    }

    /** Returns how many tokens of a single text fit into a row. */
    public int room(int length) {
        return template.room(length, false);
    }

    /**
     * Pads a row.
     *
     * @param row the row
     * @param length the number of tokens that it is padded to
     * @return token ids, padding mask and segment ids
     */
    public Map<String, int[]> padded(Row row, int length) {
        int[] tokens = new int[length];
        int[] mask = new int[length];
        int[] segments = new int[length];
        Arrays.fill(tokens, padId);
        Arrays.fill(segments, template.paddingSegment);
        int at = template.padsRight ? 0 : length - row.ids.length;
        System.arraycopy(row.ids, 0, tokens, at, row.ids.length);
        System.arraycopy(row.segments, 0, segments, at, row.ids.length);
        Arrays.fill(mask, at, at + row.ids.length, 1);
        Map<String, int[]> found = new HashMap<>();
        found.put("token_ids", tokens);
        found.put("padding_mask", mask);
        found.put("segment_ids", segments);
        return found;
    }

    /** Returns the place of the classification token in a row of one text, 0 where there is none. */
    public int clsPlace() {
        int at = 0;
        for (Template.Part part : template.single) {
            if (part.id == clsId) {
                return at;
            }
            at++;
        }
        return 0;
    }

    /** Returns the segment of the second text of a pair. */
    public int secondSegment() {
        return template.pair.stream().filter(part -> part.id == Template.Part.SECOND_TEXT).findFirst().get().segment;
    }
}

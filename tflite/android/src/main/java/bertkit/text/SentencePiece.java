package bertkit.text;

import bertkit.BertkitException;
import bertkit.files.Fields;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the SentencePiece models share (Kudo and Richardson 2018): words behind a ▁ are cut into pieces. */
abstract class SentencePiece extends WordModel {
    static final int SPACE = 0x2581;
    /** The id of each entry that is found in a text: control entries are not. */
    protected final Map<String, Integer> pieces;
    protected final Map<String, Integer> ids = new HashMap<>();
    protected final int unknown;
    private final Normalizer normalizer;
    private final boolean atBlanks;
    private final boolean prefix;

    SentencePiece(List<String> vocabulary, String unknown, Fields settings, Fields tables, boolean atBlanks,
                  boolean prefix) {
        String map = tables.string("charsmap", "");
        normalizer = new Normalizer(settings.list("normalization"), map.isEmpty() ? null : new CharacterMap(map));
        this.atBlanks = atBlanks;
        this.prefix = prefix;
        for (int i = 0; i < vocabulary.size(); i++) {
            ids.put(vocabulary.get(i), i);                  // of equal entries the last counts
        }
        if (unknown == null || !ids.containsKey(unknown)) {
            throw new BertkitException("The vocabulary has no " + unknown + "; give one with the unknown token.");
        }
        this.unknown = ids.get(unknown);
        pieces = new HashMap<>(ids);
        pieces.remove(unknown);
        pieces.remove("");
        pieces.keySet().removeAll(new java.util.HashSet<>(settings.strings("controls")));
    }

    /** Returns whether the setting `words` says that a text is cut at all blanks, and not before spaces. */
    static boolean cutsAtBlanks(Fields settings) {
        String words = settings.string("words", "blanks");
        if (!"blanks".equals(words) && !"spaces".equals(words)) {
            throw settings.wrong("words is", words, "\"blanks\" or \"spaces\"");
        }
        return "blanks".equals(words);
    }

    @Override
    Aligned normalised(int[] text) {
        return normalizer.apply(text);
    }

    @Override
    Pieces encodeNormalised(int[] text) {
        return cut(Aligned.of(text));
    }

    @Override
    protected Aligned prepared(int[] text) {
        return normalizer.apply(text);
    }

    @Override
    protected Pieces cut(Aligned text) {
        Pieces found = new Pieces();
        int at = 0;
        while (at < text.codes.length) {
            int end = wordEnd(text.codes, at);
            if (end > at) {
                Pieces own = pieces(text.codes, at, end);
                for (int i = 0; i < own.size(); i++) {
                    found.add(own.id(i), text.sources[at + own.start(i)], text.sources[at + own.end(i) - 1] + 1);
                }
            }
            at = Math.max(end, at + 1);
        }
        return found;
    }

    /** Returns the end of the word that begins at a place; the place itself where none does. */
    protected int wordEnd(int[] codes, int at) {
        boolean first = codes[at] == SPACE || codes[at] == ' ' && !atBlanks;
        return Replacements.run(codes, first ? at + 1 : at, c -> !ends(c));
    }

    private boolean ends(int code) {
        return code == SPACE || (atBlanks ? Codes.isBlank(code) : code == ' ');
    }

    /** Returns the pieces of a word in which ▁ stands for a space; ranges are those of the word itself. */
    protected abstract Pieces match(int[] word);

    @Override
    protected Pieces split(int[] raw) {
        boolean spaced = raw[0] == SPACE || raw[0] == ' ';
        int shift = prefix && !spaced ? 1 : 0;
        int[] word = new int[raw.length + shift];
        word[0] = SPACE;
        for (int i = 0; i < raw.length; i++) {
            word[i + shift] = raw[i] == ' ' ? SPACE : raw[i];
        }
        Pieces matched = match(word);
        Pieces found = new Pieces();
        for (int i = 0; i < matched.size(); i++) {          // the ▁ before a word stands for the character behind it
            found.add(matched.id(i), Math.max(matched.start(i) - shift, 0), Math.max(matched.end(i) - shift, 1));
        }
        return found;
    }

    /** Returns the id of one code point as a piece, that of the unknown token where it is none. */
    protected final int pieceOf(int code) {
        return pieces.getOrDefault(new String(Character.toChars(code)), unknown);
    }
}

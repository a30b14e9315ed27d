package bertkit.text;

import bertkit.BertkitException;
import bertkit.files.Fields;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** WordPiece (Wu et al. 2016, section 4.1): normalised words are cut into the longest pieces, from the left. */
final class WordPiece extends WordModel {
    private final String prefix;
    private final int longestWord;
    private final int unknown;
    private final Codepoints table;
    private final String rules;
    private final Normalizer before;
    private final Normalizer whole;
    private final Map<String, Integer> first = new HashMap<>();
    private final Map<String, Integer> next = new HashMap<>();
    private int longestPiece;
    private Codepoints plain;           // changes nothing; made when a normalised token is first looked for

    WordPiece(List<String> vocabulary, String unknown, Fields settings) {
        prefix = settings.string("prefix", "##");
        longestWord = settings.whole("longest_word", 0, 100);
        rules = settings.string("rules", "huggingface");
        boolean lowercase = settings.flag("lowercase", true);
        boolean accents = settings.flag("strip_accents", true);
        boolean clean = settings.flag("clean", true);
        boolean ideographs = settings.flag("split_ideographs", true);
        if (!"huggingface".equals(rules) && !"google".equals(rules)) {
            throw settings.wrong("rules is", rules, "\"huggingface\" or \"google\"");
        }
        table = new Codepoints(rules, lowercase, accents, clean, ideographs);
        before = new Normalizer(settings.list("normalization"), null);
        String flags = (clean ? "clean " : "") + (ideographs ? "ideographs " : "") + (accents ? "accents " : "")
                + (lowercase ? "lowercase " : "");
        whole = new Normalizer(settings.list("normalization"), null);
        whole.then(SingleSteps.bert(flags));
        for (int i = 0; i < vocabulary.size(); i++) {
            enter(vocabulary.get(i), i);
        }
        if (!first.containsKey(unknown)) {
            throw new BertkitException("The vocabulary has no " + unknown + "; give one with the unknown token.");
        }
        this.unknown = first.get(unknown);
    }

    /** Of equal entries the last counts. */
    private void enter(String entry, int id) {
        first.put(entry, id);
        if (entry.startsWith(prefix)) {
            next.put(entry.substring(prefix.length()), id);
        }
        longestPiece = Math.max(longestPiece, entry.codePointCount(0, entry.length()));
    }

    @Override
    Aligned normalised(int[] text) {
        return whole.apply(text);
    }

    @Override
    synchronized Pieces encodeNormalised(int[] text) {
        plain = plain == null ? new Codepoints(rules, false, false, false, false) : plain;
        return cut(Aligned.of(text), plain);
    }

    @Override
    protected Aligned prepared(int[] text) {
        return before.apply(text);
    }

    @Override
    protected Pieces cut(Aligned text) {
        return cut(text, table);
    }

    /** A word is an isolated code point, or a run of joined and deleted ones. */
    private Pieces cut(Aligned text, Codepoints kinds) {
        Pieces found = new Pieces();
        int[] codes = kinds.finalSigmas(text.codes);
        int at = 0;
        while (at < codes.length) {
            int end = Replacements.run(codes, at, c -> kinds.kinds[c] <= Codepoints.DELETED);
            end = end == at ? at + 1 : end;
            if (kinds.kinds[codes[at]] != Codepoints.SPACE) {
                Pieces pieces = kinds == table ? pieces(codes, at, end) : split(Codes.part(codes, at, end), kinds);
                for (int i = 0; i < pieces.size(); i++) {
                    found.add(pieces.id(i), text.sources[at + pieces.start(i)],
                            text.sources[at + pieces.end(i) - 1] + 1);
                }
            }
            at = end;
        }
        return found;
    }

    @Override
    protected Pieces split(int[] word) {
        return split(word, table);
    }

    private Pieces split(int[] raw, Codepoints kinds) {
        AlignedBuilder out = new AlignedBuilder(Aligned.of(raw));
        for (int i = 0; i < raw.length; i++) {
            int[] made = kinds.becomes(raw[i]);
            if (made != null) {
                out.keepTo(i).addAll(made, i);
                out.skipTo(i + 1);
            }
        }
        Aligned word = out.end();
        int count = word.codes.length;
        Pieces found = matched(word);
        if (found == null) {
            found = new Pieces();
            found.add(unknown, word.sources[0], word.sources[count - 1] + 1);
        }
        return found;
    }

    /** Returns the longest pieces from the left; null where they leave a rest, or the word is too long. */
    private Pieces matched(Aligned word) {
        int count = word.codes.length;
        Pieces found = new Pieces();
        Map<String, Integer> entries = first;
        int start = 0;
        while (start < count && count <= longestWord) {
            int end = Math.min(count, start + longestPiece);
            Integer id = null;
            while (end > start && (id = entries.get(Codes.text(word.codes, start, end))) == null) {
                end--;
            }
            if (id == null) {
                return null;
            }
            found.add(id, word.sources[start], word.sources[end - 1] + 1);
            start = end;
            entries = next;
        }
        return start < count ? null : found;
    }
}

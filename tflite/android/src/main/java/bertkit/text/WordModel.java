package bertkit.text;

import java.util.LinkedHashMap;
import java.util.Map;

/** What cuts a text into pieces of a vocabulary, word by word; words that come again are remembered. */
abstract class WordModel {
    private static final int REMEMBERED = 1 << 12;
    private static final int LONGEST_REMEMBERED = 100;
    private final Map<String, Pieces> cache = new LinkedHashMap<String, Pieces>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Pieces> eldest) {
            return size() > REMEMBERED;
        }
    };

    /** Returns the pieces of a text with the code points of the text that each covers. */
    Pieces encode(int[] text) {
        return cut(prepared(text));
    }

    /** Returns the pieces of a text that is normalised already, as what stands between normalised tokens is. */
    abstract Pieces encodeNormalised(int[] text);

    /** Returns the whole normalisation, in whose result normalised tokens are looked for. */
    abstract Aligned normalised(int[] text);

    /** Returns the text as words are looked for in it. */
    protected abstract Aligned prepared(int[] text);

    /** Returns the pieces of a prepared text. */
    protected abstract Pieces cut(Aligned text);

    /** Returns the pieces of one word, whose ranges count from its first code point. */
    protected abstract Pieces split(int[] word);

    /** Returns the pieces of one word, perhaps remembered ones. */
    protected final Pieces pieces(int[] codes, int start, int end) {
        if (end - start > LONGEST_REMEMBERED) {
            return split(Codes.part(codes, start, end));
        }
        String word = Codes.text(codes, start, end);
        Pieces found;
        synchronized (cache) {
            found = cache.get(word);
        }
        if (found == null) {
            found = split(Codes.part(codes, start, end));
            synchronized (cache) {
                cache.put(word, found);
            }
        }
        return found;
    }
}

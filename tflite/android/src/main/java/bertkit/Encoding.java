package bertkit;

import java.util.Arrays;

/** The tokens of one text: their ids, and which characters of the text each of them covers. */
public final class Encoding {
    /** The id of each token. */
    public final int[] ids;
    /** Where each token begins, counted in code points as Python counts characters. */
    public final int[] starts;
    /** Where each token ends: the code point behind its last one. */
    public final int[] ends;

    /**
     * Makes an encoding.
     *
     * @param ids the id of each token
     * @param starts where each token begins, in code points
     * @param ends where each token ends, in code points
     */
    public Encoding(int[] ids, int[] starts, int[] ends) {
        this.ids = ids;
        this.starts = starts;
        this.ends = ends;
    }

    /**
     * Returns the range of a token in chars of a Java string, which differ from code points behind an emoji.
     *
     * @param text the text that was encoded
     * @param token the number of the token
     * @return the first char, and the char behind the last one
     */
    public int[] charRange(String text, int token) {
        int start = text.offsetByCodePoints(0, starts[token]);
        return new int[] {start, text.offsetByCodePoints(start, ends[token] - starts[token])};
    }

    @Override
    public String toString() {
        return "ids " + Arrays.toString(ids) + ", starts " + Arrays.toString(starts) + ", ends "
                + Arrays.toString(ends);
    }
}

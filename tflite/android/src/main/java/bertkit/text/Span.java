package bertkit.text;

/** A half-open range of code points of a text. */
public final class Span {
    /** The first code point. */
    public final int start;
    /** The code point behind the last. */
    public final int end;

    /**
     * Makes a range.
     *
     * @param start the first code point
     * @param end the code point behind the last
     */
    public Span(int start, int end) {
        this.start = start;
        this.end = end;
    }
}

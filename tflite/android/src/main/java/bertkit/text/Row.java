package bertkit.text;

/** One row of a model's input, with special tokens and without padding. */
public final class Row {
    /** The ids of the tokens. */
    public final int[] ids;
    /** The segment of each token. */
    public final int[] segments;

    /**
     * Makes a row.
     *
     * @param ids the ids of the tokens
     * @param segments the segment of each token
     */
    public Row(int[] ids, int[] segments) {
        this.ids = ids;
        this.segments = segments;
    }
}

package bertkit.text;

import bertkit.Encoding;

/** Finds the pieces that cover a span of characters. */
public final class PieceFinder {
    private final int[] numbers;            // of the pieces that stand for a character
    private final int[] starts;
    private final int[] ends;
    private int count;

    /**
     * Makes a finder.
     *
     * @param encoding the pieces of a text, in order
     */
    public PieceFinder(Encoding encoding) {
        numbers = new int[encoding.ids.length];
        starts = new int[numbers.length];
        ends = new int[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            if (encoding.starts[i] < encoding.ends[i]) {
                numbers[count] = i;
                starts[count] = encoding.starts[i];
                ends[count++] = encoding.ends[i];
            }
        }
    }

    /** Returns the numbers of the first and the last piece that hold a character of a span; -1 where none does. */
    public int[] covering(Span span) {
        int first = below(ends, span.start + 1);            // the pieces that end at its start or before
        int last = below(starts, span.end) - 1;
        boolean covered = first <= last && span.start < span.end;
        return covered ? new int[] {numbers[first], numbers[last]} : new int[] {-1, -1};
    }

    /** Returns how many of the ascending numbers are below a limit. */
    private int below(int[] ascending, int limit) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (ascending[middle] < limit) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}

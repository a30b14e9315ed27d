package bertkit.text;

import java.util.Arrays;

/** The pieces of a text: ids, and the half-open range of code points that each covers. */
final class Pieces {
    private int[] ids = new int[8];
    private int[] starts = new int[8];
    private int[] ends = new int[8];
    private int count;

    void add(int id, int start, int end) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
            starts = Arrays.copyOf(starts, 2 * count);
            ends = Arrays.copyOf(ends, 2 * count);
        }
        ids[count] = id;
        starts[count] = start;
        ends[count++] = end;
    }

    int size() {
        return count;
    }

    int id(int piece) {
        return ids[piece];
    }

    int start(int piece) {
        return starts[piece];
    }

    int end(int piece) {
        return ends[piece];
    }

    /** Returns the pieces as three arrays. */
    bertkit.Encoding encoding() {
        return new bertkit.Encoding(Arrays.copyOf(ids, count), Arrays.copyOf(starts, count),
                Arrays.copyOf(ends, count));
    }
}

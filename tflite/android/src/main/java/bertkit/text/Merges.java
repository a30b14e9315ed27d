package bertkit.text;

import bertkit.BertkitException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/** Byte-pair merges (Sennrich et al. 2016, section 3.2): neighbours become one entry, by rank, then from the left. */
final class Merges {
    private static final int GONE = -1;
    private final Map<Long, int[]> table = new HashMap<>();         // (left id, right id): rank, id of both as one

    /** What merging leaves: the ids, and how many symbols lie before the end of each. */
    static final class Merged {
        final int[] ids;
        final int[] ends;

        Merged(int[] ids, int[] ends) {
            this.ids = ids;
            this.ends = ends;
        }
    }

    Merges(Map<String, Integer> ids, List<String> merges) {
        for (int rank = 0; rank < merges.size(); rank++) {
            String merge = merges.get(rank);
            int space = merge.indexOf(' ');
            String left = space < 0 ? merge : merge.substring(0, space);
            String right = space < 0 ? "" : merge.substring(space + 1);
            Integer whole = ids.get(left + right);
            if (whole == null || !ids.containsKey(left) || !ids.containsKey(right)) {
                throw new BertkitException("The merge " + merge + ", number " + (rank + 1) + ", is not of two entries "
                        + "of the vocabulary that make a third; give the merges of this vocabulary.");
            }
            table.put(pair(ids.get(left), ids.get(right)), new int[] {rank, whole});
        }
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right & 0xffffffffL;
    }

    private int[] find(int left, int right) {
        return left == GONE || right == GONE ? null : table.get(pair(left, right));
    }

    /** Whether any merge joins one of these entries with another. */
    boolean joins(int id) {
        return table.keySet().stream().anyMatch(key -> (int) (key >> 32) == id || key.intValue() == id);
    }

    /** Merges symbols until no pair of the table is left. */
    Merged apply(int[] given) {
        int count = given.length;
        int[] ids = given.clone();
        int[] before = new int[count + 1];
        int[] after = new int[count];
        PriorityQueue<Long> queue = new PriorityQueue<>();
        for (int i = 0; i < count; i++) {
            before[i] = i - 1;
            after[i] = i + 1;
            push(queue, ids, i, i + 1);
        }
        while (!queue.isEmpty()) {
            long head = queue.poll();
            int i = (int) head;
            int j = ids[i] == GONE ? count : after[i];
            int[] found = j < count ? find(ids[i], ids[j]) : null;
            if (found == null || found[0] != (int) (head >>> 32)) {
                continue;                               // one of the two is merged already
            }
            ids[i] = found[1];
            ids[j] = GONE;
            after[i] = after[j];
            before[after[i]] = i;
            if (before[i] >= 0) {
                push(queue, ids, before[i], i);
            }
            push(queue, ids, i, after[i]);
        }
        return left(ids, after);
    }

    private void push(PriorityQueue<Long> queue, int[] ids, int left, int right) {
        int[] found = right < ids.length ? find(ids[left], ids[right]) : null;
        if (found != null) {
            queue.add((long) found[0] << 32 | left);
        }
    }

    private static Merged left(int[] ids, int[] after) {
        int[] kept = new int[ids.length];
        int[] ends = new int[ids.length];
        int count = 0;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] != GONE) {
                kept[count] = ids[i];
                ends[count++] = after[i];
            }
        }
        return new Merged(Arrays.copyOf(kept, count), Arrays.copyOf(ends, count));
    }
}

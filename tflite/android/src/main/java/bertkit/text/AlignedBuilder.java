package bertkit.text;

import java.util.Arrays;

/** Collects the code points of a changed text with their sources. */
final class AlignedBuilder {
    private final Aligned before;
    private int[] codes;
    private int[] sources;
    private int count;
    private int done;           // code points of `before` that are copied or replaced

    AlignedBuilder(Aligned before) {
        this.before = before;
        codes = new int[before.codes.length + 16];
        sources = new int[codes.length];
    }

    /** Copies what is before a place and was not taken yet. */
    AlignedBuilder keepTo(int place) {
        for (; done < place; done++) {
            add(before.codes[done], done);
        }
        return this;
    }

    /** Leaves out what is before a place and was not taken yet. */
    void skipTo(int place) {
        done = place;
    }

    /** Adds a code point that comes from one of the text before. */
    void add(int code, int from) {
        if (count == codes.length) {
            codes = Arrays.copyOf(codes, 2 * count);
            sources = Arrays.copyOf(sources, 2 * count);
        }
        codes[count] = code;
        sources[count++] = before.sources[from];
    }

    /** Adds code points that all come from one of the text before. */
    void addAll(int[] added, int from) {
        for (int code : added) {
            add(code, from);
        }
    }

    /** Returns the text with what is left of the one before. */
    Aligned end() {
        if (done == 0 && count == 0) {
            return before;
        }
        keepTo(before.codes.length);
        return new Aligned(Arrays.copyOf(codes, count), Arrays.copyOf(sources, count));
    }
}

package bertkit.text;

/** A changed text, and for each of its code points the number of the given one that it comes from. */
final class Aligned {
    final int[] codes;
    final int[] sources;

    Aligned(int[] codes, int[] sources) {
        this.codes = codes;
        this.sources = sources;
    }

    /** Returns a text that nothing has changed. */
    static Aligned of(int[] codes) {
        int[] sources = new int[codes.length];
        for (int i = 0; i < sources.length; i++) {
            sources[i] = i;
        }
        return new Aligned(codes, sources);
    }

    /** Returns where the given code points begin that the ones from `start` to `end` are from. */
    int start(int start, int end) {
        return start < end ? sources[start] : end(end);
    }

    /** Returns where the given code points end that the ones before `end` are from. */
    int end(int end) {
        return end > 0 ? sources[end - 1] + 1 : 0;
    }
}

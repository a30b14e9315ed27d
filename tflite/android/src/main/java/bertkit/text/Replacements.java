package bertkit.text;

import java.util.function.IntPredicate;

/** The steps that put a text in the place of another, or of blanks. */
final class Replacements {
    private Replacements() {
    }

    /** Finds what may be replaced. */
    private interface Finder {
        /** Returns the end of what begins at a place; the place itself where nothing does. */
        int end(int[] codes, int at);
    }

    /** Replaces one text by another. */
    static Normalizer.Step replace(int[] old, String made) {
        return all((codes, at) -> Codes.stands(old, codes, at, codes.length) ? at + old.length : at, made);
    }

    /** Replaces two or more spaces. */
    static Normalizer.Step squeeze(String made) {
        return all((codes, at) -> run(codes, at, c -> c == ' ') > at + 1 ? run(codes, at, c -> c == ' ') : at, made);
    }

    /** Replaces two or more blanks, and each line end or tab. */
    static Normalizer.Step squeezeBlanks(String made) {
        return all((codes, at) -> {
            int end = run(codes, at, Codes::isBlank);
            boolean alone = codes[at] == '\n' || codes[at] == '\r' || codes[at] == '\t';
            return end > at + 1 || alone ? end : at;
        }, made);
    }

    /** Removes the blanks at the beginning. */
    static Aligned stripLeft(Aligned text) {
        AlignedBuilder out = new AlignedBuilder(text);
        out.skipTo(run(text.codes, 0, Codes::isBlank));
        return out.end();
    }

    /** Removes the blanks at the end. */
    static Aligned stripRight(Aligned text) {
        int end = text.codes.length;
        while (end > 0 && Codes.isBlank(text.codes[end - 1])) {
            end--;
        }
        return new Aligned(Codes.part(text.codes, 0, end), Codes.part(text.sources, 0, end));
    }

    /** Returns the step that replaces all that is found; the new text comes from the last code point of the old one. */
    private static Normalizer.Step all(Finder finder, String made) {
        int[] codes = Codes.of(made);
        return text -> {
            AlignedBuilder out = new AlignedBuilder(text);
            int at = 0;
            while (at < text.codes.length) {
                int end = finder.end(text.codes, at);
                if (end > at) {
                    out.keepTo(at).addAll(codes, end - 1);
                    out.skipTo(end);
                }
                at = Math.max(end, at + 1);
            }
            return out.end();
        };
    }

    /** Returns the end of the run of code points from a place on that are of a kind. */
    static int run(int[] codes, int at, IntPredicate kind) {
        while (at < codes.length && kind.test(codes[at])) {
            at++;
        }
        return at;
    }
}

package bertkit.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** The words of a text, split as in data sets of tagged words: the rules of bertkit/text/words.py. */
public final class Words {
    /** These are always words of their own: ideographs, the marks between them, and the dash. */
    private static final BitSet ALONE = ranges(0x2014, 0x2014, 0x3001, 0x3003, 0x3008, 0x301f, 0x3400, 0x4dbf, 0x4e00,
            0x9fff, 0xf900, 0xfaff, 0xff01, 0xff0f, 0xff1a, 0xff20, 0xff3b, 0xff40, 0xff5b, 0xff65, 0x20000, 0x3ffff);
    private static final BitSet EMOJI = ranges(0x231a, 0x231b, 0x23e9, 0x23fa, 0x2600, 0x27bf, 0x2b05, 0x2b55, 0x1f000,
            0x1faff);
    private static final BitSet JOINED = ranges(0x200d, 0x200d, 0x20e3, 0x20e3, 0xfe0f, 0xfe0f, 0xe0020, 0xe007f);
    private static final String OPENING = "\"\u201c\u201e\u00ab\u2039([{<\u00bf\u00a1";
    private static final String SIGNS = "@#&%*/\\";

    private Words() {
    }

    /** Returns a set of inclusive ranges. */
    static BitSet ranges(int... edges) {
        BitSet found = new BitSet();
        for (int i = 0; i < edges.length; i += 2) {
            found.set(edges[i], edges[i + 1] + 1);
        }
        return found;
    }

    /**
     * Returns where the words between two places of a text are.
     *
     * @param text the text
     * @param start where to begin
     * @param end where to end
     * @param convention how the training data part words; null where that is not known
     * @return the words, in order
     */
    public static List<Span> of(int[] text, int start, int end, Convention convention) {
        List<Span> found = new ArrayList<>();
        int at = start;
        while (at < end) {
            int stop = stretchEnd(text, at, end);
            if (stop > at) {
                split(text, at, stop, convention, found);
            }
            at = Math.max(stop, at + 1);
        }
        return found;
    }

    /** Returns the end of one ideograph or mark, of joined emoji, or of a run of all else but blanks. */
    private static int stretchEnd(int[] text, int at, int end) {
        if (ALONE.get(text[at])) {
            return at + 1;
        }
        boolean emoji = EMOJI.get(text[at]);
        int stop = emoji ? at + 1 : at;
        while (stop < end && (emoji ? EMOJI.get(text[stop]) || JOINED.get(text[stop]) : isPlain(text[stop]))) {
            stop++;
        }
        return stop;
    }

    private static boolean isPlain(int code) {
        return !Codes.isSpace(code) && !ALONE.get(code) && !EMOJI.get(code);
    }

    private static void split(int[] text, int first, int last, Convention convention, List<Span> found) {
        int start = first;
        int end = last;
        if (!hasAlphanumeric(text, start, end)) {
            found.add(new Span(start, end));
            return;
        }
        while (opens(text, start, end)) {
            found.add(new Span(start, start + 1));
            start++;
        }
        List<Span> after = new ArrayList<>();
        while (closes(text, start, end) && !(convention != null && convention.isWhole(text, start, end))) {
            after.add(0, new Span(end - 1, end));
            end--;
        }
        boolean genitive = convention == null || convention.genitive();
        if (genitive && end - start > 2 && isApostrophe(text[end - 2]) && (text[end - 1] | 32) == 's') {
            after.add(0, new Span(end - 2, end));
            end -= 2;
        }
        found.add(new Span(start, end));
        found.addAll(after);
    }

    private static boolean hasAlphanumeric(int[] text, int start, int end) {
        for (int i = start; i < end; i++) {
            if (Codes.isAlphanumeric(text[i])) {
                return true;
            }
        }
        return false;
    }

    private static boolean isApostrophe(int code) {
        return code == '\'' || code == 0x2019;
    }

    /** Whether a mark opens a word; a quote before one or two letters ('s, 've) does not. */
    private static boolean opens(int[] text, int start, int end) {
        if (OPENING.indexOf(text[start]) >= 0) {
            return true;
        }
        int letters = wordEnd(text, start + 1, end) - start - 1;
        return (text[start] == '\'' || text[start] == 0x2018) && letters != 1 && letters != 2;
    }

    private static int wordEnd(int[] text, int at, int end) {
        int stop = at;
        while (stop < end && Codes.isInWord(text[stop])) {
            stop++;
        }
        return stop;
    }

    /** Whether the last character of a word is a mark behind it. */
    private static boolean closes(int[] text, int start, int end) {
        int last = text[end - 1];
        if (last == '.' && isShortened(text, start, end)) {
            return false;
        }
        int type = Character.getType(last);
        boolean closing = type == Character.END_PUNCTUATION || type == Character.FINAL_QUOTE_PUNCTUATION
                || type == Character.OTHER_PUNCTUATION;
        return last == '"' || last == '>' || closing && SIGNS.indexOf(last) < 0;
    }

    /** Whether dots follow single letters (J. U.S.), or at least two times one or two (Ph.D.). */
    private static boolean isShortened(int[] text, int start, int end) {
        int parts = 0;
        int longest = 0;
        int at = start;
        while (at < end) {
            int stop = wordEnd(text, at, end);
            if (stop == at || stop - at > 2 || stop == end || text[stop] != '.') {
                return false;
            }
            longest = Math.max(longest, stop - at);
            parts++;
            at = stop + 1;
        }
        return longest == 1 || parts > 1;
    }
}

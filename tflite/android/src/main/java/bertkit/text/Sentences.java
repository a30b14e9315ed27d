package bertkit.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The sentences of a text, by fixed rules and a list of abbreviations: bertkit/text/sentences.py. */
public final class Sentences {
    private static final Set<String> SHORT = new HashSet<>(Arrays.asList(("mr mrs ms dr prof rev hon st sr jr gen col "
            + "maj capt cmdr lt sgt sen rep gov pres vs cf etc al ca approx no vol pp fig eq sec dept univ inc ltd co "
            + "corp mt ave jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e").split(" ")));
    private static final String BARE = "\u3002\uff01\uff1f\u0964\u0965\u061f\u06d4";
    private static final String QUOTES = "\"'\u201d\u2019\u00bb";
    private static final int REACH = 12;        // characters before a dot that an abbreviation can fill

    private Sentences() {
    }

    /**
     * Returns where the sentences of a text are, without the blanks around them.
     *
     * @param text the text
     * @return the sentences, in order
     */
    public static List<Span> of(int[] text) {
        List<Span> found = new ArrayList<>();
        int start = 0;
        int at = 0;
        while (at < text.length) {
            int end = breakEnd(text, at);
            if (end > at && ends(text, at, end)) {
                addStripped(text, start, end, found);
                start = end;
            }
            at = Math.max(end, at + 1);
        }
        addStripped(text, start, text.length, found);
        return found;
    }

    /** Returns the end of what may end a sentence at a place; the place itself where nothing does. */
    private static int breakEnd(int[] text, int at) {
        if (text[at] == '\n') {
            int blank = emptyLine(text, at);
            return blank < 0 ? at : blanksEnd(text, blank);
        }
        if (isOne(text[at], BARE)) {
            int end = Replacements.run(text, at + 1, c -> c == '!' || c == '?' || isOne(c, BARE));
            return blanksEnd(text, Replacements.run(text, end, c -> isOne(c, QUOTES + "\u300d\u300f")));
        }
        int marks = Replacements.run(text, at, c -> isOne(c, ".!?\u2026"));
        if (marks == at) {
            return at;
        }
        int quotes = Replacements.run(text, marks, c -> isOne(c, QUOTES + ")]"));
        return quotes < text.length && Codes.isSpace(text[quotes]) ? blanksEnd(text, quotes) : at;
    }

    /** Returns the place behind the next line end where only blanks stand between; -1 where something else does. */
    private static int emptyLine(int[] text, int at) {
        int end = Replacements.run(text, at + 1, c -> c != '\n' && Codes.isSpace(c));
        return end < text.length && text[end] == '\n' ? end + 1 : -1;
    }

    private static int blanksEnd(int[] text, int at) {
        return Replacements.run(text, at, Codes::isSpace);
    }

    private static boolean isOne(int code, String set) {
        return code <= 0xffff && set.indexOf(code) >= 0;
    }

    private static boolean ends(int[] text, int at, int end) {
        if (!isOne(text[at], ".!?\u2026")) {
            return true;
        }
        for (int i = at; i < end; i++) {
            if (text[i] == '\n' && emptyLine(text, i) >= 0 && emptyLine(text, i) <= end) {
                return true;
            }
        }
        if (end < text.length && Character.isLowerCase(text[end])) {
            return false;
        }
        return !(text[at] == '.' && isAbbreviated(text, at));
    }

    /** Whether a dot stands behind an abbreviation, or behind one letter with no letter before it. */
    private static boolean isAbbreviated(int[] text, int dot) {
        boolean single = dot > 0 && isSingleLetter(text[dot - 1]) && (dot == 1 || !Codes.isInWord(text[dot - 2]));
        return single || isShort(text, Math.max(0, dot - REACH), dot);
    }

    private static boolean isSingleLetter(int code) {
        return Codes.isInWord(code) && code != '_' && !Character.isDigit(code);
    }

    private static boolean isShort(int[] text, int least, int dot) {
        for (int start = dot - 1; start >= least; start--) {
            boolean begins = start == 0 || !Codes.isInWord(text[start - 1]);
            if (begins && SHORT.contains(Codes.text(text, start, dot).toLowerCase(Locale.ROOT))) {
                return true;
            }
        }
        return false;
    }

    private static void addStripped(int[] text, int first, int last, List<Span> found) {
        int start = Replacements.run(text, first, Codes::isSpace);
        int end = last;
        while (end > first && Codes.isSpace(text[end - 1])) {
            end--;
        }
        if (start < end) {
            found.add(new Span(start, end));
        }
    }
}

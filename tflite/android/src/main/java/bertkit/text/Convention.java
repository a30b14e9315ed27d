package bertkit.text;

import bertkit.files.Fields;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** How the data that a tagger was trained on part words where no blank does: bertkit/text/convention.py. */
public final class Convention {
    private static final BitSet IDEOGRAPHS = Words.ranges(0x3400, 0x4dbf, 0x4e00, 0x9fff, 0xf900, 0xfaff, 0x20000,
            0x3ffff);
    /** Scripts that are written without blanks between words. */
    private static final BitSet WITHOUT_BLANKS = Words.ranges(0xe00, 0xeff, 0x1000, 0x109f, 0x1780, 0x17ff, 0x19e0,
            0x19ff, 0x3041, 0x30ff, 0x31f0, 0x31ff, 0xa9e0, 0xa9ff, 0xaa60, 0xaa7f, 0xff66, 0xff9d);
    private static final String APOSTROPHES = "\u2019\u2018\u02bc\u2032\uff07\u055a";
    private final Set<String> after;
    private final Set<String> alone;
    private final Set<String> suffixes;
    private final Set<String> known;
    private final Map<Integer, List<int[]>> dictionary = new HashMap<>();     // by the first code point, longest first
    private final boolean genitive;

    static {
        WITHOUT_BLANKS.or(IDEOGRAPHS);
    }

    /**
     * Reads a convention.
     *
     * @param fields its fields
     */
    public Convention(Fields fields) {
        after = new HashSet<>(fields.strings("after"));
        alone = new HashSet<>(fields.strings("alone"));
        suffixes = new HashSet<>(fields.strings("suffixes"));
        known = new HashSet<>(fields.strings("prefixes"));
        known.addAll(fields.strings("wholes"));
        for (String word : fields.strings("unbroken")) {
            if (!word.isEmpty()) {
                dictionary.computeIfAbsent(word.codePointAt(0), any -> new ArrayList<>()).add(Codes.of(word));
            }
        }
        dictionary.values().forEach(words -> words.sort((one, other) -> other.length - one.length));
        genitive = fields.flag("genitive", true);
        fields.end();
    }

    boolean genitive() {
        return genitive;
    }

    /** Returns whether a word stays as it is, in spite of the marks in it or at its end. */
    boolean isWhole(int[] text, int start, int end) {
        return known.contains(plain(text, start, end));
    }

    /** Returns where the words of a text are. */
    public List<Span> words(int[] text) {
        List<Span> found = new ArrayList<>();
        int done = 0;
        int at = 0;
        while (at < text.length && !dictionary.isEmpty()) {
            int end = Replacements.run(text, at, WITHOUT_BLANKS::get);
            if (end > at) {
                part(text, done, at, found);
                lookUp(text, at, end, found);
                done = end;
            }
            at = Math.max(end, at + 1);
        }
        part(text, done, text.length, found);
        return found;
    }

    /** Adds the words between two places, parted at the marks in them. */
    private void part(int[] text, int start, int end, List<Span> found) {
        for (Span word : Words.of(text, start, end, this)) {
            partAtMarks(text, word.start, word.end, found);
        }
    }

    private void partAtMarks(int[] text, int first, int end, List<Span> found) {
        int start = first;
        for (int at = first + 1; at < end - 1; at++) {
            if (at <= start || !(isMark(text[at]) && isLetter(text[at - 1]) && isLetter(text[at + 1]))) {
                continue;
            }
            if (isWhole(text, start, end)) {
                break;
            }
            String mark = plain(text, at, at + 1);
            boolean apostrophe = "'".equals(mark);
            boolean known = apostrophe && isWhole(text, start, at + 1);
            if (apostrophe && !known && suffixes.contains(plain(text, at, end))) {
                found.add(new Span(start, at));
                start = at;
            } else if (after.contains(mark) || known) {
                found.add(new Span(start, at + 1));
                start = at + 1;
            } else if (alone.contains(mark)) {
                found.add(new Span(start, at));
                found.add(new Span(at, at + 1));
                start = at + 1;
            }
        }
        if (start < end) {
            found.add(new Span(start, end));
        }
    }

    /** Adds the words of a stretch without blanks: the longest that the data have, and what is between them. */
    private void lookUp(int[] text, int start, int end, List<Span> found) {
        int unknown = start;
        int at = start;
        while (at < end) {
            int length = Codes.isCombining(text[at]) ? 0 : longest(text, at, end);
            if (length == 0) {
                at++;
                continue;
            }
            addUnknown(text, unknown, at, found);
            found.add(new Span(at, at + length));
            at += length;
            unknown = at;
        }
        addUnknown(text, unknown, end, found);
    }

    private int longest(int[] text, int at, int end) {
        for (int[] word : dictionary.getOrDefault(text[at], new ArrayList<>())) {
            if (Codes.stands(word, text, at, end)) {
                return word.length;
            }
        }
        return 0;
    }

    /** Adds what the dictionary lacks: ideographs one by one, another script as a whole. */
    private static void addUnknown(int[] text, int start, int end, List<Span> found) {
        int at = start;
        while (at < end) {
            int stop = at + 1;
            while (!IDEOGRAPHS.get(text[at]) && stop < end && !IDEOGRAPHS.get(text[stop])) {
                stop++;
            }
            found.add(new Span(at, stop));
            at = stop;
        }
    }

    /** Returns a word in lower case, if that is as long, with ' for every apostrophe. */
    private static String plain(int[] text, int start, int end) {
        String word = Codes.text(text, start, end);
        String lower = word.toLowerCase(Locale.ROOT);
        boolean same = lower.codePointCount(0, lower.length()) == end - start;
        StringBuilder found = new StringBuilder(same ? lower : word);
        for (int i = 0; i < found.length(); i++) {
            if (APOSTROPHES.indexOf(found.charAt(i)) >= 0) {
                found.setCharAt(i, '\'');
            }
        }
        return found.toString();
    }

    /** Returns the parts of a word, which end behind each apostrophe that stands between letters. */
    public static List<Span> atApostrophes(int[] text, Span word) {
        List<Span> found = new ArrayList<>();
        int start = word.start;
        for (int at = word.start + 1; at < word.end - 1; at++) {
            boolean apostrophe = text[at] == '\'' || text[at] <= 0xffff && APOSTROPHES.indexOf(text[at]) >= 0;
            if (apostrophe && isLetter(text[at - 1]) && isLetter(text[at + 1])) {
                found.add(new Span(start, at + 1));
                start = at + 1;
            }
        }
        found.add(new Span(start, word.end));
        return found;
    }

    /** Returns whether a word holds a script without blanks other than ideographs, so that it may be several words. */
    public static boolean isUnbroken(int[] text, int start, int end) {
        int at = start;
        while (at < end) {
            int stop = at + 1;
            while (!IDEOGRAPHS.get(text[at]) && stop < end && !IDEOGRAPHS.get(text[stop])) {
                stop++;
            }
            for (int i = at; i < stop && stop - at > 1; i++) {
                if (WITHOUT_BLANKS.get(text[i])) {
                    return true;
                }
            }
            at = stop;
        }
        return false;
    }

    private static boolean isMark(int code) {
        switch (Character.getType(code)) {
            case Character.CONNECTOR_PUNCTUATION: case Character.DASH_PUNCTUATION: case Character.START_PUNCTUATION:
            case Character.END_PUNCTUATION: case Character.INITIAL_QUOTE_PUNCTUATION:
            case Character.FINAL_QUOTE_PUNCTUATION: case Character.OTHER_PUNCTUATION: case Character.MATH_SYMBOL:
            case Character.CURRENCY_SYMBOL: case Character.MODIFIER_SYMBOL: case Character.OTHER_SYMBOL:
                return true;
            default:
                return code == 0x2bc;
        }
    }

    private static boolean isLetter(int code) {
        return Codes.isAlphanumeric(code) && code != 0x2bc || Codes.isCombining(code);
    }
}

package bertkit.text;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * What BERT's normalisation makes of every code point: whether it joins a word, vanishes, parts words or is a word of
 * its own, and what it becomes. The Unicode version is fixed by the tables.
 */
final class Codepoints {
    static final byte JOINED = 0;
    static final byte DELETED = 1;
    static final byte SPACE = 2;
    static final byte ISOLATED = 3;
    private static final int[] NOTHING = {};
    private static final int SURROGATES = 0xd800;
    final byte[] kinds = new byte[Codes.SIZE];
    private final Map<Integer, int[]> becomes;
    private final BitSet cased;             // null where no rule of the final sigma applies
    private final BitSet ignorable;

    /**
     * Makes the table of one set of rules.
     *
     * @param rules "huggingface" or "google"
     * @param lowercase whether letters become lower case
     * @param accents whether accents are removed
     * @param clean whether control characters are removed and all blanks become spaces
     * @param ideographs whether each ideograph is a word of its own
     */
    Codepoints(String rules, boolean lowercase, boolean accents, boolean clean, boolean ideographs) {
        Tables tables = Tables.codepoints();
        becomes = composed(tables, rules, lowercase, accents);
        fill(tables.set(rules + ".space"), SPACE);
        fill(tables.set(rules + ".punctuation"), ISOLATED);
        followFirst();
        if (ideographs) {
            fill(tables.set(rules + ".ideograph"), ISOLATED);
        }
        if (clean) {
            fill(tables.set(rules + ".blank"), SPACE);
            fill(tables.set(rules + ".delete"), DELETED);
        }
        boolean sigmas = lowercase && tables.has(rules + ".cased");
        cased = sigmas ? tables.set(rules + ".cased") : null;
        ignorable = sigmas ? tables.set(rules + ".ignorable") : null;
    }

    /** Gives each code point that changes the kind of the first one that it becomes. */
    private void followFirst() {
        Arrays.fill(kinds, SURROGATES, 0xe000, DELETED);
        Map<Integer, Byte> changed = new HashMap<>();
        becomes.forEach((code, text) -> changed.put(code, kinds[text.length > 0 ? text[0] : SURROGATES]));
        changed.forEach((code, kind) -> kinds[code] = kind);
    }

    private void fill(BitSet members, byte kind) {
        members.stream().forEach(code -> kinds[code] = kind);
    }

    /** Returns {code point: text}: accents are stripped before lower-casing, under Google's rules behind it. */
    private static Map<Integer, int[]> composed(Tables tables, String rules, boolean lowercase, boolean accents) {
        Map<Integer, int[]> lower = lowercase ? tables.map(rules + ".lower") : new HashMap<>();
        Map<Integer, int[]> strip = accents ? tables.map(rules + ".strip") : new HashMap<>();
        boolean google = "google".equals(rules);
        Map<Integer, int[]> first = google ? lower : strip;
        Map<Integer, int[]> second = google ? strip : lower;
        Map<Integer, int[]> found = new HashMap<>(second);
        first.forEach((code, text) -> found.put(code, mapped(text, second)));
        found.entrySet().removeIf(entry -> entry.getValue().length == 1 && entry.getValue()[0] == entry.getKey());
        return found;
    }

    private static int[] mapped(int[] text, Map<Integer, int[]> map) {
        return Arrays.stream(text).flatMap(c -> Arrays.stream(map.getOrDefault(c, new int[] {c}))).toArray();
    }

    /** Returns what a code point becomes; null where it stays as it is. */
    int[] becomes(int code) {
        return kinds[code] == DELETED ? NOTHING : becomes.get(code);
    }

    /** Returns all code points that become another text, but for those that vanish because they are deleted. */
    Map<Integer, int[]> changes() {
        return becomes;
    }

    /**
     * Puts a final sigma in the place of every capital sigma that ends a word (Unicode 3.13, Final_Sigma): a cased
     * letter stands before it and none behind it, and ignorable code points are skipped.
     */
    int[] finalSigmas(int[] text) {
        if (cased == null) {
            return text;
        }
        int[] found = text;
        for (int i = 0; i < text.length; i++) {
            if (text[i] == 0x3a3 && !skipped(0x3a3) && isCased(text, i, -1) && !isCased(text, i, 1)) {
                found = found == text ? text.clone() : found;
                found[i] = 0x3c2;
            }
        }
        return found;
    }

    private boolean skipped(int code) {
        return ignorable.get(code) || kinds[code] == DELETED;
    }

    /** Whether the next code point in a direction that is not skipped is a cased letter. */
    private boolean isCased(int[] text, int at, int step) {
        int i = at + step;
        while (i >= 0 && i < text.length && skipped(text[i])) {
            i += step;
        }
        return i >= 0 && i < text.length && cased.get(text[i]);
    }
}

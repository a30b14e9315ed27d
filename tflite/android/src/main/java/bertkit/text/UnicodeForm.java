package bertkit.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A normalization form of Unicode (sections 3.11 and 3.12): NFC, NFD, NFKC or NFKD. */
final class UnicodeForm implements Normalizer.Step {
    private static final int HANGUL = 0xac00;
    private static final int LEADING = 0x1100;
    private static final int VOWEL = 0x1161;
    private static final int TRAILING = 0x11a7;
    private static final int VOWELS = 21;
    private static final int TRAILINGS = 28;
    private static final int SYLLABLES = 11172;
    private final Map<Integer, int[]> decompositions;
    private final Map<Integer, Integer> classes = new HashMap<>();
    private final Map<Long, Integer> compositions = new HashMap<>();
    private final BitSet moving = new BitSet(Codes.SIZE);
    private final boolean composes;

    /** A code point with its change: 1 is inserted, -n takes n more of the given ones. */
    private static final class Part {
        final int code;
        final int change;

        Part(int code, int change) {
            this.code = code;
            this.change = change;
        }
    }

    UnicodeForm(String table, boolean composes) {
        Tables tables = Tables.normalization();
        this.composes = composes;
        decompositions = tables.map(table);
        for (int[] row : tables.rows("classes")) {
            classes.put(row[0], row[1]);
        }
        classes.keySet().forEach(moving::set);
        decompositions.keySet().forEach(moving::set);
        moving.set(HANGUL, HANGUL + SYLLABLES);
        if (composes) {
            learnCompositions(tables, table);
        }
    }

    /** Reads what composes; a code point that decomposes to what composes to it again does not move. */
    private void learnCompositions(Tables tables, String table) {
        Map<Integer, int[]> canonical = "canonical".equals(table) ? decompositions : tables.map("canonical");
        BitSet seconds = new BitSet(Codes.SIZE);
        for (int[] row : tables.rows("compositions")) {
            compositions.put((long) row[1] << 32 | row[2], row[0]);
            seconds.set(row[2]);
            if (java.util.Arrays.equals(decompositions.get(row[0]), canonical.get(row[0]))
                    && !classes.containsKey(row[0])) {
                moving.clear(row[0]);
            }
        }
        moving.clear(HANGUL, HANGUL + SYLLABLES);
        moving.or(seconds);
        moving.set(VOWEL, VOWEL + VOWELS);
        moving.set(TRAILING + 1, TRAILING + TRAILINGS);
    }

    @Override
    public Aligned apply(Aligned text) {
        AlignedBuilder out = new AlignedBuilder(text);
        int at = moving.isEmpty() ? text.codes.length : next(text.codes, 0);
        while (at < text.codes.length) {
            int end = Replacements.run(text.codes, at, moving::get);
            // A code point that does not change itself may compose with those behind it.
            int start = composes && at > 0 ? at - 1 : at;
            out.keepTo(start);
            List<Part> parts = decomposed(text.codes, start, end);
            place(composes ? composed(parts) : parts, start, out);
            out.skipTo(end);
            at = next(text.codes, end);
        }
        return out.end();
    }

    private int next(int[] codes, int at) {
        while (at < codes.length && !moving.get(codes[at])) {
            at++;
        }
        return at;
    }

    private static void place(List<Part> parts, int start, AlignedBuilder out) {
        int taken = 0;
        for (Part part : parts) {
            out.add(part.code, start + (part.change > 0 ? taken - 1 : taken));
            taken += Math.max(0, 1 - part.change);
        }
    }

    /** Returns the full decomposition of a stretch, in canonical order. */
    private List<Part> decomposed(int[] codes, int start, int end) {
        List<Part> parts = new ArrayList<>();
        for (int i = start; i < end; i++) {
            int[] table = decomposition(codes[i]);
            for (int k = 0; k < table.length; k++) {
                parts.add(new Part(table[k], k > 0 ? 1 : 0));
            }
        }
        int begin = 0;
        for (int i = 0; i <= parts.size(); i++) {
            if (i == parts.size() || !classes.containsKey(parts.get(i).code)) {
                parts.subList(begin, i).sort(Comparator.comparing(part -> classes.get(part.code)));
                begin = i + 1;
            }
        }
        return parts;
    }

    private int[] decomposition(int code) {
        int number = code - HANGUL;
        if (number < 0 || number >= SYLLABLES) {
            return decompositions.getOrDefault(code, new int[] {code});
        }
        int leading = LEADING + number / TRAILINGS / VOWELS;
        int vowel = VOWEL + number / TRAILINGS % VOWELS;
        int trailing = number % TRAILINGS;
        return trailing == 0 ? new int[] {leading, vowel} : new int[] {leading, vowel, TRAILING + trailing};
    }

    /** Composes what a decomposition holds (Unicode, section 3.11, D117). */
    private List<Part> composed(List<Part> parts) {
        List<Part> found = new ArrayList<>();
        int starter = -1;
        int last = 0;
        for (Part part : parts) {
            int own = classes.getOrDefault(part.code, 0);
            boolean blocked = starter < 0 || starter < found.size() - 1 && last >= own;
            int made = blocked ? -1 : composition(found.get(starter).code, part.code);
            if (made >= 0) {
                found.set(starter, new Part(made, found.get(starter).change + part.change - 1));
                continue;
            }
            if (own == 0) {
                starter = found.size();
            }
            found.add(part);
            last = own;
        }
        return found;
    }

    /** Returns what two code points compose, -1 for nothing. */
    private int composition(int first, int second) {
        int leading = first - LEADING;
        int vowel = second - VOWEL;
        if (leading >= 0 && leading < SYLLABLES / VOWELS / TRAILINGS && vowel >= 0 && vowel < VOWELS) {
            return HANGUL + (leading * VOWELS + vowel) * TRAILINGS;
        }
        int number = first - HANGUL;
        int trailing = second - TRAILING;
        boolean open = number >= 0 && number < SYLLABLES && number % TRAILINGS == 0;
        if (open && trailing > 0 && trailing < TRAILINGS) {
            return first + trailing;
        }
        return compositions.getOrDefault((long) first << 32 | second, -1);
    }
}

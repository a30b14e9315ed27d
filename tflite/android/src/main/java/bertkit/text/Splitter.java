package bertkit.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Cuts texts at added tokens; of tokens that begin at the same place the longest counts. */
final class Splitter {
    /** Beside letters, marks and digits these belong to a word: they connect or join letters. */
    private static final String JOINS = "_\u203f\u2040\u2054\ufe33\ufe34\ufe4d\ufe4e\ufe4f\uff3f\u200c\u200d";
    private static final int[][] CIRCLED = {{0x24b6, 0x24e9}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169},
        {0x1f170, 0x1f189}};
    private static BitSet inWords;
    private final Map<Integer, List<Wanted>> wanted = new HashMap<>();        // by the first code point, longest first

    /** What is looked for, and the token that it is. */
    private static final class Wanted {
        final int[] codes;
        final Added token;

        Wanted(int[] codes, Added token) {
            this.codes = codes;
            this.token = token;
        }
    }

    /** A part of a text; its token is null for the text between tokens. */
    static final class Part {
        final int start;
        final int end;
        final Added token;

        Part(int start, int end, Added token) {
            this.start = start;
            this.end = end;
            this.token = token;
        }
    }

    /** Adds a token that is looked for as these code points; of equal ones the first counts. */
    void add(int[] codes, Added token) {
        if (codes.length == 0) {
            return;
        }
        List<Wanted> same = wanted.computeIfAbsent(codes[0], any -> new ArrayList<>());
        if (same.stream().noneMatch(one -> java.util.Arrays.equals(one.codes, codes))) {
            same.add(new Wanted(codes, token));
            same.sort((one, other) -> other.codes.length - one.codes.length);
        }
    }

    boolean isEmpty() {
        return wanted.isEmpty();
    }

    /** Returns the parts of a text; the blanks that a token takes along belong to none. */
    List<Part> split(int[] text) {
        List<Part> parts = new ArrayList<>();
        int done = 0;
        int at = 0;
        while (at < text.length && !isEmpty()) {
            Wanted found = find(text, at);
            if (found == null) {
                at++;
                continue;
            }
            int begin = at;
            int end = at + found.codes.length;
            at = end;
            if (found.token.singleWord && (isInWord(text, begin - 1) || isInWord(text, end))) {
                continue;
            }
            int before = found.token.lstrip ? strippedEnd(text, done, begin) : begin;
            if (done < before) {
                parts.add(new Part(done, before, null));
            }
            parts.add(new Part(begin, end, found.token));
            done = found.token.rstrip ? Replacements.run(text, end, Codes::isBlank) : end;
        }
        if (done < text.length) {
            parts.add(new Part(done, text.length, null));
        }
        return parts;
    }

    private Wanted find(int[] text, int at) {
        for (Wanted one : wanted.getOrDefault(text[at], java.util.Collections.emptyList())) {
            if (Codes.stands(one.codes, text, at, text.length)) {
                return one;
            }
        }
        return null;
    }

    private static int strippedEnd(int[] text, int done, int begin) {
        int end = Math.max(begin, done);
        while (end > done && Codes.isBlank(text[end - 1])) {
            end--;
        }
        return end;
    }

    private static synchronized boolean isInWord(int[] text, int at) {
        if (at < 0 || at >= text.length) {
            return false;
        }
        if (inWords == null) {
            inWords = Tables.codepoints().set("bytelevel.letter");
            inWords.or(Tables.normalization().set("accents"));
            Tables.codepoints().set("bytelevel.number").stream()
                    .filter(code -> Character.getType(code) != Character.OTHER_NUMBER).forEach(inWords::set);
            JOINS.chars().forEach(inWords::set);
            for (int[] range : CIRCLED) {
                inWords.set(range[0], range[1] + 1);
            }
        }
        return inWords.get(text[at]);
    }
}

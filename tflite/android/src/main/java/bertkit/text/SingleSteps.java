package bertkit.text;

import bertkit.BertkitException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** The steps that look at one code point at a time. */
final class SingleSteps {
    private static final List<String> FLAGS = Arrays.asList("clean", "ideographs", "accents", "lowercase");
    private static final int[] NOTHING = {};
    private static final int[] SPACE = {' '};

    private SingleSteps() {
    }

    /** Removes combining marks. */
    static Normalizer.Step accents() {
        BitSet marks = Tables.normalization().set("accents");
        return each(code -> marks.get(code) ? NOTHING : null);
    }

    /** Lower-cases code point by code point; what lower-casing would remove stays. */
    static Normalizer.Step lowercase() {
        Map<Integer, int[]> lower = new HashMap<>(
                new Codepoints("huggingface", true, false, false, false).changes());
        lower.values().removeIf(text -> text.length == 0);
        return each(lower::get);
    }

    /** Applies BERT's own normalisation; the flags are words of FLAGS. */
    static Normalizer.Step bert(String flags) {
        List<String> given = Arrays.asList(flags.trim().isEmpty() ? new String[0] : flags.trim().split(" +"));
        for (String flag : given) {
            if (!FLAGS.contains(flag)) {
                throw new BertkitException("The normalisation step bert has " + flag + ", wanted some of "
                        + String.join(" ", FLAGS) + "; export the model again, or take a newer client.");
            }
        }
        boolean clean = given.contains("clean");
        boolean split = given.contains("ideographs");
        Codepoints table = new Codepoints("huggingface", given.contains("lowercase"), given.contains("accents"), clean,
                split);
        BitSet ideographs = split ? Tables.codepoints().set("huggingface.ideograph") : new BitSet();
        return each(code -> becomes(table, ideographs, clean, code));
    }

    /** Returns what BERT's normalisation makes of a code point; null where it stays, as surrogates do. */
    private static int[] becomes(Codepoints table, BitSet ideographs, boolean clean, int code) {
        if (Codes.isSurrogate(code)) {
            return null;
        }
        int[] text = clean && table.kinds[code] == Codepoints.SPACE ? SPACE : table.becomes(code);
        if (!ideographs.get(code)) {
            return text;
        }
        int[] inner = text == null ? new int[] {code} : text;
        int[] spaced = new int[inner.length + 2];
        Arrays.fill(spaced, ' ');
        System.arraycopy(inner, 0, spaced, 1, inner.length);
        return spaced;
    }

    /** Returns the step that makes of each code point what a function says; null leaves it. */
    private static Normalizer.Step each(IntFunction<int[]> becomes) {
        return text -> {
            AlignedBuilder out = new AlignedBuilder(text);
            for (int i = 0; i < text.codes.length; i++) {
                int[] made = becomes.apply(text.codes[i]);
                if (made != null) {
                    out.keepTo(i).addAll(made, i);
                    out.skipTo(i + 1);
                }
            }
            return out.end();
        };
    }
}

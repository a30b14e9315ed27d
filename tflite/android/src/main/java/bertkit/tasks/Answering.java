package bertkit.tasks;

import bertkit.Answer;
import bertkit.Encoding;
import bertkit.files.Fields;
import bertkit.text.Codes;
import bertkit.text.Window;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The stretch of a context that answers a question; it is read in windows (Devlin et al. 2018, run_squad.py). */
final class Answering extends Task {
    private final boolean mayBeNone;
    private final double threshold;
    private final int query;
    private final int stride;
    private final int longest;
    private final int most;

    /** The best stretch so far: its sum of logits and the tokens of the context where it begins and ends. */
    private static final class Best {
        double score = Double.NEGATIVE_INFINITY;
        int first = -1;
        int last = -1;
    }

    Answering(String name, Fields fields) {
        super(name, "logits", 2, true, "question", "context");
        String version = fields.string("version", "1.1");
        mayBeNone = "2.0".equals(version);
        if (!mayBeNone && !"1.1".equals(version)) {
            throw fields.wrong("version is", version, "\"1.1\" or \"2.0\"");
        }
        threshold = fields.number("threshold", 0.5);
        query = fields.whole("query", 0, 64);
        stride = fields.whole("stride", 0, Window.STRIDE);
        longest = fields.whole("longest", 0, 30);
        most = fields.whole("most", 0, 20);
    }

    @Override
    public Answer answer(String[] texts, Engine engine) {
        int[] question = engine.tokenizer().encode(texts[0]).ids;
        Encoding context = engine.tokenizer().encode(texts[1]);
        int[] asked = Arrays.copyOf(question, Math.min(question.length, query));
        List<Window> windows = Window.all(engine.tokenizer(), context.ids, engine.length(), asked, stride);
        int[] chosen = Window.mostContext(windows, context.ids.length);
        Best best = new Best();
        double none = Double.POSITIVE_INFINITY;
        for (int number = 0; number < windows.size(); number++) {
            Window window = windows.get(number);
            float[][] logits = engine.output(window.row);
            none = Math.min(none, logits.length == 0 ? 0 : (double) logits[window.cls][0] + logits[window.cls][1]);
            improve(best, window, number, chosen, logits);
        }
        return decided(best, none, context, Codes.of(texts[1]));
    }

    /** Tries the largest starts and ends of a window; the first of equal sums stays. */
    private void improve(Best best, Window window, int number, int[] chosen, float[][] logits) {
        int[] firsts = largest(logits, 0);
        int[] lasts = largest(logits, 1);
        for (int firstPlace : firsts) {
            int first = window.token(firstPlace);
            if (first < window.start || first >= window.end || chosen[first] != number) {
                continue;
            }
            for (int lastPlace : lasts) {
                int last = window.token(lastPlace);
                double score = (double) logits[firstPlace][0] + logits[lastPlace][1];
                boolean inside = last >= first && last < window.end && last - first + 1 <= longest;
                if (inside && score > best.score) {
                    best.score = score;
                    best.first = first;
                    best.last = last;
                }
            }
        }
    }

    private int[] largest(float[][] logits, int column) {
        return IntStream.range(0, logits.length).boxed()
                .sorted((one, other) -> Float.compare(logits[other][column], logits[one][column]))
                .limit(most).mapToInt(Integer::intValue).toArray();
    }

    private Answer decided(Best best, double none, Encoding context, int[] text) {
        double chance = 1 / (1 + Math.exp(Math.min(best.score - none, 700)));
        int start = best.first < 0 ? 0 : context.starts[best.first];
        int end = best.first < 0 ? 0 : context.ends[best.last];
        while (start < end && Codes.isSpace(text[start])) {
            start++;
        }
        while (end > start && Codes.isSpace(text[end - 1])) {
            end--;
        }
        if (start >= end || mayBeNone && chance > threshold) {
            return new Answer().put("answer", "").put("start", -1).put("score", chance);
        }
        return new Answer().put("answer", Codes.text(text, start, end)).put("start", start).put("score", 1 - chance);
    }
}

package bertkit.tasks;

import bertkit.Answer;
import bertkit.files.Fields;
import bertkit.text.Window;
import java.util.Arrays;

/** Classes of texts that are longer than a row, by the mean or the largest of the logits of their windows. */
final class Documents extends Classification {
    private final int mostWindows;
    private final boolean largest;

    Documents(String name, Fields fields) {
        super(name, "logits", fields);
        mostWindows = fields.whole("most_windows", 1, 8);
        String pooling = fields.string("pooling", "mean");
        largest = "max".equals(pooling);
        if (!largest && !"mean".equals(pooling)) {
            throw fields.wrong("pooling is", pooling, "\"mean\" or \"max\", which a client on a device computes");
        }
        if (fields.flag("pairs", false)) {
            throw fields.wrong("pairs is", true, "false");
        }
    }

    @Override
    public Answer answer(String[] texts, Engine engine) {
        int room = engine.tokenizer().room(engine.length());
        int read = room + (mostWindows - 1) * Math.max(1, room / 2);
        int[] ids = engine.tokenizer().encode(texts[0]).ids;
        int[] kept = Arrays.copyOf(ids, Math.min(ids.length, read));
        float[] pooled = null;
        int count = 0;
        for (Window window : Window.all(engine.tokenizer(), kept, engine.length(), null, engine.length())) {
            float[] logits = engine.output(window.row)[0];
            pooled = pooled == null ? logits.clone() : added(pooled, logits);
            count++;
        }
        for (int i = 0; i < pooled.length && !largest; i++) {
            pooled[i] /= count;
        }
        return decided(probabilities(pooled));
    }

    private float[] added(float[] sums, float[] logits) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] = largest ? Math.max(sums[i], logits[i]) : sums[i] + logits[i];
        }
        return sums;
    }
}

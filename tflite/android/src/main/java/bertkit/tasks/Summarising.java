package bertkit.tasks;

import bertkit.files.Fields;
import bertkit.text.Codes;
import bertkit.text.Row;
import bertkit.text.Span;
import bertkit.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Sentences that an encoder has learned to choose (Liu 2019, BERTSUM); a row is of sentences, each with its [CLS]. */
final class Summarising extends Extraction {
    Summarising(String name, Fields fields) {
        super(name, "logits", 2, true, fields);
    }

    @Override
    double[] scores(int[] document, List<Span> sentences, Engine engine) {
        Tokenizer tokenizer = engine.tokenizer();
        List<Row> waiting = new ArrayList<>();
        double[] scores = new double[sentences.size()];
        int size = 0;
        for (int i = 0; i < sentences.size(); i++) {
            Span span = sentences.get(i);
            int[] ids = tokenizer.encode(Codes.part(document, span.start, span.end)).ids;
            Row row = tokenizer.row(ids, null, engine.length());
            if (size + row.ids.length > engine.length()) {
                score(waiting, i, scores, engine);
                size = 0;
            }
            waiting.add(row);
            size += row.ids.length;
        }
        score(waiting, sentences.size(), scores, engine);
        return scores;
    }

    /** Computes a row of the sentences that wait, which end before a number, and writes their scores. */
    private static void score(List<Row> waiting, int end, double[] scores, Engine engine) {
        if (waiting.isEmpty()) {
            return;
        }
        int[] segments = new int[0];
        for (int i = 0; i < waiting.size(); i++) {
            int[] own = waiting.get(i).segments.clone();
            if (i % 2 == 1) {
                Arrays.fill(own, engine.tokenizer().secondSegment());
            }
            segments = IntStream.concat(Arrays.stream(segments), Arrays.stream(own)).toArray();
        }
        int[] ids = waiting.stream().flatMapToInt(row -> Arrays.stream(row.ids)).toArray();
        float[][] logits = engine.output(new Row(ids, segments));
        int at = engine.tokenizer().clsPlace();
        for (int i = 0; i < waiting.size(); i++) {
            scores[end - waiting.size() + i] = logits[at][1] - logits[at][0];
            at += waiting.get(i).ids.length;
        }
        waiting.clear();
    }
}

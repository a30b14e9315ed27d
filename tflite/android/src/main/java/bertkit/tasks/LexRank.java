package bertkit.tasks;

import bertkit.files.Fields;
import bertkit.text.Codes;
import bertkit.text.Span;
import bertkit.text.Words;
import java.util.List;

/** The sentences that are most like the others: Σ cos over vectors (Erkan and Radev 2004); short ones come last. */
final class LexRank extends Extraction {
    private final int least;

    LexRank(String name, Fields fields) {
        super(name, "embedding", fields.whole("width", 0), false, fields);
        least = fields.whole("least", 0, 5);
    }

    @Override
    double[] scores(int[] document, List<Span> sentences, Engine engine) {
        int count = sentences.size();
        double[][] vectors = new double[count][];
        double[] sum = new double[width];
        for (int i = 0; i < count; i++) {
            Span span = sentences.get(i);
            vectors[i] = unit(vector(engine, Codes.text(document, span.start, span.end), null));
            for (int k = 0; k < width; k++) {
                sum[k] += vectors[i][k];
            }
        }
        double[] scores = new double[count];
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < width; k++) {
                scores[i] += vectors[i][k] * sum[k];
            }
            Span span = sentences.get(i);
            boolean tooShort = Words.of(document, span.start, span.end, null).size() < least;
            scores[i] -= tooShort ? 2 * count : 0;
        }
        return scores;
    }

    private static double[] unit(float[] vector) {
        double squares = 0;
        for (float number : vector) {
            squares += (double) number * number;
        }
        double[] found = new double[vector.length];
        for (int i = 0; i < found.length; i++) {
            found[i] = squares > 0 ? vector[i] / Math.sqrt(squares) : 0;
        }
        return found;
    }
}

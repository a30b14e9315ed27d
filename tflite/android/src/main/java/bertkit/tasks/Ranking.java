package bertkit.tasks;

import bertkit.Answer;
import bertkit.files.Fields;

/** How well documents answer a query: a score, which is a logit, for each (query, document). */
final class Ranking extends Task {
    Ranking(String name, Fields fields) {
        super(name, "score", 1, false, "query", "document");
        fields.whole("candidates", 0, 30);
    }

    @Override
    protected boolean fits(int count) {
        return count >= 2;
    }

    @Override
    public String[] input(String line) {
        String[] texts = line.split("\t", -1);
        if (texts.length > 2) {
            throw new bertkit.BertkitException("has " + (texts.length - 1) + " tabs; this model reads query, tab, "
                    + "document");
        }
        return super.input(line);
    }

    @Override
    public Answer answer(String[] texts, Engine engine) {
        float[] scores = new float[texts.length - 1];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = vector(engine, texts[0], texts[i + 1])[0];
        }
        return scores.length == 1 ? new Answer().put("score", (double) scores[0]) : new Answer().put("scores", scores);
    }
}

package bertkit.tasks;

import bertkit.Answer;
import bertkit.files.Fields;

/** A number for each text or pair, in the units of the training file, as the model gives it. */
final class Regression extends TextsOrPairs {
    Regression(String name, Fields fields) {
        super(name, "score", 1, fields, true);
        fields.number("mean", 0);           // the exported file has applied both
        fields.number("spread", 1);
    }

    @Override
    public Answer answer(String[] texts, Engine engine) {
        return new Answer().put("score", (double) vector(engine, texts[0], texts.length > 1 ? texts[1] : null)[0]);
    }
}

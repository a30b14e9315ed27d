package bertkit.tasks;

import bertkit.Answer;

/** The most probable ending of a prompt: softmax over a logit for each (prompt, ending). */
final class Choosing extends Task {
    Choosing(String name) {
        super(name, "logits", 1, false, "prompt", "ending", "ending", "...");
    }

    @Override
    public Answer answer(String[] texts, Engine engine) {
        float[] logits = new float[texts.length - 1];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = vector(engine, texts[0], texts[i + 1])[0];
        }
        float[] probabilities = Numbers.softmax(logits);
        return new Answer().put("choice", Numbers.largest(probabilities)).put("probabilities", probabilities);
    }
}

package bertkit.tasks;

import bertkit.Answer;
import bertkit.files.Fields;
import java.util.ArrayList;
import java.util.List;

/** The vector of a text; of several texts their vectors. */
public final class Embedding extends Task {
    /** Stands in front of each text. */
    public final String prompt;
    /** Stands in front of a query in place of `prompt`, where documents are searched. */
    public final String query;
    /** Stands in front of a document in place of `prompt`, where documents are searched. */
    public final String document;

    Embedding(String name, Fields fields) {
        super(name, "embedding", fields.whole("width", 0), false, "text");
        prompt = fields.string("prompt", "");
        query = fields.string("query", prompt);
        document = fields.string("document", prompt);
    }

    @Override
    protected boolean fits(int count) {
        return count > 0;
    }

    /** Returns the vector of a text behind a prompt. */
    public float[] embed(Engine engine, String before, String text) {
        return vector(engine, before + text, null);
    }

    @Override
    public Answer answer(String[] texts, Engine engine) {
        List<float[]> vectors = new ArrayList<>();
        for (String text : texts) {
            vectors.add(embed(engine, prompt, text));
        }
        return new Answer().put("embedding", vectors.size() == 1 ? vectors.get(0) : vectors);
    }
}

package bertkit;

import bertkit.files.Json;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a model answers to one input, with the names and values of `bertkit predict`. */
public final class Answer {
    private final Map<String, Object> values = new LinkedHashMap<>();

    /** An entity of a tagged text. */
    public static final class Entity {
        /** The characters of the entity. */
        public final String text;
        /** Its type, such as "LOC". */
        public final String type;
        /** Its first code point in the text. */
        public final int start;
        /** The code point behind its last. */
        public final int end;

        private Entity(Map<?, ?> values) {
            text = (String) values.get("text");
            type = (String) values.get("type");
            start = (Integer) values.get("start");
            end = (Integer) values.get("end");
        }
    }

    /** Adds a value; for tasks. */
    public Answer put(String name, Object value) {
        values.put(name, value);
        return this;
    }

    /** Returns all values: {"label": String, "probabilities": Map} of a classifier, and so on. */
    public Map<String, Object> values() {
        return Collections.unmodifiableMap(values);
    }

    /** Returns the label of a classifier's answer. */
    public String label() {
        return (String) value("label");
    }

    /** Returns the labels of a text that may have several. */
    @SuppressWarnings("unchecked")
    public List<String> labels() {
        return (List<String>) value("labels");
    }

    /** Returns the probability of each label, a Double. */
    @SuppressWarnings("unchecked")
    public Map<String, Double> probabilities() {
        return (Map<String, Double>) value("probabilities");
    }

    /** Returns the score of a pair, a document or an answer. */
    public double score() {
        return (Double) value("score");
    }

    /** Returns the scores of several documents, in their order. */
    public float[] scores() {
        return values.containsKey("scores") ? (float[]) value("scores") : new float[] {(float) score()};
    }

    /** Returns the entities of a tagged text. */
    public List<Entity> entities() {
        List<Entity> found = new java.util.ArrayList<>();
        for (Object entity : (List<?>) value("entities")) {
            found.add(new Entity((Map<?, ?>) entity));
        }
        return found;
    }

    /** Returns the answer to a question, "" for none. */
    public String answer() {
        return (String) value("answer");
    }

    /** Returns the first code point of the answer in the context, -1 for none. */
    public int start() {
        return (Integer) value("start");
    }

    /** Returns the number of the chosen ending, from 0. */
    public int choice() {
        return (Integer) value("choice");
    }

    /** Returns the vector of a text. */
    public float[] embedding() {
        return (float[]) value("embedding");
    }

    private Object value(String name) {
        if (!values.containsKey(name)) {
            throw new BertkitException("The answer has no " + name + ", it has " + String.join(", ", values.keySet())
                    + "; ask for one of these.");
        }
        return values.get(name);
    }

    /** Returns the answer as a JSON object in one line. */
    @Override
    public String toString() {
        return Json.write(values);
    }
}

package bertkit.tasks;

import bertkit.Answer;
import bertkit.files.Fields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One of the labels for each text or pair, or with `multi_label` any number of them. */
class Classification extends TextsOrPairs {
    private static final double EVEN = 0.5;
    private final List<String> labels;
    private final boolean multiLabel;
    private final double threshold;
    private final int positive;         // of two classes, the one that the threshold is of

    Classification(String name, String output, Fields fields) {
        super(name, output, fields.strings("labels").size(), fields, false);
        labels = labels(fields);
        multiLabel = fields.flag("multi_label", false);
        threshold = fields.number("threshold", EVEN);
        boolean binary = labels.size() == 2 && !multiLabel;
        String named = fields.string("positive", null);
        positive = named == null ? 1 : labels.indexOf(named);
        if (named != null && !(binary && positive >= 0)) {
            throw fields.wrong("positive is", named, "one of two labels");
        }
        if (!(threshold >= 0 && threshold <= 1) || threshold != EVEN && !binary && !multiLabel) {
            throw fields.wrong("threshold is", threshold, "0 to 1, for two labels or several a text");
        }
    }

    /** Returns the labels, which must be different ones. */
    static List<String> labels(Fields fields) {
        List<String> labels = fields.strings("labels");
        if (labels.isEmpty() || labels.stream().distinct().count() < labels.size()) {
            throw fields.wrong("labels is", labels, "one label or more, all different");
        }
        return labels;
    }

    @Override
    public Answer answer(String[] texts, Engine engine) {
        return decided(vector(engine, texts[0], texts.length > 1 ? texts[1] : null));
    }

    /** Turns logits into probabilities, for models that give logits. */
    float[] probabilities(float[] logits) {
        return multiLabel ? Numbers.sigmoid(logits) : Numbers.softmax(logits);
    }

    /** Returns the answer that probabilities decide. */
    Answer decided(float[] probabilities) {
        Map<String, Object> table = new LinkedHashMap<>();
        List<String> given = new ArrayList<>();
        for (int i = 0; i < probabilities.length; i++) {
            table.put(labels.get(i), (double) probabilities[i]);
            if (probabilities[i] > (float) threshold) {
                given.add(labels.get(i));
            }
        }
        Answer answer = new Answer();
        if (multiLabel) {
            answer.put("labels", given);
        } else {
            answer.put("label", labels.get(chosen(probabilities)));
        }
        return answer.put("probabilities", table);
    }

    private int chosen(float[] probabilities) {
        if (threshold == EVEN) {
            return Numbers.largest(probabilities);
        }
        return probabilities[positive] > (float) threshold ? positive : 1 - positive;
    }
}

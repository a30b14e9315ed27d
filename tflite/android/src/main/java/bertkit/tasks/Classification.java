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
    private final double abstainBelow;  // NaN where answers do not say whether they abstain
    private final double setFrom;       // NaN where answers hold no set of labels
    private final int positive;         // of two classes, the one that the threshold is of

    Classification(String name, String output, Fields fields) {
        super(name, output, fields.strings("labels").size(), fields, false);
        labels = labels(fields);
        multiLabel = fields.flag("multi_label", false);
        threshold = fields.number("threshold", EVEN);
        abstainBelow = limit("abstain_below", fields);
        setFrom = limit("set_from", fields);
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

    /** Returns a limit of probabilities, which a task for one label of each text may have, or NaN. */
    private double limit(String name, Fields fields) {
        double value = fields.number(name, Double.NaN);
        if (value < 0 || value > 1 || !Double.isNaN(value) && multiLabel) {
            throw fields.wrong(name + " is", value, "0 to 1, for one label of each text");
        }
        return value;
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
            return answer.put("labels", given).put("probabilities", table);
        }
        int chosen = chosen(probabilities);
        answer.put("label", labels.get(chosen)).put("probabilities", table);
        return trusted(answer, probabilities, chosen);
    }

    /** Adds what the limits that dev chose say of an answer. */
    private Answer trusted(Answer answer, float[] probabilities, int chosen) {
        if (!Double.isNaN(abstainBelow)) {
            answer.put("abstain", probabilities[chosen] < (float) abstainBelow);
        }
        if (!Double.isNaN(setFrom)) {
            List<String> set = new ArrayList<>();
            for (int i = 0; i < probabilities.length; i++) {
                if (i == chosen || probabilities[i] >= (float) setFrom) {
                    set.add(labels.get(i));
                }
            }
            answer.put("set", set);
        }
        return answer;
    }

    private int chosen(float[] probabilities) {
        if (threshold == EVEN) {
            return Numbers.largest(probabilities);
        }
        return probabilities[positive] > (float) threshold ? positive : 1 - positive;
    }
}

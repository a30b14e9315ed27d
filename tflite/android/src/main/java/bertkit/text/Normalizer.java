package bertkit.text;

import bertkit.BertkitException;
import bertkit.files.Json;
import java.util.ArrayList;
import java.util.List;

/** The steps that a text goes through before it is cut into words; which characters each one is from is kept. */
final class Normalizer {
    /** One step. */
    interface Step {
        /** Returns the text after this step. */
        Aligned apply(Aligned text);
    }

    private final List<Step> steps = new ArrayList<>();

    /**
     * Makes a normalizer of the JSON form of its steps.
     *
     * @param written lists of a name and its arguments
     * @param map what the step "charsmap" applies; null for nothing
     * @throws BertkitException when a step is unknown
     */
    Normalizer(List<?> written, CharacterMap map) {
        for (Object step : written) {
            List<String> words = new ArrayList<>();
            for (Object word : step instanceof List ? (List<?>) step : new ArrayList<>()) {
                words.add(word instanceof String ? (String) word : "");
            }
            Step made = words.isEmpty() ? null : step(words, map);
            if (made == null) {
                throw new BertkitException("The normalisation step " + Json.write(step) + " is unknown to this version "
                        + "of bertkit; export the model again, or take a newer client.");
            }
            steps.add(made);
        }
    }

    /** Adds a step behind the others. */
    Normalizer then(Step step) {
        steps.add(step);
        return this;
    }

    /** Returns the normalised text. */
    Aligned apply(int[] text) {
        Aligned found = Aligned.of(text);
        for (Step step : steps) {
            found = step.apply(found);
        }
        return found;
    }

    private static Step step(List<String> words, CharacterMap map) {
        String first = words.size() > 1 ? words.get(1) : "";
        switch (words.get(0) + " " + (words.size() - 1)) {
            case "nfc 0": return new UnicodeForm("canonical", true);
            case "nfd 0": return new UnicodeForm("canonical", false);
            case "nfkc 0": return new UnicodeForm("compatibility", true);
            case "nfkd 0": return new UnicodeForm("compatibility", false);
            case "accents 0": return SingleSteps.accents();
            case "lowercase 0": return SingleSteps.lowercase();
            case "bert 1": return SingleSteps.bert(first);
            case "replace 2": return first.isEmpty() ? null : Replacements.replace(Codes.of(first), words.get(2));
            case "squeeze 1": return Replacements.squeeze(first);
            case "squeeze_blanks 1": return Replacements.squeezeBlanks(first);
            case "strip_left 0": return Replacements::stripLeft;
            case "strip_right 0": return Replacements::stripRight;
            case "charsmap 0": return map == null ? text -> text : map;
            default: return null;
        }
    }
}

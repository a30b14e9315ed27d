package bertkit.text;

import bertkit.BertkitException;
import bertkit.files.Fields;

/** A token that is looked for in texts before the model cuts the rest. */
final class Added {
    final String content;
    final boolean lstrip;
    final boolean rstrip;
    final boolean singleWord;
    final boolean normalized;

    /**
     * Reads a token.
     *
     * @param value a string, or an object with its content and flags
     * @param source the file, as messages name it
     */
    Added(Object value, String source) {
        if (value instanceof String) {
            content = (String) value;
            lstrip = rstrip = singleWord = normalized = false;
        } else {
            Fields fields = new Fields(value, source + ", added");
            content = fields.string("content");
            fields.flag("special", true);
            lstrip = fields.flag("lstrip", false);
            rstrip = fields.flag("rstrip", false);
            singleWord = fields.flag("single_word", false);
            normalized = fields.flag("normalized", false);
            fields.end();
        }
        if (content.isEmpty()) {
            throw new BertkitException(source + " has an added token without content; export the model again.");
        }
    }
}

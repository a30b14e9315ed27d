package bertkit.tasks;

import bertkit.text.Row;
import bertkit.text.Tokenizer;

/** What a task needs of a model: its tokenizer, its length, and its output for a row. */
public interface Engine {
    /** Returns the tokenizer. */
    Tokenizer tokenizer();

    /** Returns the most tokens of a row. */
    int length();

    /**
     * Computes the output of a row.
     *
     * @param row the row, without padding
     * @return one vector, or where the task has an output for each token, one for each token of the row
     */
    float[][] output(Row row);
}

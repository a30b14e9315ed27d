package bertkit.tasks;

import bertkit.Answer;
import bertkit.BertkitException;
import bertkit.files.Fields;

/** What a model's numbers mean: a task reads inputs, makes rows of them, and answers from the outputs of the rows. */
public abstract class Task {
    /** The name of the task, that of its command. */
    public final String name;
    /** The name of the output that is read. */
    public final String output;
    /** The numbers of an output vector. */
    public final int width;
    /** Whether there is an output for each token, and not one for each row. */
    public final boolean eachToken;
    private final String[] reads;

    /**
     * Makes a task.
     *
     * @param name its name
     * @param output the name of its output
     * @param width the numbers of an output vector
     * @param eachToken whether there is one for each token
     * @param reads the names of an input's texts; "..." at the end stands for any number more
     */
    protected Task(String name, String output, int width, boolean eachToken, String... reads) {
        this.name = name;
        this.output = output;
        this.width = width;
        this.eachToken = eachToken;
        this.reads = reads;
    }

    /**
     * Reads what ondevice.json says of the task.
     *
     * @param fields the name and the settings
     * @return the task
     */
    public static Task of(Fields fields) {
        Task task = make(fields.string("name"), fields);
        fields.end();
        return task;
    }

    private static Task make(String name, Fields fields) {
        switch (name) {
            case "classify": return new Classification(name, "probabilities", fields);
            case "long_documents": return new Documents(name, fields);
            case "score": return new Regression(name, fields);
            case "tag": return new Tagging(name, fields);
            case "answer": return new Answering(name, fields);
            case "choose": return new Choosing(name);
            case "embed": return new Embedding(name, fields);
            case "rank": return new Ranking(name, fields);
            case "summarise": return new Summarising(name, fields);
            case "summarise-central": return new LexRank(name, fields);
            default: throw new BertkitException("The task " + name + " is not one that this client answers; it answers "
                    + "classify, long_documents, score, tag, answer, choose, embed, rank and summarise.");
        }
    }

    /**
     * Answers one input.
     *
     * @param texts the texts of the input
     * @param engine the model
     * @return the answer
     */
    public abstract Answer answer(String[] texts, Engine engine);

    /**
     * Reads an input from a line of text, in which tabs stand between its texts.
     *
     * @param line the line; an empty one gives empty texts
     * @return the texts
     * @throws BertkitException when the number of tabs does not fit the task
     */
    public String[] input(String line) {
        if (reads.length == 1) {
            return new String[] {line};
        }
        String[] texts = line.split("\t", -1);
        if (line.isEmpty()) {
            texts = new String[least()];
            java.util.Arrays.fill(texts, "");
        }
        if (!fits(texts.length)) {
            throw new BertkitException("has " + (texts.length - 1) + " tabs; this model reads "
                    + String.join(", tab, ", reads));
        }
        return texts;
    }

    /**
     * Checks the number of an input's texts.
     *
     * @param texts the texts
     * @return the same texts
     * @throws BertkitException when there are too few or too many
     */
    public String[] checked(String... texts) {
        for (String text : texts) {
            if (text == null) {
                throw new BertkitException("A text of an input is null; this model reads " + String.join(", ", reads)
                        + ".");
            }
        }
        if (!fits(texts.length)) {
            throw new BertkitException("An input has " + texts.length + " texts; this model reads "
                    + String.join(", ", reads) + ".");
        }
        return texts;
    }

    private int least() {
        return reads.length - (isOpen() ? 1 : 0);
    }

    private boolean isOpen() {
        return "...".equals(reads[reads.length - 1]);
    }

    /** Returns whether an input may have so many texts. */
    protected boolean fits(int count) {
        return isOpen() ? count >= least() : count == reads.length;
    }

    /** Returns the output of a row that has one vector. */
    static float[] vector(Engine engine, String first, String second) {
        int[] ids = engine.tokenizer().encode(first).ids;
        int[] others = second == null ? null : engine.tokenizer().encode(second).ids;
        return engine.output(engine.tokenizer().row(ids, others, engine.length()))[0];
    }
}

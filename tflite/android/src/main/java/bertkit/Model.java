package bertkit;

import bertkit.files.Fields;
import bertkit.files.Folder;
import bertkit.tasks.Embedding;
import bertkit.tasks.Engine;
import bertkit.tasks.Task;
import bertkit.text.Row;
import bertkit.text.Tokenizer;
import java.io.File;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A .tflite file with the tokenizer and the task that it was exported with: strings in, answers out.
 *
 * <pre>{@code
 * try (Model model = Model.load(folder, InterpreterRunner::new)) {
 *     String label = model.predict("a warm, funny film").label();
 * }
 * }</pre>
 *
 * One row is computed at a time; several threads may share one model, and take turns.
 */
public final class Model implements AutoCloseable {
    private static final String MODEL = "model.tflite";
    private static final String FACTS = "ondevice.json";
    private final Tokenizer tokenizer;
    private final Task task;
    private final List<Integer> lengths;
    private final Runner runner;                            // null where texts are only encoded
    private final Map<Integer, String> signatures = new LinkedHashMap<>();
    private final Map<Integer, List<String>> inputs = new LinkedHashMap<>();
    private final Engine engine = new Rows();
    private final File file;

    /** What tasks ask of the model. */
    private final class Rows implements Engine {
        @Override
        public Tokenizer tokenizer() {
            return tokenizer;
        }

        @Override
        public int length() {
            return lengths.get(lengths.size() - 1);
        }

        @Override
        public float[][] output(Row row) {
            return compute(row);
        }
    }

    private Model(File place, Runner.Opener opener) {
        Folder folder = new Folder(place);
        Fields facts = folder.signedJson(FACTS);
        if (facts.whole("format", 0) != 1) {
            throw facts.wrong("format is", facts.value("format"), "1");
        }
        Fields settings = facts.fields("tokenizer");
        lengths = lengths(facts);
        check(folder, facts, Tokenizer.file(settings.string("kind", "wordpiece")), opener != null);
        tokenizer = new Tokenizer(folder, settings);
        task = Task.of(facts.fields("task"));
        file = folder.file(MODEL);
        runner = opener == null ? null : opener.open(file);
        if (runner != null) {
            findSignatures();
        }
    }

    /**
     * Loads the model of a folder that `bertkit export --to tflite` wrote.
     *
     * @param folder the folder
     * @param opener what opens the .tflite file
     * @return the model
     * @throws BertkitException when a file is missing, damaged, or does not fit the others
     */
    public static Model load(File folder, Runner.Opener opener) {
        return new Model(folder, opener);
    }

    /**
     * Loads the tokenizer of a folder alone; such a model encodes and does not answer.
     *
     * @param folder the folder
     * @return the model
     */
    public static Model loadTokenizer(File folder) {
        return new Model(folder, null);
    }

    private static List<Integer> lengths(Fields facts) {
        int longest = facts.whole("length", 1);
        List<Integer> found = facts.has("lengths") ? facts.wholes("lengths", 1) : Collections.singletonList(longest);
        for (int i = 1; i < found.size(); i++) {
            if (found.get(i) <= found.get(i - 1)) {
                throw facts.wrong("lengths is", found, "them in order up to " + longest);
            }
        }
        if (found.isEmpty() || found.get(found.size() - 1) != longest || longest > 1 << 24) {
            throw facts.wrong("length is", longest, "the longest of " + found);
        }
        return found;
    }

    private static void check(Folder folder, Fields facts, String vocabulary, boolean runs) {
        Map<String, Object> entries = new LinkedHashMap<>();
        ((Map<?, ?>) facts.fields("files").map()).forEach((name, entry) -> entries.put((String) name, entry));
        if (!runs) {
            entries.remove(MODEL);
            folder.check(facts.fields("files"), entries, vocabulary);
        } else {
            folder.check(facts.fields("files"), entries, vocabulary, MODEL);
        }
    }

    /** Finds the signature of each length, and compares its inputs and outputs with what the task wants. */
    private void findSignatures() {
        Map<String, Signature> present = runner.signatures();
        for (int length : lengths) {
            String name = lengths.size() > 1 ? "length_" + length : present.keySet().stream().findFirst().orElse("");
            Signature signature = present.getOrDefault(name, new Signature());
            Map<String, String> actual = new LinkedHashMap<>(signature.inputs);
            actual.putAll(signature.outputs);
            Map<String, String> wanted = new LinkedHashMap<>();
            wanted.put("token_ids", Signature.tensor("int32", 1, length));
            wanted.put("padding_mask", Signature.tensor("int32", 1, length));
            if (actual.containsKey("segment_ids")) {            // families without segments leave it out
                wanted.put("segment_ids", Signature.tensor("int32", 1, length));
            }
            wanted.put(task.output, task.eachToken ? Signature.tensor("float32", 1, length, task.width)
                    : Signature.tensor("float32", 1, task.width));
            if (!actual.equals(wanted)) {
                runner.close();
                throw new BertkitException(file + " takes and gives " + (actual.isEmpty() ? "nothing by name"
                        : String.join(", ", actual.keySet())) + ", not what " + FACTS + " says; it belongs to another "
                        + "folder.");
            }
            signatures.put(length, name);
            inputs.put(length, new ArrayList<>(signature.inputs.keySet()));
        }
    }

    /** Computes a row at the smallest length that holds it, and leaves out the outputs of padding. */
    private float[][] compute(Row row) {
        int length = lengths.stream().filter(one -> one >= row.ids.length).findFirst().orElse(engine.length());
        Map<String, int[]> batch = tokenizer.padded(row, length);
        int[] mask = batch.get("padding_mask");
        batch.keySet().retainAll(inputs.get(length));
        float[] values;
        synchronized (this) {
            values = runner.run(signatures.get(length), batch, task.output);
        }
        for (float value : values) {
            if (Float.isNaN(value) || Float.isInfinite(value)) {
                throw new BertkitException(file + " gives NaN or infinity; export it again.");
            }
        }
        if (!task.eachToken) {
            return new float[][] {values};
        }
        float[][] found = new float[row.ids.length][];
        int at = 0;
        for (int i = 0; i < length; i++) {
            if (mask[i] == 1) {
                found[at++] = java.util.Arrays.copyOfRange(values, i * task.width, (i + 1) * task.width);
            }
        }
        return found;
    }

    /**
     * Answers an input.
     *
     * @param texts the texts of the input: one, or two of a pair, or (query, document, ...), as the task reads them
     * @return the answer
     * @throws BertkitException when the number of texts does not fit the task
     */
    public Answer predict(String... texts) {
        if (runner == null) {
            throw new BertkitException("Only the tokenizer was loaded; call Model.load to get answers.");
        }
        return task.answer(task.checked(texts), engine);
    }

    /**
     * Reads an input from a line, in which tabs stand between its texts, as `bertkit predict` does.
     *
     * @param line the line
     * @return the texts, for {@link #predict}
     */
    public String[] input(String line) {
        return task.input(line);
    }

    /**
     * Returns the tokens of a text, without special tokens around them.
     *
     * @param text the text
     * @return ids, and offsets in code points
     */
    public Encoding encode(String text) {
        return tokenizer.encode(text);
    }

    /**
     * Returns a text as the model's words are found in it: in front of MediaPipe it gives bertkit's ids.
     *
     * @param text the text
     * @return the normalised text
     */
    public String normalize(String text) {
        return tokenizer.normalize(text);
    }

    /**
     * Returns the vector of a document that is to be searched.
     *
     * @param text the document
     * @return the vector
     */
    public float[] embedDocument(String text) {
        return embedding().embed(engine, embedding().document, text);
    }

    /**
     * Returns the vector of a query.
     *
     * @param text the query
     * @return the vector
     */
    public float[] embedQuery(String text) {
        return embedding().embed(engine, embedding().query, text);
    }

    private Embedding embedding() {
        if (!(task instanceof Embedding)) {
            throw new BertkitException("A model of the task " + task.name + " gives no vectors; export one of embed.");
        }
        return (Embedding) task;
    }

    /** Returns the name of the task, such as "classify". */
    public String task() {
        return task.name;
    }

    /** Returns the lengths of rows that the file computes, ascending. */
    public List<Integer> lengths() {
        return Collections.unmodifiableList(lengths);
    }

    @Override
    public synchronized void close() {
        if (runner != null) {
            runner.close();
        }
    }
}

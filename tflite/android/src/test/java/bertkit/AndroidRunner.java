package bertkit;

import bertkit.android.InterpreterRunner;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tensorflow.lite.DataType;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/**
 * Answers a text with InterpreterRunner, whose stub of LiteRT's Interpreter is filled with the JVM's runner:
 * `AndroidRunner FOLDER TEXT` prints two lines, the answer of InterpreterRunner and that of LiteRtRunner.
 */
public final class AndroidRunner {
    private AndroidRunner() {
    }

    /** Runs the comparison. */
    public static void main(String[] arguments) {
        File folder = new File(arguments[0]);
        LiteRtRunner inner = new LiteRtRunner(new File(folder, "model.tflite"));
        Interpreter.filled = new Filled(inner);
        try (Model model = Model.load(folder, InterpreterRunner::new);
             Model wanted = Model.load(folder, file -> inner)) {
            System.out.println(model.predict(arguments[1]));
            System.out.println(wanted.predict(arguments[1]));
        }
    }

    /** LiteRT's Interpreter as far as InterpreterRunner knows it. */
    private static final class Filled extends Interpreter {
        private final LiteRtRunner inner;

        Filled(LiteRtRunner inner) {
            this.inner = inner;
        }

        @Override
        public String[] getSignatureKeys() {
            return inner.signatures().keySet().toArray(new String[0]);
        }

        @Override
        public String[] getSignatureInputs(String key) {
            return inner.signatures().get(key).inputs.keySet().toArray(new String[0]);
        }

        @Override
        public String[] getSignatureOutputs(String key) {
            return inner.signatures().get(key).outputs.keySet().toArray(new String[0]);
        }

        @Override
        public Tensor getInputTensorFromSignature(String name, String key) {
            return tensor(inner.signatures().get(key).inputs.get(name));
        }

        @Override
        public Tensor getOutputTensorFromSignature(String name, String key) {
            return tensor(inner.signatures().get(key).outputs.get(name));
        }

        @Override
        public void runSignature(Map<String, Object> inputs, Map<String, Object> outputs, String key) {
            Map<String, int[]> given = new LinkedHashMap<>();
            inputs.forEach((name, buffer) -> {
                int[] numbers = new int[((ByteBuffer) buffer).capacity() / 4];
                ((ByteBuffer) buffer).asIntBuffer().get(numbers);
                given.put(name, numbers);
            });
            outputs.forEach((name, buffer) -> ((ByteBuffer) buffer).asFloatBuffer().put(inner.run(key, given, name)));
        }

        @Override
        public void close() {
        }
    }

    private static Tensor tensor(String about) {
        String[] parts = about.split(" ", 2);
        String[] numbers = parts[1].substring(1, parts[1].length() - 1).split(", ");
        int[] shape = new int[numbers.length];
        int count = 1;
        for (int i = 0; i < shape.length; i++) {
            shape[i] = Integer.parseInt(numbers[i]);
            count *= shape[i];
        }
        int all = count;
        return new Tensor() {
            @Override
            public DataType dataType() {
                return DataType.valueOf(parts[0].toUpperCase(java.util.Locale.ROOT));
            }

            @Override
            public int[] shape() {
                return shape;
            }

            @Override
            public int numElements() {
                return all;
            }
        };
    }
}

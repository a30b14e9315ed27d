package bertkit.android;

import bertkit.BertkitException;
import bertkit.Runner;
import bertkit.Signature;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/** Runs a .tflite file on Android, through the Interpreter of LiteRT. */
public final class InterpreterRunner implements Runner {
    private static final int BYTES = 4;
    private final Interpreter interpreter;
    private final Map<String, Signature> signatures = new LinkedHashMap<>();

    /**
     * Opens a model that is computed by one thread.
     *
     * @param model the .tflite file
     * @throws BertkitException when LiteRT cannot run it
     */
    public InterpreterRunner(File model) {
        this(model, 1);
    }

    /**
     * Opens a model.
     *
     * @param model the .tflite file
     * @param threads how many threads compute
     * @throws BertkitException when LiteRT cannot run it
     */
    public InterpreterRunner(File model, int threads) {
        try {
            interpreter = new Interpreter(model, new Interpreter.Options().setNumThreads(threads));
        } catch (IllegalArgumentException | IllegalStateException error) {
            throw new BertkitException(model + " is no model that LiteRT can run (" + error.getMessage() + "); export "
                    + "it again.");
        }
        for (String key : interpreter.getSignatureKeys()) {
            Signature signature = new Signature();
            for (String name : interpreter.getSignatureInputs(key)) {
                signature.inputs.put(name, shown(interpreter.getInputTensorFromSignature(name, key)));
            }
            for (String name : interpreter.getSignatureOutputs(key)) {
                signature.outputs.put(name, shown(interpreter.getOutputTensorFromSignature(name, key)));
            }
            signatures.put(key, signature);
        }
    }

    private static String shown(Tensor tensor) {
        return Signature.tensor(tensor.dataType().name().toLowerCase(java.util.Locale.ROOT), tensor.shape());
    }

    @Override
    public Map<String, Signature> signatures() {
        return signatures;
    }

    @Override
    public float[] run(String signature, Map<String, int[]> inputs, String output) {
        Map<String, Object> given = new HashMap<>();
        for (Map.Entry<String, int[]> input : inputs.entrySet()) {
            ByteBuffer buffer = room(input.getValue().length);
            buffer.asIntBuffer().put(input.getValue());
            given.put(input.getKey(), buffer);
        }
        int count = interpreter.getOutputTensorFromSignature(output, signature).numElements();
        ByteBuffer buffer = room(count);
        try {
            interpreter.runSignature(given, Collections.<String, Object>singletonMap(output, buffer), signature);
        } catch (IllegalArgumentException | IllegalStateException error) {
            throw new BertkitException("LiteRT could not compute a row (" + error.getMessage() + "); export the model "
                    + "again.");
        }
        buffer.rewind();
        float[] values = new float[count];
        buffer.asFloatBuffer().get(values);
        return values;
    }

    private static ByteBuffer room(int numbers) {
        return ByteBuffer.allocateDirect(BYTES * numbers).order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() {
        interpreter.close();
    }
}

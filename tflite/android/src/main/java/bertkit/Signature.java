package bertkit;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The inputs and outputs of one function of a .tflite file, each with its type and its shape. */
public final class Signature {
    /** Each input as "int32 [1, 64]", by its name. */
    public final Map<String, String> inputs = new LinkedHashMap<>();
    /** Each output as "float32 [1, 2]", by its name. */
    public final Map<String, String> outputs = new LinkedHashMap<>();

    /**
     * Writes type and shape of a tensor as signatures hold them.
     *
     * @param type "int32" or "float32"
     * @param shape the numbers of the shape
     * @return such as "int32 [1, 64]"
     */
    public static String tensor(String type, int... shape) {
        return type + " " + Arrays.toString(shape);
    }
}

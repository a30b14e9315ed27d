package bertkit;

import java.io.File;
import java.util.Map;

/** What computes a .tflite file: LiteRT on Android or on the JVM, or something of your own. */
public interface Runner extends AutoCloseable {
    /** Opens the model file of a folder. */
    interface Opener {
        /**
         * Opens a model.
         *
         * @param model the .tflite file
         * @return what runs it
         * @throws BertkitException when it is no model that can be run
         */
        Runner open(File model);
    }

    /**
     * Returns what the file takes and gives.
     *
     * @return the signatures by their names
     */
    Map<String, Signature> signatures();

    /**
     * Computes one row; a runner is called by one thread at a time.
     *
     * @param signature the name of a signature
     * @param inputs the numbers of each input, by its name
     * @param output the name of the output that is wanted
     * @return the numbers of the output, in its order
     * @throws BertkitException when it cannot be computed
     */
    float[] run(String signature, Map<String, int[]> inputs, String output);

    /** Frees what the runner holds. */
    @Override
    void close();
}

package bertkit;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs a .tflite file on the JVM of a desktop or a server, through libLiteRt.so, which LITERT_LIBRARY names. */
public final class LiteRtRunner implements Runner {
    private static final String VARIABLE = "LITERT_LIBRARY";
    private static final String BRIDGE = "libbertkit.so";
    private static boolean loaded;
    private final Map<String, Signature> signatures = new LinkedHashMap<>();
    private final List<String> keys = new ArrayList<>();
    private long handle;

    /**
     * Opens a model.
     *
     * @param model the .tflite file
     * @throws BertkitException when the library or the model cannot be loaded
     */
    public LiteRtRunner(File model) {
        String library = System.getenv(VARIABLE);
        if (library == null || library.isEmpty()) {
            throw new BertkitException("Running a .tflite file on the JVM needs LiteRT; set " + VARIABLE + " to the "
                    + "path of libLiteRt.so, which the Python package ai-edge-litert holds.");
        }
        if (!new File(library).isFile()) {
            throw new BertkitException(library + ", which " + VARIABLE + " names, is missing; give the path of "
                    + "libLiteRt.so.");
        }
        if (!model.isFile()) {
            throw new BertkitException(model + " is missing; give the whole folder that `bertkit export --to tflite` "
                    + "wrote.");
        }
        loadBridge();
        handle = open(bytes(new File(library).getAbsolutePath()), bytes(model.getAbsolutePath()));
        for (byte[] about = describe(handle, 0); about != null; about = describe(handle, keys.size())) {
            read(new String(about, StandardCharsets.UTF_8).split("\n"));
        }
    }

    /** Returns a path as C reads it. */
    private static byte[] bytes(String path) {
        return (path + "\0").getBytes(StandardCharsets.UTF_8);
    }

    private void read(String[] lines) {
        Signature signature = new Signature();
        int inputs = Integer.parseInt(lines[1]);
        for (int i = 2; i < lines.length; i++) {
            String[] parts = lines[i].split("\t");
            (i < 2 + inputs ? signature.inputs : signature.outputs).put(parts[0], parts[1]);
        }
        keys.add(lines[0]);
        signatures.put(lines[0], signature);
    }

    /** Copies the bridge out of the jar, because a library is loaded from a file. */
    private static synchronized void loadBridge() {
        if (loaded) {
            return;
        }
        Path copy = null;
        try (InputStream in = LiteRtRunner.class.getResourceAsStream(BRIDGE)) {
            if (in == null) {
                throw new BertkitException("The jar was built without " + BRIDGE + "; build it with make.");
            }
            copy = Files.createTempFile("bertkit", ".so");
            Files.copy(in, copy, StandardCopyOption.REPLACE_EXISTING);
            System.load(copy.toString());
            loaded = true;
        } catch (IOException | UnsatisfiedLinkError error) {
            throw new BertkitException("The bridge to LiteRT cannot be loaded (" + error.getMessage() + "); build the "
                    + "jar on this machine with make.");
        } finally {
            if (copy != null) {
                copy.toFile().delete();                     // what is loaded stays loaded
            }
        }
    }

    @Override
    public Map<String, Signature> signatures() {
        return signatures;
    }

    @Override
    public float[] run(String signature, Map<String, int[]> inputs, String output) {
        if (handle == 0) {
            throw new BertkitException("The model is closed; load it again.");
        }
        Signature about = signatures.get(signature);
        int[][] numbers = about.inputs.keySet().stream().map(inputs::get).toArray(int[][]::new);
        return run(handle, keys.indexOf(signature), numbers, new ArrayList<>(about.outputs.keySet()).indexOf(output));
    }

    @Override
    public void close() {
        if (handle != 0) {
            free(handle);
            handle = 0;
        }
    }

    private static native long open(byte[] library, byte[] model);

    private static native byte[] describe(long handle, int signature);

    private static native float[] run(long handle, int signature, int[][] inputs, int output);

    private static native void free(long handle);
}

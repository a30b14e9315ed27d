package bertkit.text;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** The Unicode tables that bertkit's Python reads too: the files .npz of bertkit/text/unicode, copied into the jar. */
final class Tables {
    private static Tables codepoints;
    private static Tables normalization;
    private final Map<String, int[][]> arrays = new HashMap<>();

    private Tables(String file) {
        try (InputStream in = Tables.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("the library was built without " + file + "; build it with make");
            }
            ZipInputStream zip = new ZipInputStream(in);
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                String name = entry.getName().replace(".npy", "");
                if (!"about".equals(name)) {
                    arrays.put(name, array(new DataInputStream(zip)));
                }
            }
        } catch (IOException error) {
            throw new IllegalStateException(file + " of the library is damaged", error);
        }
    }

    /** Returns the tables of `codepoints.npz`. */
    static synchronized Tables codepoints() {
        codepoints = codepoints == null ? new Tables("codepoints.npz") : codepoints;
        return codepoints;
    }

    /** Returns the tables of `normalization.npz`. */
    static synchronized Tables normalization() {
        normalization = normalization == null ? new Tables("normalization.npz") : normalization;
        return normalization;
    }

    /** Reads an array in numpy's format .npy: two dimensions, whole numbers of 32 or 64 bits, row after row. */
    private static int[][] array(DataInputStream in) throws IOException {
        byte[] head = new byte[10];
        in.readFully(head);
        byte[] words = new byte[(head[8] & 0xff) | (head[9] & 0xff) << 8];
        in.readFully(words);
        String about = new String(words, StandardCharsets.US_ASCII);
        String shape = about.substring(about.indexOf("'shape': (") + 10, about.lastIndexOf(')'));
        int rows = Integer.parseInt(shape.split(",")[0].trim());
        int columns = Integer.parseInt(shape.split(",")[1].trim());
        boolean wide = about.contains("<i8");
        byte[] content = new byte[rows * columns * (wide ? 8 : 4)];
        in.readFully(content);
        ByteBuffer numbers = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        int[][] found = new int[rows][columns];
        for (int[] row : found) {
            for (int i = 0; i < columns; i++) {
                row[i] = wide ? (int) numbers.getLong() : numbers.getInt();
            }
        }
        return found;
    }

    boolean has(String name) {
        return arrays.containsKey(name);
    }

    /** Returns a set of code points, which is stored as inclusive ranges. */
    BitSet set(String name) {
        BitSet found = new BitSet(Codes.SIZE);
        for (int[] range : arrays.get(name)) {
            found.set(range[0], range[1] + 1);
        }
        return found;
    }

    /** Returns rows whose numbers are stored as differences from the row before. */
    int[][] rows(String name) {
        int[][] stored = arrays.get(name);
        int[][] found = new int[stored.length][];
        for (int i = 0; i < stored.length; i++) {
            found[i] = stored[i].clone();
            for (int k = 0; i > 0 && k < found[i].length; k++) {
                found[i][k] += found[i - 1][k];
            }
        }
        return found;
    }

    /** Returns {code point: what it becomes}. */
    Map<Integer, int[]> map(String name) {
        Map<Integer, int[]> found = new HashMap<>();
        for (int[] row : rows(name)) {
            int count = 1;
            while (count < row.length && row[count] >= 0) {
                count++;
            }
            found.put(row[0], Codes.part(row, 1, count));
        }
        return found;
    }
}

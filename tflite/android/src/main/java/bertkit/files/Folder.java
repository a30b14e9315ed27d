package bertkit.files;

import bertkit.BertkitException;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.Map;

/** The files that `bertkit export` wrote: read within bounds, and compared with their sizes and checksums. */
public final class Folder {
    private static final long LARGEST = 1L << 28;
    private static final String SUM = "sum";
    private final File place;

    /**
     * Opens a folder.
     *
     * @param place the folder
     */
    public Folder(File place) {
        this.place = place;
    }

    /** Returns a file of the folder, which need not exist. */
    public File file(String name) {
        return new File(place, name);
    }

    /**
     * Reads a text file.
     *
     * @param name the name of the file
     * @return its text
     * @throws BertkitException when it is missing, too large, unreadable or not UTF-8
     */
    public String text(String name) {
        File path = file(name);
        if (!path.isFile()) {
            throw new BertkitException(path + " is missing; give the whole folder that `bertkit export --to tflite` "
                    + "wrote.");
        }
        if (path.length() > LARGEST) {
            throw new BertkitException(path + " has more than " + LARGEST + " bytes, which no such file has; give the "
                    + "right one.");
        }
        byte[] bytes = new byte[(int) path.length()];
        try (InputStream in = new FileInputStream(path)) {
            new java.io.DataInputStream(in).readFully(bytes);
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException error) {
            throw new BertkitException(path + " is not UTF-8; copy the file again.");
        } catch (IOException error) {
            throw new BertkitException(path + " cannot be read (" + error.getMessage() + "); give a readable file.");
        }
    }

    /**
     * Reads a JSON file.
     *
     * @param name the name of the file
     * @return its object
     * @throws BertkitException when it cannot be read, or holds no object
     */
    public Fields json(String name) {
        return new Fields(Json.parse(text(name), file(name).toString()), file(name).toString());
    }

    /**
     * Reads a JSON object that bertkit wrote with a checksum, and compares that.
     *
     * @param name the name of the file
     * @return its object without the checksum
     * @throws BertkitException when it was changed
     */
    public Fields signedJson(String name) {
        Object value = Json.parse(text(name), file(name).toString());
        Fields fields = new Fields(value, file(name).toString());
        Map<Object, Object> rest = new LinkedHashMap<>((Map<?, ?>) value);
        Object sum = rest.remove(SUM);
        if (sum != null && !sum.equals(hex(digest().digest(Json.canonical(rest).getBytes(StandardCharsets.UTF_8))))) {
            throw new BertkitException(fields.source() + " is not the file that was written (its checksum differs); "
                    + "copy it again, or remove its \"" + SUM + "\" if you changed it yourself.");
        }
        return new Fields(rest, fields.source());
    }

    /**
     * Compares every file that a manifest names with what it says.
     *
     * @param manifest {name: {"bytes", "sha256"}}
     * @param used the names of files that will be read, which the manifest must hold
     * @throws BertkitException when a file is missing or was changed
     */
    public void check(Fields manifest, Map<String, Object> entries, String... used) {
        for (String name : used) {
            if (!entries.containsKey(name)) {
                throw new BertkitException(file(name) + " is used, and the folder's manifest does not name it, so it "
                        + "cannot be told whether it was changed; copy the folder again.");
            }
        }
        for (String name : entries.keySet()) {
            Fields entry = manifest.fields(name);
            if (!new File(name).getName().equals(name) || !file(name).isFile()) {
                throw new BertkitException(file(name) + " is missing, and its folder's manifest names it; copy the "
                        + "folder again.");
            }
            boolean same = file(name).length() == (long) entry.number("bytes", -1);
            if (!same || !sha256(file(name)).equals(entry.string("sha256"))) {
                throw new BertkitException(file(name) + " is not the file that was written (its SHA-256 differs); copy "
                        + "the folder again.");
            }
        }
    }

    private static String sha256(File path) {
        MessageDigest digest = digest();
        byte[] part = new byte[1 << 16];
        try (InputStream in = new FileInputStream(path)) {
            for (int count = in.read(part); count >= 0; count = in.read(part)) {
                digest.update(part, 0, count);
            }
        } catch (IOException error) {
            throw new BertkitException(path + " cannot be read (" + error.getMessage() + "); give a readable file.");
        }
        return hex(digest.digest());
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);         // every Java has it
        }
    }

    private static String hex(byte[] bytes) {
        StringBuilder found = new StringBuilder();
        for (byte b : bytes) {
            found.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
        }
        return found.toString();
    }
}

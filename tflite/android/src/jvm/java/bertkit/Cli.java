package bertkit;

import bertkit.files.Json;
import bertkit.text.Codes;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Answers lines of standard input: `java -cp bertkit.jar bertkit.Cli FOLDER`, or with `--encode` before the folder
 * writes their ids and offsets. One JSON object a line; lines end at \n alone.
 */
public final class Cli {
    private static final int LONGEST_LINE = 1 << 26;

    private Cli() {
    }

    /**
     * Runs the command.
     *
     * @param arguments `FOLDER`, or `--encode FOLDER`
     */
    public static void main(String[] arguments) {
        System.exit(run(arguments));
    }

    /** Returns 0; 2 on wrong usage; 1 on bad input, with one sentence on standard error. */
    private static int run(String[] arguments) {
        boolean encodes = arguments.length == 2 && "--encode".equals(arguments[0]);
        if (!encodes && (arguments.length != 1 || arguments[0].startsWith("-"))) {
            System.err.println("usage: java -cp bertkit.jar bertkit.Cli [--encode] FOLDER < lines");
            return 2;
        }
        try (OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out))) {
            File folder = new File(arguments[arguments.length - 1]);
            try (Model model = encodes ? Model.loadTokenizer(folder) : Model.load(folder, LiteRtRunner::new)) {
                answer(model, encodes, new BufferedInputStream(System.in), out);
            }
            return 0;
        } catch (BertkitException error) {
            return failed(error.getMessage());
        } catch (IOException error) {
            return failed("Standard input or output broke off (" + error.getMessage() + ").");
        } catch (OutOfMemoryError error) {
            return failed("There is not enough memory for this model or line; give java more with -Xmx.");
        } catch (StackOverflowError error) {
            return failed("A file of the folder is nested too deep; copy the folder again.");
        }
    }

    private static int failed(String sentence) {
        byte[] bytes = (sentence.replace('\n', ' ') + "\n").getBytes(StandardCharsets.UTF_8);
        System.err.write(bytes, 0, bytes.length);
        System.err.flush();
        return 1;
    }

    private static void answer(Model model, boolean encodes, InputStream in, OutputStream out) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int number = 0;
        while (readLine(in, line, number + 1)) {
            number++;
            String text = Codes.decode(line.toByteArray(), 0, line.size());
            String answer = encodes ? encoded(model, text) : predicted(model, text, number);
            out.write((answer + "\n").getBytes(StandardCharsets.UTF_8));
            if (in.available() == 0) {
                out.flush();
            }
        }
    }

    /** Reads the bytes before the next \n, or before the end; returns false where nothing is left. */
    private static boolean readLine(InputStream in, ByteArrayOutputStream line, int number) throws IOException {
        line.reset();
        int next = in.read();
        if (next < 0) {
            return false;
        }
        for (; next >= 0 && next != '\n'; next = in.read()) {
            line.write(next);
            if (line.size() > LONGEST_LINE) {
                throw new BertkitException("line " + number + " of standard input has more than " + LONGEST_LINE
                        + " bytes; give a text a line, and cut one that is longer.");
            }
        }
        return true;
    }

    private static String encoded(Model model, String text) {
        Encoding encoding = model.encode(text);
        int[][] offsets = new int[encoding.ids.length][];
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = new int[] {encoding.starts[i], encoding.ends[i]};
        }
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("ids", encoding.ids);
        found.put("offsets", java.util.Arrays.asList(offsets));
        return Json.write(found);
    }

    /** Answers a line as `bertkit predict` reads it: without a byte order mark, and without \r at its end. */
    private static String predicted(Model model, String given, int number) {
        String text = number == 1 && given.startsWith("\ufeff") ? given.substring(1) : given;
        text = text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
        String[] input;
        try {
            input = model.input(text);
        } catch (BertkitException error) {
            throw new BertkitException("line " + number + " of standard input " + error.getMessage() + ".");
        }
        return model.predict(input).toString();
    }
}

package bertkit;

import bertkit.files.Folder;
import bertkit.files.Json;
import bertkit.files.JsonNumber;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Compares folders with the rows of tflite/conformance: `Conformance FOLDER ROWS.jsonl ...` prints a line for each
 * pair, `rows N differ M`, with the first rows that differ, and ends with 1 if any does.
 */
public final class Conformance {
    private static final double TOLERANCE = 1e-4;
    private static final int SHOWN = 3;

    private Conformance() {
    }

    /** Runs the comparison. */
    public static void main(String[] arguments) {
        boolean same = true;
        for (int i = 0; i < arguments.length; i += 2) {
            same &= compare(new File(arguments[i]), new File(arguments[i + 1]));
        }
        System.exit(same ? 0 : 1);
    }

    private static boolean compare(File folder, File rows) {
        boolean answers = new File(folder, "model.tflite").isFile();
        int count = 0;
        List<String> different = new ArrayList<>();
        try (Model model = answers ? Model.load(folder, LiteRtRunner::new) : Model.loadTokenizer(folder)) {
            for (String line : new Folder(rows.getParentFile()).text(rows.getName()).split("\n")) {
                Map<?, ?> row = (Map<?, ?>) Json.parse(line, rows.getName());
                Object found = answers ? predicted(model, row.get("input")) : encoded(model, (String) row.get("text"));
                Object wanted = answers ? row.get("answer") : "[" + Json.write(row.get("ids")) + ", "
                        + Json.write(row.get("offsets")) + "]";
                count++;
                if (!alike(found, wanted)) {
                    different.add("  " + line + "\n  gave " + Json.write(found));
                }
            }
        }
        System.out.println(rows.getName() + ": rows " + count + " differ " + different.size());
        different.stream().limit(SHOWN).forEach(System.out::println);
        return different.isEmpty();
    }

    private static Object encoded(Model model, String text) {
        Encoding encoding = model.encode(text);
        List<int[]> offsets = new ArrayList<>();
        for (int i = 0; i < encoding.ids.length; i++) {
            offsets.add(new int[] {encoding.starts[i], encoding.ends[i]});
        }
        return "[" + Json.write(encoding.ids) + ", " + Json.write(offsets) + "]";
    }

    private static Object predicted(Model model, Object input) {
        List<?> given = input instanceof List ? (List<?>) input : java.util.Collections.singletonList(input);
        String[] texts = given.toArray(new String[0]);
        return Json.parse(model.predict(texts).toString(), "the answer");
    }

    /** Whether two JSON values are equal, numbers with a fraction but for the tolerance. */
    private static boolean alike(Object found, Object wanted) {
        if (found instanceof Map && wanted instanceof Map) {
            Map<?, ?> other = (Map<?, ?>) wanted;
            Map<?, ?> own = (Map<?, ?>) found;
            return own.keySet().equals(other.keySet())
                    && own.entrySet().stream().allMatch(e -> alike(e.getValue(), other.get(e.getKey())));
        }
        if (found instanceof List && wanted instanceof List) {
            List<?> one = (List<?>) found;
            List<?> other = (List<?>) wanted;
            boolean same = one.size() == other.size();
            for (int i = 0; same && i < one.size(); i++) {
                same = alike(one.get(i), other.get(i));
            }
            return same;
        }
        if (found instanceof JsonNumber && wanted instanceof JsonNumber) {
            double size = Math.max(1, Math.abs(((Number) wanted).doubleValue()));
            boolean whole = !found.toString().contains(".") && !wanted.toString().contains(".");
            double off = Math.abs(((Number) found).doubleValue() - ((Number) wanted).doubleValue());
            return whole ? found.toString().equals(wanted.toString()) : off <= TOLERANCE * size;
        }
        return found == null ? wanted == null : found.equals(wanted);
    }
}

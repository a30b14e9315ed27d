package bertkit.files;

import java.util.Map;
import java.util.TreeMap;

/** JSON: read into Map, List, String, Number, Boolean and null, and written from them. */
public final class Json {
    private Json() {
    }

    /**
     * Reads a JSON text.
     *
     * @param text the text
     * @param source the file, as messages name it
     * @return the value
     * @throws bertkit.BertkitException when it is not JSON, with line and column
     */
    public static Object parse(String text, String source) {
        return new JsonParser(text, source).parse();
    }

    /**
     * Writes a value in one line.
     *
     * @param value a Map, Iterable, String, Number, Boolean, array of float or int, or null
     * @return the JSON text
     */
    public static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out, false);
        return out.toString();
    }

    /** Writes a value as checksums take it: names in order, ASCII alone, no blanks. */
    static String canonical(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out, true);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out, boolean canonical) {
        if (value instanceof String) {
            quote((String) value, out, canonical);
        } else if (value instanceof Map) {
            writeMap((Map<?, ?>) value, out, canonical);
        } else if (value instanceof Iterable) {
            String comma = "[";
            for (Object part : (Iterable<?>) value) {
                out.append(comma);
                write(part, out, canonical);
                comma = canonical ? "," : ", ";
            }
            out.append("[".equals(comma) ? "[]" : "]");
        } else if (value instanceof float[]) {
            writeFloats((float[]) value, out);
        } else if (value instanceof int[]) {
            out.append(java.util.Arrays.toString((int[]) value));
        } else if (value instanceof Float) {
            out.append(number(((Float) value).doubleValue()));
        } else if (value instanceof Double) {
            out.append(number((Double) value));
        } else {
            out.append(value);
        }
    }

    private static void writeMap(Map<?, ?> map, StringBuilder out, boolean canonical) {
        String comma = "{";
        for (Map.Entry<?, ?> entry : (canonical ? new TreeMap<>(map) : map).entrySet()) {
            out.append(comma);
            quote((String) entry.getKey(), out, canonical);
            out.append(canonical ? ":" : ": ");
            write(entry.getValue(), out, canonical);
            comma = canonical ? "," : ", ";
        }
        out.append("{".equals(comma) ? "{}" : "}");
    }

    private static void writeFloats(float[] numbers, StringBuilder out) {
        out.append('[');
        for (int i = 0; i < numbers.length; i++) {
            out.append(i == 0 ? "" : ", ").append(number(numbers[i]));
        }
        out.append(']');
    }

    /** JSON has no NaN and no infinity. */
    private static String number(double value) {
        return Double.isNaN(value) || Double.isInfinite(value) ? "null" : Double.toString(value);
    }

    private static void quote(String text, StringBuilder out, boolean ascii) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int place = "\"\\\b\f\n\r\t".indexOf(c);
            if (place >= 0) {
                out.append('\\').append("\"\\bfnrt".charAt(place));
            } else if (c < ' ' || c > '~' && ascii || isAlone(text, i)) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    /** Whether a char is half of a pair whose other half is not beside it: UTF-8 cannot hold it. */
    private static boolean isAlone(String text, int i) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }
}

package bertkit.files;

import bertkit.BertkitException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads JSON strictly: RFC 8259, nested at most 100 deep, numbers finite and of at most 300 digits. */
final class JsonParser {
    private static final int DEEPEST = 100;
    private static final int LONGEST_NUMBER = 300;
    private final String text;
    private final String source;
    private int at;

    JsonParser(String text, String source) {
        this.text = text;
        this.source = source;
    }

    Object parse() {
        Object value = value(0);
        blanks();
        if (at < text.length()) {
            throw wrong("something follows its end");
        }
        return value;
    }

    private Object value(int depth) {
        blanks();
        if (depth > DEEPEST) {
            throw wrong("it is nested too deep");
        }
        switch (peek()) {
            case '{': return object(depth);
            case '[': return list(depth);
            case '"': return string();
            case 't': return word("true", Boolean.TRUE);
            case 'f': return word("false", Boolean.FALSE);
            case 'n': return word("null", null);
            default: return number();
        }
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> found = new LinkedHashMap<>();
        at++;
        blanks();
        if (peek() == '}') {
            at++;
            return found;
        }
        do {
            blanks();
            if (peek() != '"') {
                throw wrong("a name in quotes was wanted");
            }
            String name = string();
            blanks();
            expect(':');
            found.put(name, value(depth + 1));
        } while (more('}'));
        return found;
    }

    private List<Object> list(int depth) {
        List<Object> found = new ArrayList<>();
        at++;
        blanks();
        if (peek() == ']') {
            at++;
            return found;
        }
        do {
            found.add(value(depth + 1));
        } while (more(']'));
        return found;
    }

    /** Reads a comma, and returns true, or the end of a list or an object, and returns false. */
    private boolean more(char end) {
        blanks();
        if (peek() == end) {
            at++;
            return false;
        }
        expect(',');
        return true;
    }

    private String string() {
        StringBuilder found = new StringBuilder();
        at++;
        while (true) {
            char c = peek();
            at++;
            if (c == '"') {
                return found.toString();
            }
            if (c < ' ') {
                throw wrong("a string holds a control character");
            }
            found.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() {
        char c = peek();
        at++;
        int place = "\"\\/bfnrt".indexOf(c);
        if (place >= 0) {
            return "\"\\/\b\f\n\r\t".charAt(place);
        }
        if (c != 'u' || at + 4 > text.length()) {
            throw wrong("a \\ is followed by nothing that it escapes");
        }
        int code = 0;
        for (int end = at + 4; at < end; at++) {
            int digit = text.charAt(at) < 128 ? Character.digit(text.charAt(at), 16) : -1;
            if (digit < 0) {
                throw wrong("\\u wants four hexadecimal digits");
            }
            code = 16 * code + digit;
        }
        return (char) code;
    }

    private JsonNumber number() {
        int start = at;
        if (peek() == '-') {
            at++;
        }
        int first = at;
        if (digits() == 0 || text.charAt(first) == '0' && at > first + 1) {
            throw wrong("a value was wanted");
        }
        if (at < text.length() && text.charAt(at) == '.') {
            at++;
            atLeastOneDigit();
        }
        if (at < text.length() && (text.charAt(at) | 32) == 'e') {
            at++;
            if (at < text.length() && (text.charAt(at) == '+' || text.charAt(at) == '-')) {
                at++;
            }
            atLeastOneDigit();
        }
        JsonNumber found = at - start > LONGEST_NUMBER ? null : new JsonNumber(text.substring(start, at));
        if (found == null || Double.isInfinite(found.doubleValue())) {
            throw wrong("a number is too large");
        }
        return found;
    }

    private void atLeastOneDigit() {
        if (digits() == 0) {
            throw wrong("a number has no digit where one was wanted");
        }
    }

    private int digits() {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at - start;
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong("a value was wanted");
        }
        at += word.length();
        return value;
    }

    private void blanks() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong("it ends too early");
        }
        return text.charAt(at);
    }

    private void expect(char wanted) {
        if (peek() != wanted) {
            throw wrong("a " + wanted + " was wanted");
        }
        at++;
    }

    private BertkitException wrong(String what) {
        String before = text.substring(0, Math.min(at, text.length()));
        int line = (int) before.chars().filter(c -> c == '\n').count() + 1;
        int column = before.length() - before.lastIndexOf('\n');
        return new BertkitException(source + " is not JSON (" + what + ", line " + line + ", column " + column
                + "); copy the file again.");
    }
}

package bertkit.text;

import java.util.Arrays;

/** Texts as code points, which is how bertkit counts characters, and the classes of characters that Python knows. */
public final class Codes {
    /** How many code points there are. */
    public static final int SIZE = 0x110000;
    private static final String BLANKS = "\t\n\u000b\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
            + "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

    private Codes() {
    }

    /** Returns the code points of a text. */
    public static int[] of(String text) {
        return text.codePoints().toArray();
    }

    /** Returns code points from `start` to `end` as a text. */
    public static String text(int[] codes, int start, int end) {
        return new String(codes, start, end - start);
    }

    /** Returns code points as a text. */
    public static String text(int[] codes) {
        return new String(codes, 0, codes.length);
    }

    /** Returns code points from `start` to `end`. */
    public static int[] part(int[] codes, int start, int end) {
        return Arrays.copyOfRange(codes, start, end);
    }

    /** Returns whether these code points stand at a place of a text, before `end`. */
    static boolean stands(int[] wanted, int[] codes, int at, int end) {
        if (at + wanted.length > end) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (codes[at + i] != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    /** Whether Unicode's White_Space holds a code point. */
    static boolean isBlank(int c) {
        return c <= 0x3000 && BLANKS.indexOf(c) >= 0;
    }

    /** Whether a code point is white space in Python, which adds four separators to Unicode's. */
    public static boolean isSpace(int c) {
        return isBlank(c) || c >= 0x1c && c <= 0x1f;
    }

    /** Whether a code point is a letter or a number. */
    public static boolean isAlphanumeric(int c) {
        int type = Character.getType(c);
        return Character.isLetter(c) || type == Character.DECIMAL_DIGIT_NUMBER || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
    }

    /** Whether a code point belongs to a word in regular expressions. */
    public static boolean isInWord(int c) {
        return c == '_' || isAlphanumeric(c);
    }

    /** Whether a code point is a mark that combines with the one before it. */
    public static boolean isCombining(int c) {
        int type = Character.getType(c);
        return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK
                || type == Character.ENCLOSING_MARK;
    }

    /** Returns how many bytes a code point has in UTF-8. */
    static int utf8Length(int c) {
        return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }

    /** Writes a code point in UTF-8, and returns the place behind it. */
    static int toUtf8(int c, byte[] out, int at) {
        int count = utf8Length(c);
        if (count == 1) {
            out[at] = (byte) c;
            return at + 1;
        }
        for (int i = count - 1; i > 0; i--) {
            out[at + i] = (byte) (0x80 | c & 0x3f);
            c >>= 6;
        }
        out[at] = (byte) (0xf00 >> count & 0xff | c);
        return at + count;
    }

    /** Returns whether a code point is half of a surrogate pair, which UTF-8 does not have. */
    static boolean isSurrogate(int c) {
        return c >= 0xd800 && c < 0xe000;
    }

    /**
     * Reads UTF-8; each part that is not valid becomes U+FFFD, as Unicode recommends and Python does.
     *
     * @param bytes the bytes
     * @param start the first of them
     * @param end the place behind the last
     * @return the text
     */
    public static String decode(byte[] bytes, int start, int end) {
        StringBuilder out = new StringBuilder(end - start);
        int at = start;
        while (at < end) {
            int lead = bytes[at++] & 0xff;
            int more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
            int code = more < 1 ? lead : lead & 0x3f >> more;
            int left = more;
            while (left > 0 && at < end && follows(lead, bytes[at] & 0xff, left == more)) {
                code = code << 6 | bytes[at++] & 0x3f;
                left--;
            }
            out.appendCodePoint(left == 0 ? code : 0xfffd);
        }
        return out.toString();
    }

    /** Whether a byte may follow a leading byte; its first follower is bounded where the code would be too small. */
    private static boolean follows(int lead, int next, boolean first) {
        int least = first && lead == 0xe0 ? 0xa0 : first && lead == 0xf0 ? 0x90 : 0x80;
        int most = first && lead == 0xed ? 0x9f : first && lead == 0xf4 ? 0x8f : 0xbf;
        return next >= least && next <= most;
    }
}

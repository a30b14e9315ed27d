package bertkit.text;

import bertkit.BertkitException;
import bertkit.files.Fields;
import bertkit.files.JsonNumber;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** Where special tokens and segments go in a row, and what is cut when texts are long. */
public final class Template {
    static final String FIRST = "$first";
    static final String SECOND = "$second";
    final List<Part> single;
    final List<Part> pair;
    final boolean padsRight;
    final int paddingSegment;

    /** A place of a row: a special token's id, or -1 and -2 for the first and the second text. */
    static final class Part {
        static final int FIRST_TEXT = -1;
        static final int SECOND_TEXT = -2;
        final int id;
        final int segment;

        Part(int id, int segment) {
            this.id = id;
            this.segment = segment;
        }
    }

    /**
     * Reads a template.
     *
     * @param fields its fields
     * @param idOf the id of a special token
     */
    Template(Fields fields, ToIntFunction<String> idOf) {
        single = parts(fields, "single", idOf, 1);
        pair = parts(fields, "pair", idOf, 2);
        String side = fields.string("padding_side", "right");
        if (!"right".equals(side) && !"left".equals(side)) {
            throw fields.wrong("padding_side is", side, "\"right\" or \"left\"");
        }
        padsRight = "right".equals(side);
        paddingSegment = fields.whole("padding_segment", 0, 0);
        fields.end();
    }

    /** Makes BERT's template: cls first sep second sep; the texts alone where there is no such token. */
    Template(Map<String, Integer> special) {
        boolean bare = !special.containsKey("cls") || !special.containsKey("sep");
        int cls = special.getOrDefault("cls", 0);
        int sep = special.getOrDefault("sep", 0);
        Part first = new Part(Part.FIRST_TEXT, 0);
        Part second = new Part(Part.SECOND_TEXT, 1);
        single = bare ? Arrays.asList(first) : Arrays.asList(new Part(cls, 0), first, new Part(sep, 0));
        pair = bare ? Arrays.asList(first, second)
                : Arrays.asList(new Part(cls, 0), first, new Part(sep, 0), second, new Part(sep, 1));
        padsRight = true;
        paddingSegment = 0;
    }

    private static List<Part> parts(Fields fields, String name, ToIntFunction<String> idOf, int texts) {
        List<Part> found = new ArrayList<>();
        int first = 0;
        int second = 0;
        for (Object value : fields.list(name)) {
            List<?> part = value instanceof List ? (List<?>) value : new ArrayList<>();
            boolean right = part.size() == 2 && part.get(0) instanceof String && part.get(1) instanceof JsonNumber;
            if (!right) {
                throw fields.wrong(name + " holds", value, "a token and a segment number");
            }
            String token = (String) part.get(0);
            first += FIRST.equals(token) ? 1 : 0;
            second += SECOND.equals(token) ? 1 : 0;
            int id = FIRST.equals(token) ? Part.FIRST_TEXT : SECOND.equals(token) ? Part.SECOND_TEXT
                    : idOf.applyAsInt(token);
            found.add(new Part(id, ((Number) part.get(1)).intValue()));
        }
        if (first != 1 || second != texts - 1) {
            throw fields.wrong(name + " is", fields.list(name), "each text once");
        }
        return found;
    }

    List<Part> parts(boolean paired) {
        return paired ? pair : single;
    }

    /** Returns how many tokens of text fit beside the special tokens, of both texts together for a pair. */
    int room(int length, boolean paired) {
        int special = parts(paired).size() - (paired ? 2 : 1);
        if (length < special) {
            throw new BertkitException("length=" + length + " is too small for the " + special + " special tokens of "
                    + (paired ? "a pair" : "a text") + "; export the model with " + (special + 1) + " or more.");
        }
        return length - special;
    }

    /**
     * Returns how many tokens of each text of a pair stay: the longer text is cut first, at its end.
     *
     * @param first the number of tokens of the first text
     * @param second that of the second text, which counts as the longer one where they are equal
     * @param room the number of tokens that both may have together
     * @return the two numbers
     */
    static int[] truncated(int first, int second, int room) {
        if (first > second) {
            int[] turned = truncated(second, first, room);
            return new int[] {turned[1], turned[0]};
        }
        int kept = Math.min(first, room / 2);
        return new int[] {kept, Math.min(second, room - kept)};
    }

    /** Makes a row of a text, or of a pair of texts, cut to a length; `second` is null for a single text. */
    Row row(int[] first, int[] second, int length) {
        int room = room(length, second != null);
        int[] sizes = second == null ? new int[] {Math.min(first.length, room), 0}
                : truncated(first.length, second.length, room);
        List<Part> parts = parts(second != null);
        int[] ids = new int[sizes[0] + sizes[1] + parts.size() - (second == null ? 1 : 2)];
        int[] segments = new int[ids.length];
        int at = 0;
        for (Part part : parts) {
            int[] text = part.id == Part.FIRST_TEXT ? first
                    : part.id == Part.SECOND_TEXT ? second : new int[] {part.id};
            int count = part.id >= 0 ? 1 : sizes[-1 - part.id];
            System.arraycopy(text, 0, ids, at, count);
            Arrays.fill(segments, at, at + count, part.segment);
            at += count;
        }
        return new Row(ids, segments);
    }
}

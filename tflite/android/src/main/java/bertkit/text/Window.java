package bertkit.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One window of a long text (Devlin et al. 2018, run_squad.py). */
public final class Window {
    /** Tokens from the start of a window to that of the next, where nothing else is said. */
    public static final int STRIDE = 128;
    /** The row of the window. */
    public final Row row;
    /** The number of the first token of the text in the window. */
    public final int start;
    /** The number of the token of the text behind the last one in the window. */
    public final int end;
    /** The place in the row of the classification token, 0 in a template without one. */
    public final int cls;
    private final int place;

    private Window(Row row, int start, int end, int place, int cls) {
        this.row = row;
        this.start = start;
        this.end = end;
        this.place = place;
        this.cls = cls;
    }

    /** Returns the place in the row of a token of the text. */
    public int rowPlace(int token) {
        return place + token - start;
    }

    /** Returns the token of the text at a place of the row. */
    public int token(int rowPlace) {
        return rowPlace - place + start;
    }

    /**
     * Splits the tokens of a text into overlapping windows.
     *
     * @param tokenizer the tokenizer
     * @param text the ids of the text
     * @param length the most tokens of a row
     * @param query the ids of a query that stands before each window, or null
     * @param stride tokens from the start of a window to that of the next; half a window where that is less
     * @return the windows; an empty text has one
     */
    public static List<Window> all(Tokenizer tokenizer, int[] text, int length, int[] query, int stride) {
        Template template = tokenizer.template();
        int room = template.room(length, query != null);
        int[] kept = query;
        if (query != null) {
            kept = Arrays.copyOf(query, Template.truncated(query.length, text.length, room)[0]);
            room -= kept.length;
        }
        if (text.length > 0 && room < 1) {
            throw new bertkit.BertkitException("length=" + length + " has no room for a text beside the special "
                    + "tokens; export the model with more.");
        }
        int step = Math.max(1, Math.min(stride, room / 2));
        List<Window> found = new ArrayList<>();
        for (int start = 0; start < Math.max(1, text.length - room + step); start += step) {
            int end = Math.min(start + room, text.length);
            found.add(one(tokenizer, Codes.part(text, start, end), kept, length, start));
        }
        return found;
    }

    private static Window one(Tokenizer tokenizer, int[] part, int[] query, int length, int start) {
        Template template = tokenizer.template();
        Row row = query == null ? template.row(part, null, length) : template.row(query, part, length);
        int wanted = query == null ? Template.Part.FIRST_TEXT : Template.Part.SECOND_TEXT;
        int place = 0;
        int cls = -1;
        int at = 0;
        for (Template.Part own : template.parts(query != null)) {
            place = own.id == wanted ? at : place;
            cls = cls < 0 && own.id == tokenizer.clsId() ? at : cls;
            boolean isPart = own.id == wanted;
            at += own.id >= 0 ? 1 : isPart ? part.length : query.length;
        }
        return new Window(row, start, start + part.length, place, Math.max(cls, 0));
    }

    /**
     * Returns which window counts for each token of a text: where min(tokens to the left, tokens to the right) + 0.01 *
     * (tokens of the window) is largest, the first one on ties.
     *
     * @param windows the windows of the text
     * @param tokens the number of tokens of the text
     * @return the number of the window of each token
     */
    public static int[] mostContext(List<Window> windows, int tokens) {
        int[] best = new int[tokens];
        int[] chosen = new int[tokens];
        Arrays.fill(best, -1);
        for (int number = 0; number < windows.size(); number++) {
            Window window = windows.get(number);
            int size = window.end - window.start;
            for (int i = 0; i < size; i++) {
                int context = 100 * Math.min(i, size - 1 - i) + size;
                if (context > best[window.start + i]) {
                    best[window.start + i] = context;
                    chosen[window.start + i] = number;
                }
            }
        }
        return chosen;
    }
}

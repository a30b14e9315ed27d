package bertkit.tasks;

import bertkit.Answer;
import bertkit.Encoding;
import bertkit.files.Fields;
import bertkit.text.Codes;
import bertkit.text.Convention;
import bertkit.text.PieceFinder;
import bertkit.text.Span;
import bertkit.text.Window;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A tag for each word of a text, read at the word's first piece, and the entities that the tags mark. */
final class Tagging extends Task {
    private final List<String> labels;
    private final int stride;
    private final Convention convention;

    /** Tags with the place of each in the text. */
    private static final class Placed {
        final List<String> tags = new ArrayList<>();
        final List<Span> spans = new ArrayList<>();

        void add(String tag, int start, int end) {
            tags.add(tag);
            spans.add(new Span(start, end));
        }
    }

    Tagging(String name, Fields fields) {
        super(name, "logits", fields.strings("labels").size(), true, "text");
        labels = Tags.spelt(Classification.labels(fields));
        stride = fields.whole("stride", 0, Window.STRIDE);
        convention = fields.has("convention") ? new Convention(fields.fields("convention")) : null;
    }

    @Override
    public Answer answer(String[] texts, Engine engine) {
        int[] given = Codes.of(texts[0]);
        ReadWords read = ReadWords.of(given, convention);
        Encoding encoding = engine.tokenizer().encode(read.encoded);
        read = read.inPieces(encoding);
        List<String> tags = tags(read, encoding, engine);
        Placed placed = new Placed();
        if (read.words == null) {
            placed.tags.addAll(tags);
            placed.spans.addAll(read.own);
        } else {
            settle(read, tags, placed);
        }
        List<Object> entities = new ArrayList<>();
        for (Tags.Entity entity : Tags.entities(placed.tags)) {
            entities.add(shown(given, entity.type, placed.spans.get(entity.first).start,
                    placed.spans.get(entity.end - 1).end));
        }
        return new Answer().put("entities", entities);
    }

    private static Map<String, Object> shown(int[] text, String type, int start, int end) {
        Map<String, Object> entity = new LinkedHashMap<>();
        entity.put("text", Codes.text(text, start, Math.max(start, end)));
        entity.put("type", type);
        entity.put("start", start);
        entity.put("end", end);
        return entity;
    }

    /** Returns the tag of each unit, from the window where it has most context; O for one without a piece. */
    private List<String> tags(ReadWords read, Encoding encoding, Engine engine) {
        List<Window> windows = Window.all(engine.tokenizer(), encoding.ids, engine.length(), null, stride);
        int[] chosen = Window.mostContext(windows, encoding.ids.length);
        List<float[][]> outputs = new ArrayList<>();
        for (Window window : windows) {
            outputs.add(engine.output(window.row));
        }
        PieceFinder finder = new PieceFinder(encoding);
        List<String> found = new ArrayList<>();
        for (Span unit : read.spans) {
            int piece = finder.covering(unit)[0];
            if (piece < 0) {
                found.add(Tags.OUTSIDE);
                continue;
            }
            int number = chosen[piece];
            float[] logits = outputs.get(number)[windows.get(number).rowPlace(piece)];
            found.add(labels.get(Numbers.largest(logits)));
        }
        return found;
    }

    /**
     * Settles the tags of words that were found without a convention. A word whose first part has a tag is whole; where
     * it has none, an entity begins at the part that has one. Parts of a script without blanks are words of their own.
     */
    private static void settle(ReadWords read, List<String> tags, Placed placed) {
        int first = 0;
        while (first < tags.size()) {
            int end = first + 1;
            while (end < tags.size() && read.words.get(end).equals(read.words.get(first))) {
                end++;
            }
            if (Convention.isUnbroken(read.encoded, read.own.get(first).start, read.own.get(end - 1).end)) {
                settleParts(read, tags, first, end, placed);
            } else {
                settleWord(read, tags, first, end, placed);
            }
            first = end;
        }
    }

    /** Adds parts that are words; those of one type that follow each other are one entity. */
    private static void settleParts(ReadWords read, List<String> tags, int first, int end, Placed placed) {
        for (int unit = first; unit < end; unit++) {
            String before = unit > first ? tags.get(unit - 1) : Tags.OUTSIDE;
            String tag = tags.get(unit);
            boolean goesOn = !Tags.OUTSIDE.equals(tag) && Tags.type(before).equals(Tags.type(tag));
            Span span = read.own.get(unit);
            placed.add(goesOn ? "I-" + Tags.type(tag) : tag, span.start, span.end);
        }
    }

    private static void settleWord(ReadWords read, List<String> tags, int first, int end, Placed placed) {
        int tagged = first;
        while (tagged < end && Tags.OUTSIDE.equals(tags.get(tagged))) {
            tagged++;
        }
        tagged = tagged == end ? first : tagged;
        if (tagged > first) {
            placed.add(Tags.OUTSIDE, read.own.get(first).start, read.own.get(tagged - 1).end);
        }
        placed.add(tags.get(tagged), read.own.get(tagged).start, read.own.get(end - 1).end);
    }
}

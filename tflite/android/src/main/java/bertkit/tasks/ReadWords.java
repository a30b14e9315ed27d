package bertkit.tasks;

import bertkit.Encoding;
import bertkit.text.Codes;
import bertkit.text.Convention;
import bertkit.text.PieceFinder;
import bertkit.text.Span;
import bertkit.text.Words;
import java.util.ArrayList;
import java.util.List;

/** A text as a tagger reads it, and where the units are that get a tag: words, or parts of words. */
final class ReadWords {
    /** The text that is made into pieces. */
    final int[] encoded;
    /** Where each unit is in it. */
    final List<Span> spans;
    /** Where each unit is in the text that was given. */
    final List<Span> own;
    /** The number of each unit's word; null where each unit is a word of the training data. */
    final List<Integer> words;

    private ReadWords(int[] encoded, List<Span> spans, List<Span> own, List<Integer> words) {
        this.encoded = encoded;
        this.spans = spans;
        this.own = own;
        this.words = words;
    }

    /** Reads a text as the training data part words; without a convention words are parted at apostrophes too. */
    static ReadWords of(int[] given, Convention convention) {
        if (convention != null) {
            return joined(given, convention.words(given));
        }
        List<Span> units = new ArrayList<>();
        List<Integer> numbers = new ArrayList<>();
        int number = 0;
        for (Span word : Words.of(given, 0, given.length, null)) {
            for (Span part : Convention.atApostrophes(given, word)) {
                units.add(part);
                numbers.add(number);
            }
            number++;
        }
        return new ReadWords(given, units, units, numbers);
    }

    /** Joins words by single blanks, as those of the training data were. */
    private static ReadWords joined(int[] given, List<Span> own) {
        int length = own.stream().mapToInt(word -> word.end - word.start + 1).sum();
        int[] text = new int[Math.max(0, length - 1)];
        List<Span> spans = new ArrayList<>();
        int at = 0;
        for (Span word : own) {
            if (at > 0) {
                text[at++] = ' ';
            }
            int size = word.end - word.start;
            System.arraycopy(given, word.start, text, at, size);
            spans.add(new Span(at, at + size));
            at += size;
        }
        return new ReadWords(text, spans, own, null);
    }

    /** Gives a unit to each piece of Thai, Khmer and the like, where a run may be several words. */
    ReadWords inPieces(Encoding encoding) {
        if (words == null) {
            return this;
        }
        PieceFinder finder = new PieceFinder(encoding);
        List<Span> units = new ArrayList<>();
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < spans.size(); i++) {
            int before = units.size();
            if (Convention.isUnbroken(encoded, spans.get(i).start, spans.get(i).end)) {
                addPieces(spans.get(i), finder.covering(spans.get(i)), encoding, units);
            }
            if (units.size() == before) {
                units.add(spans.get(i));
            }
            while (numbers.size() < units.size()) {
                numbers.add(words.get(i));
            }
        }
        return new ReadWords(encoded, units, units, numbers);
    }

    private static void addPieces(Span span, int[] covering, Encoding encoding, List<Span> units) {
        for (int piece = covering[0]; piece >= 0 && piece <= covering[1]; piece++) {
            if (encoding.starts[piece] < encoding.ends[piece]) {
                units.add(new Span(Math.max(encoding.starts[piece], span.start),
                        Math.min(encoding.ends[piece], span.end)));
            }
        }
    }
}

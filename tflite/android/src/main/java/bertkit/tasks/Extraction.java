package bertkit.tasks;

import bertkit.Answer;
import bertkit.files.Fields;
import bertkit.text.Codes;
import bertkit.text.Sentences;
import bertkit.text.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What extractive summarisers share: the sentences with the largest scores, in the order of the document. */
abstract class Extraction extends Task {
    private final int count;

    Extraction(String name, String output, int width, boolean eachToken, Fields fields) {
        super(name, output, width, eachToken, "document");
        count = fields.whole("count", 1, 3);
    }

    /** Returns the score of each sentence of a document. */
    abstract double[] scores(int[] document, List<Span> sentences, Engine engine);

    @Override
    public Answer answer(String[] texts, Engine engine) {
        int[] document = Codes.of(texts[0]);
        List<Span> sentences = Sentences.of(document);
        double[] scores = scores(document, sentences, engine);
        List<Integer> chosen = IntStream.range(0, scores.length).boxed()
                .sorted((one, other) -> Double.compare(scores[other], scores[one])).limit(count).sorted()
                .collect(Collectors.toList());
        List<String> parts = new ArrayList<>();
        List<Object> spans = new ArrayList<>();
        for (int number : chosen) {
            Span span = sentences.get(number);
            parts.add(Codes.text(document, span.start, span.end));
            Map<String, Object> place = new LinkedHashMap<>();
            place.put("start", span.start);
            place.put("end", span.end);
            spans.add(place);
        }
        return new Answer().put("summary", String.join(" ", parts)).put("sentences", spans);
    }
}

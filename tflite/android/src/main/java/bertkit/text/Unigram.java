package bertkit.text;

import bertkit.BertkitException;
import bertkit.files.Fields;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The unigram model (Kudo 2018, section 3.2): the pieces with the largest sum of scores, found by Viterbi's search. */
final class Unigram extends SentencePiece {
    private static final double PENALTY = 10;       // an unknown character scores this much below the lowest piece
    private final double[] scores;
    private final double unknownScore;
    private final Map<Long, int[]> lengths = new HashMap<>();     // of the pieces that begin with two code points

    Unigram(List<String> vocabulary, String unknown, Fields settings, Fields tables) {
        super(vocabulary, unknown, settings, tables, cutsAtBlanks(settings), settings.flag("prefix", true));
        scores = tables.numbers("scores");
        if (scores.length != vocabulary.size()) {
            throw new BertkitException(scores.length + " scores came with " + vocabulary.size() + " entries of the "
                    + "vocabulary; give one for each.");
        }
        unknownScore = Arrays.stream(scores).min().orElse(0) - PENALTY;
        Map<Long, TreeSet<Integer>> found = new HashMap<>();
        for (String piece : pieces.keySet()) {
            int count = piece.codePointCount(0, piece.length());
            if (count > 1) {
                int first = piece.codePointAt(0);
                long key = key(first, piece.codePointAt(Character.charCount(first)));
                found.computeIfAbsent(key, any -> new TreeSet<>()).add(count);
            }
        }
        found.forEach((key, sizes) -> lengths.put(key, sizes.stream().mapToInt(Integer::intValue).toArray()));
    }

    private static long key(int first, int second) {
        return (long) first << 32 | second;
    }

    @Override
    protected Pieces match(int[] word) {
        int count = word.length;
        int[] starts = new int[count + 1];
        int[] last = search(word, starts);
        int[] ids = new int[count];
        int[] ends = new int[count];
        int found = 0;
        for (int end = count; end > 0; end = starts[end]) {     // unknown characters in a row are one token
            if (last[end] != unknown || found == 0 || ids[found - 1] != unknown) {
                ids[found] = last[end];
                ends[found++] = end;
            }
        }
        Pieces result = new Pieces();
        for (int i = found - 1, start = 0; i >= 0; start = ends[i--]) {
            result.add(ids[i], start, ends[i]);
        }
        return result;
    }

    /** Returns for each end the id of the last piece on the best way to it, and writes where that piece starts. */
    private int[] search(int[] word, int[] starts) {
        int count = word.length;
        int[] last = new int[count + 1];
        double[] best = new double[count + 1];
        Arrays.fill(best, 1, count + 1, Double.NEGATIVE_INFINITY);
        for (int start = 0; start < count; start++) {
            int one = pieceOf(word[start]);
            step(start, start + 1, one, one == unknown ? unknownScore : scores[one], best, last, starts);
            int[] sizes = start + 1 < count ? lengths.get(key(word[start], word[start + 1])) : null;
            for (int i = 0; sizes != null && i < sizes.length && start + sizes[i] <= count; i++) {
                Integer longer = pieces.get(Codes.text(word, start, start + sizes[i]));
                if (longer != null) {
                    step(start, start + sizes[i], longer, scores[longer], best, last, starts);
                }
            }
        }
        return last;
    }

    private static void step(int start, int end, int piece, double score, double[] best, int[] last, int[] starts) {
        if (best[start] + score > best[end]) {
            best[end] = best[start] + score;
            last[end] = piece;
            starts[end] = start;
        }
    }
}

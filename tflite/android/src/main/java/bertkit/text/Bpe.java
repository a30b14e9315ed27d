package bertkit.text;

import bertkit.files.Fields;
import java.util.List;

/** BPE on the characters of words (Sennrich et al. 2016): unknown characters in a row are one unknown token. */
class Bpe extends SentencePiece {
    protected final Merges merges;

    Bpe(List<String> vocabulary, String unknown, Fields settings, Fields tables) {
        this(vocabulary, unknown, settings, tables, cutsAtBlanks(settings), settings.flag("prefix", true));
    }

    Bpe(List<String> vocabulary, String unknown, Fields settings, Fields tables, boolean atBlanks, boolean prefix) {
        super(vocabulary, unknown, settings, tables, atBlanks, prefix);
        merges = new Merges(ids, tables.strings("merges"));
    }

    @Override
    protected Pieces match(int[] word) {
        int[] symbols = new int[word.length];
        int[] ends = new int[word.length];
        int count = 0;
        for (int i = 0; i < word.length; i++) {
            int symbol = pieceOf(word[i]);
            if (count > 0 && symbol == unknown && symbols[count - 1] == unknown) {
                ends[count - 1] = i + 1;
            } else {
                symbols[count] = symbol;
                ends[count++] = i + 1;
            }
        }
        Merges.Merged merged = merges.apply(Codes.part(symbols, 0, count));
        Pieces found = new Pieces();
        int start = 0;
        for (int i = 0; i < merged.ids.length; i++) {
            found.add(merged.ids[i], start, ends[merged.ends[i] - 1]);
            start = ends[merged.ends[i] - 1];
        }
        return found;
    }
}

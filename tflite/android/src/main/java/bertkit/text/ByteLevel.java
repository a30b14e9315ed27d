package bertkit.text;

import bertkit.BertkitException;
import bertkit.files.Fields;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Byte-level BPE (Radford et al. 2019): a list of pairs merges the bytes of words, the earliest pair first. */
final class ByteLevel extends WordModel {
    private static final int NONE = -1;
    private final Normalizer normalizer;
    private final boolean prefixSpace;
    private final int[] byteIds = new int[256];
    private final Merges merges;
    private final BitSet letter = Tables.codepoints().set("bytelevel.letter");
    private final BitSet number = Tables.codepoints().set("bytelevel.number");
    private final BitSet blank = Tables.codepoints().set("bytelevel.blank");

    ByteLevel(List<String> vocabulary, String unknown, Fields settings, Fields tables) {
        String words = settings.string("words", "gpt2");
        if (settings.flag("whole_words", false) || !words.equals("gpt2")) {
            throw new BertkitException("The tokenizer cuts words by other rules than GPT-2's, such as EuroBERT's, "
                    + "which this client does not know; answer in Python.");
        }
        Map<String, Integer> ids = new HashMap<>();
        for (int i = 0; i < vocabulary.size(); i++) {
            ids.put(vocabulary.get(i), i);
        }
        prefixSpace = settings.flag("prefix_space", false);
        normalizer = new Normalizer(settings.list("normalization"), null);
        int absent = settings.flag("unknown_bytes", false) && unknown != null ? ids.getOrDefault(unknown, NONE) : NONE;
        int other = 0x100;
        boolean any = false;
        for (int b = 0; b < 256; b++) {
            boolean printable = b > 0x20 && b < 0x7f || b > 0xa0 && b < 0x100 && b != 0xad;
            Integer id = ids.get(String.valueOf((char) (printable ? b : other++)));
            any |= id != null;
            byteIds[b] = id == null ? absent : id;
        }
        if (!any) {
            throw new BertkitException("The vocabulary has no entry for any byte; give one of byte-level BPE.");
        }
        merges = new Merges(ids, tables.strings("merges"));
    }

    @Override
    Aligned normalised(int[] text) {
        return normalizer.apply(text);
    }

    @Override
    Pieces encodeNormalised(int[] text) {
        return cut(Aligned.of(text));
    }

    @Override
    protected Aligned prepared(int[] text) {
        return normalizer.apply(text);
    }

    @Override
    protected Pieces cut(Aligned text) {
        int shift = prefixSpace && text.codes.length > 0 && text.codes[0] != ' ' ? 1 : 0;
        int[] codes = new int[text.codes.length + shift];
        System.arraycopy(text.codes, 0, codes, shift, text.codes.length);
        if (shift > 0) {
            codes[0] = ' ';
        }
        Pieces found = new Pieces();
        int at = 0;
        while (at < codes.length) {
            int end = wordEnd(codes, at);
            Pieces pieces = pieces(codes, at, end);
            int begin = at - shift;
            for (int i = 0; i < pieces.size(); i++) {
                found.add(pieces.id(i), text.start(begin + pieces.start(i), begin + pieces.end(i)),
                        text.end(begin + pieces.end(i)));
            }
            at = end;
        }
        return found;
    }

    /** Returns the end of the word that GPT-2's pattern finds at a place. */
    private int wordEnd(int[] codes, int at) {
        int ending = codes[at] == '\'' ? endingEnd(codes, at) : at;
        if (ending > at) {
            return ending;
        }
        int start = codes[at] == ' ' && at + 1 < codes.length ? at + 1 : at;
        int kind = kind(codes[start]);
        if (kind != 0) {
            return Replacements.run(codes, start, c -> kind(c) == kind);
        }
        int end = Replacements.run(codes, at, blank::get);
        return end < codes.length && end > at + 1 ? end - 1 : end;
    }

    /** Returns the end of 's, 't, 'm, 'd, 're, 've or 'll; the place itself where none stands. */
    private static int endingEnd(int[] codes, int at) {
        int one = at + 1 < codes.length ? codes[at + 1] : 0;
        int two = at + 2 < codes.length ? codes[at + 2] : 0;
        if (one == 's' || one == 't' || one == 'm' || one == 'd') {
            return at + 2;
        }
        return two == 'e' && (one == 'r' || one == 'v') || one == 'l' && two == 'l' ? at + 3 : at;
    }

    /** Returns 1 for a letter, 2 for a number, 0 for a blank and 3 for all else. */
    private int kind(int code) {
        return letter.get(code) ? 1 : number.get(code) ? 2 : blank.get(code) ? 0 : 3;
    }

    @Override
    protected Pieces split(int[] word) {
        byte[] data = new byte[4 * word.length];
        int[] places = new int[data.length];
        int[] symbols = new int[data.length];
        byte[] room = new byte[4];
        int count = 0;
        for (int i = 0; i < word.length; i++) {
            int bytes = Codes.toUtf8(Codes.isSurrogate(word[i]) ? 0xfffd : word[i], room, 0);
            for (int k = 0; k < bytes; k++) {
                int id = byteIds[room[k] & 0xff];
                if (id != NONE) {
                    data[count] = room[k];
                    places[count] = i;
                    symbols[count++] = id;
                }
            }
        }
        Merges.Merged merged = merges.apply(Codes.part(symbols, 0, count));
        Pieces found = new Pieces();
        int start = 0;
        for (int i = 0; i < merged.ids.length; i++) {
            addTrimmed(found, merged.ids[i], data, places, start, merged.ends[i]);
            start = merged.ends[i];
        }
        return found;
    }

    /** Adds a piece of bytes; its range leaves out the spaces at its ends. */
    private static void addTrimmed(Pieces found, int id, byte[] data, int[] places, int first, int last) {
        int before = 0;
        int behind = 0;
        while (first + before < last && data[first + before] == ' ') {
            before++;
        }
        while (last - behind > first && data[last - behind - 1] == ' ') {
            behind++;
        }
        int end = places[last - 1] + 1;
        int start = Math.min(places[first] + before, end);
        found.add(id, start, Math.max(end - behind, start));
    }
}

package bertkit.text;

import bertkit.BertkitException;
import bertkit.files.Fields;
import java.util.List;

/** BPE that is never at a loss: a character that is no entry becomes the entries <0x00> to <0xFF> of its bytes. */
final class ByteFallback extends Bpe {
    private final int[] byteIds = new int[256];
    private final boolean cutsAtSpaces;

    ByteFallback(List<String> vocabulary, String unknown, Fields settings, Fields tables) {
        super(vocabulary, unknown, settings, tables, false, false);
        for (int b = 0; b < 256; b++) {
            String name = String.format("<0x%02X>", b);
            if (!ids.containsKey(name) || merges.joins(ids.get(name))) {
                throw new BertkitException("The vocabulary has no " + name + " that stays apart, and characters that "
                        + "are no entry are written in bytes; give the vocabulary of the checkpoint.");
            }
            byteIds[b] = ids.get(name);
        }
        cutsAtSpaces = tables.strings("merges").stream().noneMatch(ByteFallback::joinsSpace);
    }

    /** Whether a merge joins another character with a ▁ behind it. */
    private static boolean joinsSpace(String merge) {
        int[] codes = Codes.of(merge.replaceFirst(" ", ""));
        for (int i = 1; i < codes.length; i++) {
            if (codes[i] == SPACE && codes[i - 1] != SPACE) {
                return true;
            }
        }
        return false;
    }

    @Override
    protected int wordEnd(int[] codes, int at) {
        if (!cutsAtSpaces) {
            return codes.length;
        }
        int spaces = Replacements.run(codes, at, c -> c == SPACE);
        return Replacements.run(codes, spaces, c -> c != SPACE);
    }

    @Override
    protected Pieces split(int[] raw) {
        int[] symbols = new int[4 * raw.length];
        int[] places = new int[symbols.length];
        byte[] room = new byte[4];
        int count = 0;
        for (int i = 0; i < raw.length; i++) {
            int whole = pieceOf(raw[i]);
            int bytes = whole != unknown ? 1 : Codes.toUtf8(Codes.isSurrogate(raw[i]) ? 0xfffd : raw[i], room, 0);
            for (int k = 0; k < bytes; k++) {
                symbols[count] = whole != unknown ? whole : byteIds[room[k] & 0xff];
                places[count++] = i;
            }
        }
        Merges.Merged merged = merges.apply(Codes.part(symbols, 0, count));
        Pieces found = new Pieces();
        int start = 0;
        for (int i = 0; i < merged.ids.length; i++) {
            found.add(merged.ids[i], places[start], places[merged.ends[i] - 1] + 1);
            start = merged.ends[i];
        }
        return found;
    }
}

package bertkit.text;

import bertkit.BertkitException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * The precompiled character map of a SentencePiece model (Kudo and Richardson 2018, section 3.2), applied to a whole
 * grapheme cluster where it has fewer than 6 bytes and begins with an entry, else to each of its code points.
 */
final class CharacterMap implements Normalizer.Step {
    private static final int CLUSTER = 6;
    private static final int MOST = 1 << 20;            // entries
    private final Map<String, int[]> entries = new HashMap<>();
    private final BitSet keys = new BitSet(Codes.SIZE);
    private final BitSet extend = Tables.normalization().set("extend");
    private final BitSet prepend = Tables.normalization().set("prepend");
    private final BitSet control = Tables.normalization().set("control");

    /**
     * Reads a map.
     *
     * @param encoded the map in base64
     * @throws BertkitException when it is damaged
     */
    CharacterMap(String encoded) {
        try {
            read(Base64.getDecoder().decode(encoded));
        } catch (IllegalArgumentException | IndexOutOfBoundsException | CharacterCodingException error) {
            throw new BertkitException("The precompiled character map is damaged; copy the tokenizer's files again.");
        }
    }

    /** Reads the bytes: a length, a double-array trie of that many bytes, and texts that end with a 0 each. */
    private void read(byte[] content) throws CharacterCodingException {
        ByteBuffer buffer = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        int size = content.length < 4 ? -1 : buffer.getInt();
        if (size <= 0 || size % 4 != 0 || size + 4L > content.length) {
            throw new IndexOutOfBoundsException();
        }
        int[] units = new int[size / 4];
        buffer.asIntBuffer().get(units);
        byte[] texts = Arrays.copyOfRange(content, 4 + size, content.length);
        walk(units, texts, follow(0, units), new byte[CLUSTER - 1], 0);
    }

    /** Reads the entries below a node; those of 6 bytes and more never match a text. */
    private void walk(int[] units, byte[] texts, int node, byte[] key, int length) throws CharacterCodingException {
        for (int label = 1; label < 256 && length < key.length; label++) {
            int place = node ^ label;
            if (place < 0 || place >= units.length || (units[place] & 0x800000ff) != label) {
                continue;
            }
            key[length] = (byte) label;
            int next = follow(place, units);
            if ((units[place] >>> 8 & 1) == 1) {
                enter(Arrays.copyOf(key, length + 1), texts, units[next] & 0x7fffffff);
            }
            walk(units, texts, next, key, length + 1);
        }
    }

    private static int follow(int place, int[] units) {
        int unit = units[place];
        int next = place ^ (unit >>> 10 << ((unit & 1 << 9) >>> 6));
        if (next < 0 || next >= units.length) {
            throw new IndexOutOfBoundsException();
        }
        return next;
    }

    private void enter(byte[] key, byte[] texts, int begin) throws CharacterCodingException {
        int end = begin;
        while (texts[end] != 0) {
            end++;
        }
        String from = strict(key, 0, key.length);
        entries.put(from, Codes.of(strict(texts, begin, end)));
        if (from.codePointCount(0, from.length()) == 1) {
            keys.set(from.codePointAt(0));
        }
        if (entries.size() > MOST) {
            throw new IndexOutOfBoundsException();
        }
    }

    private static String strict(byte[] bytes, int start, int end) throws CharacterCodingException {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, start, end - start)).toString();
    }

    @Override
    public Aligned apply(Aligned text) {
        AlignedBuilder out = new AlignedBuilder(text);
        int[] codes = text.codes;
        int done = 0;
        for (int at = 0; at < codes.length; at++) {
            if (at < done || !isTrigger(codes[at])) {
                continue;
            }
            int start = at > done && clusterEnd(codes, at - 1) >= 0 ? at - 1 : at;
            int end = clusterEnd(codes, start);
            if (end >= 0) {
                out.keepTo(start);
                change(codes, start, end, out);
                out.skipTo(end);
                done = end;
            }
        }
        return out.end();
    }

    private boolean isTrigger(int code) {
        return code > 0xffff || extend.get(code) || prepend.get(code) || keys.get(code);
    }

    /** Returns the end of the grapheme cluster that begins at a place and may change, -1 for none. */
    private int clusterEnd(int[] codes, int at) {
        if (codes[at] == '\r' && at + 1 < codes.length && codes[at + 1] == '\n') {
            return at + 2;
        }
        if (keys.get(codes[at]) && control.get(codes[at])) {
            return at + 1;
        }
        int end = Replacements.run(codes, at, prepend::get);
        boolean prepended = end > at;
        boolean based = end < codes.length && isBase(codes[end]);
        boolean isKey = based && keys.get(codes[end]);
        end += based ? 1 : 0;
        int after = Replacements.run(codes, end, extend::get);
        return prepended || isKey || after > end ? after : -1;
    }

    private boolean isBase(int code) {
        return !extend.get(code) && !prepend.get(code) && !control.get(code);
    }

    private void change(int[] codes, int start, int end, AlignedBuilder out) {
        int bytes = 0;
        for (int i = start; i < end; i++) {
            bytes += Codes.utf8Length(codes[i]);
        }
        for (int stop = start + 1; bytes < CLUSTER && stop <= end; stop++) {
            int[] made = entries.get(Codes.text(codes, start, stop));
            if (made != null) {
                addMapped(made, start, end, out);
                return;
            }
        }
        for (int i = start; i < end; i++) {
            int[] made = keys.get(codes[i]) ? entries.get(Codes.text(codes, i, i + 1)) : new int[] {codes[i]};
            addMapped(made, i, i + 1, out);
        }
    }

    /** Adds what a cluster or a code point became; of the second loop above all comes from its one code point. */
    private static void addMapped(int[] made, int start, int end, AlignedBuilder out) {
        for (int i = 0; i < made.length; i++) {
            out.add(made[i], Math.min(start + i, end - 1));
        }
    }
}

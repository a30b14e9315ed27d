"""The tokenizer as TensorFlow operations, for strings-in SavedModels; ids equal Tokenizer's.

The same codepoint table serves here as in Python: decode to codepoints, gather what each becomes,
cut into words, and let FastWordpieceTokenizer (Song et al. 2021, arXiv 2012.15524) match pieces.
"""

import numpy as np
import tensorflow as tf
import tensorflow_text

from bertkit.errors import Error
from bertkit.text.codepoints import ISOLATED, JOINED, SIZE, SPACE
from bertkit.text.template import FIRST, SECOND

PAGE = 256                                    # codepoints whose rows are stored together
ABSENT = -SIZE                                # added to a codepoint, it leaves less than nothing
PLAIN, IGNORABLE, CASED = range(3)            # what the rule of the final sigma sees


class GraphTokenizer(tf.Module):
    """Batches of strings to batches of ids, all in the graph.

    `max_length` bounds rows whose length is not given. Raises Error if the tokenizer's model has no
    form in TensorFlow.

    >>> from bertkit.text import Tokenizer
    >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "##s"])
    >>> GraphTokenizer(tokenizer)(tf.constant(["Rivers", ""]))["token_ids"].numpy()
    array([[2, 5, 6, 3],
           [2, 3, 0, 0]], dtype=int32)
    """

    def __init__(self, tokenizer, max_length=512):
        super().__init__(name="tokenizer")
        if tokenizer.model.kind not in MODELS:
            raise Error(f"A {tokenizer.model.kind} tokenizer has no form in TensorFlow; export "
                        "token ids instead.")
        self._model = MODELS[tokenizer.model.kind](tokenizer.model, tokenizer.model_vocabulary)
        self._template, self._max_length = tokenizer.template, max_length
        self._layout = tokenizer.layout
        self._padding = {"token_ids": tokenizer.pad_id, "offsets": 0, "padding_mask": 0,
                         "segment_ids": tokenizer.template.padding_segment}

    def __call__(self, first, second=None, length=None, offsets=False):
        """Return token_ids, segment_ids, padding_mask, int32 [B, T], of texts or pairs, string [B].

        Rows are cut and padded to `length`; without it they are padded to the longest of the batch,
        at most `max_length`. `offsets=True` adds `offsets` int32 [B, T, 2]: start and end of each
        token in characters of the text it is from, (0, 0) for special tokens and padding. Invalid
        UTF-8 reads as U+FFFD.
        """
        paired = second is not None
        places = self._template.places(self._max_length if length is None else length, paired)
        texts = {FIRST: self._model(first)} | ({SECOND: self._model(second)} if paired else {})
        sizes = _kept([ids.row_lengths() for ids, _ in texts.values()], places)
        texts = {name: [_cut(part, size) for part in parts]
                 for (name, parts), size in zip(texts.items(), sizes, strict=True)}
        rows = [_row(part, segment, texts, tf.shape(first)[0])
                for part, segment in self._layout(paired)]
        names = ["token_ids", "segment_ids", "padding_mask", "offsets"][:4 if offsets else 3]
        return {name: self._dense(name, tf.concat(parts, 1), length)
                for name, parts in zip(names, zip(*rows, strict=True), strict=False)}

    def _dense(self, name, rows, length):
        """Pad ragged [B, (T)] or [B, (T), 2] on the side of the template."""
        shape = [None, length, 2][:rows.shape.rank]
        dense = rows.to_tensor(self._padding[name], shape=shape)
        if self._template.padding_side == "right":
            return dense
        width = tf.shape(dense, tf.int64)[1]
        real = rows.row_lengths()[:, None]
        return tf.gather(dense, (tf.range(width)[None] + real) % width, batch_dims=1)


class _WordPiece(tf.Module):
    """string [B] -> ids, ragged int32 [B, (T)], and offsets, ragged int32 [B, (T), 2]."""

    def __init__(self, model, vocabulary):
        super().__init__()
        pages, index = _paged(_rows(model.table))
        self._pages, self._index = tf.constant(pages), tf.constant(index)
        self._sigma_rule = model.table.cased is not None
        self._unknown, self._longest_word = model.unknown, model.longest_word
        self._lengths = tf.constant([len(piece.removeprefix(model.prefix))
                                     for piece in vocabulary], tf.int64)
        self._pieces = tensorflow_text.FastWordpieceTokenizer(
            _reachable(vocabulary, model), suffix_indicator=model.prefix,
            unknown_token=model.unknown, max_bytes_per_word=4 * model.longest_word,
            token_out_type=tf.int32, no_pretokenization=True)

    def __call__(self, texts):
        text = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        rows = text.value_rowids()                            # of every codepoint of the batch
        chars, sources, keys = self._normalized(text.flat_values, rows)
        count = tf.shape(chars, tf.int64)[0]
        new_word = tf.concat([[True], keys[1:] != keys[:-1]], 0)[:count]
        words = tf.RaggedTensor.from_row_starts(chars, tf.where(new_word)[:, 0], validate=False)
        pieces = self._pieces.tokenize(tf.where(
            words.row_lengths() > self._longest_word, self._unknown,
            tf.strings.unicode_encode(words, "UTF-8")))
        starts = self._starts(words, pieces)
        ends = tf.concat([starts, count[None]], 0)[1:]        # words leave no gaps between them
        first, last = tf.gather(sources, starts), tf.gather(sources, ends - 1)
        row = tf.gather(rows, first)
        offsets = tf.stack([first, last + 1], 1) - tf.gather(text.row_starts(), row)[:, None]
        return [tf.RaggedTensor.from_value_rowids(values, row, text.nrows(), validate=False)
                for values in (pieces.flat_values, tf.cast(offsets, tf.int32))]

    def _normalized(self, codes, rows):
        """Return the normalised codepoints, where in `codes` each is from, and the keys of words.

        Codepoints with equal keys belong to one word: a space raises the key by one, an isolated
        codepoint before and after itself, and a new row too.
        """
        found = tf.gather(self._pages, tf.gather(self._index, codes // PAGE) * PAGE + codes % PAGE)
        breaks, context, becomes = found[:, 0], found[:, 1], codes[:, None] + found[:, 2:]
        if self._sigma_rule:
            becomes = _final_sigmas(codes, rows, context, becomes)
        keys = tf.cumsum(breaks, exclusive=True) + breaks // 2 + tf.cast(rows, tf.int32)
        present = tf.where(becomes >= 0)
        sources = present[:, 0]
        return tf.gather_nd(becomes, present), sources, tf.gather(keys, sources)

    def _starts(self, words, pieces):
        """Return where each piece starts in the normalised codepoints of the batch."""
        lengths = tf.gather(self._lengths, pieces.flat_values)
        before = tf.cumsum(lengths, exclusive=True)
        word = pieces.value_rowids()
        in_word = before - tf.gather(tf.gather(before, pieces.row_starts()), word)
        return tf.gather(words.row_starts(), word) + in_word


MODELS = {"wordpiece": _WordPiece}


def _final_sigmas(codes, rows, context, becomes):
    """Turn capital sigmas that end a word into final ones, as Codepoints.final_sigmas does."""
    seen = tf.where(context != IGNORABLE)
    cased = tf.gather_nd(context, seen) == CASED
    same_row = tf.gather_nd(rows, seen[1:]) == tf.gather_nd(rows, seen[:-1])
    edge = tf.zeros([1], tf.bool)
    before = tf.concat([edge, cased[:-1] & same_row], 0)[:tf.shape(seen)[0]]
    after = tf.concat([cased[1:] & same_row, edge], 0)[:tf.shape(seen)[0]]
    final = tf.boolean_mask(seen, (tf.gather_nd(codes, seen) == ord("Σ")) & before & ~after)
    where = tf.concat([final, tf.zeros_like(final)], 1)
    return tf.tensor_scatter_nd_update(becomes, where, tf.fill(tf.shape(final)[:1], ord("ς")))


def _rows(table):
    """Return int32 [0x110000, 2 + n]: breaks between words, sigma context, up to n differences."""
    width = max(map(len, table.becomes.values()), default=1)
    rows = np.full((SIZE, 2 + max(width, 1)), ABSENT, np.int32)
    rows[:, 0] = np.select([table.kinds == SPACE, table.kinds == ISOLATED], [1, 2])
    rows[:, 1] = PLAIN if table.cased is None else np.select(
        [table.ignorable, table.cased], [IGNORABLE, CASED])
    rows[np.isin(table.kinds, (JOINED, ISOLATED)), 2] = 0
    for c, text in table.becomes.items():
        if table.kinds[ord(c)] != SPACE:
            rows[ord(c), 2:] = [ord(d) - ord(c) for d in text] + [ABSENT] * (
                rows.shape[1] - 2 - len(text))
    return rows


def _paged(rows):
    """Return the distinct pages of PAGE rows, as rows again, and the number of every page."""
    numbers = {}
    index = [numbers.setdefault(page.tobytes(), len(numbers))
             for page in rows.reshape(-1, PAGE * rows.shape[1])]
    pages = np.frombuffer(b"".join(numbers), np.int32).reshape(-1, rows.shape[1])
    return pages, np.array(index, np.int32)


def _reachable(vocabulary, model):
    """Return the entries, with a stand-in for those that no word reaches and TensorFlow refuses.

    These are empty, doubled, the bare prefix, or with the codepoint 0. A prefix that words can hold
    is an Error: FastWordpieceTokenizer reads no piece that has it at the start of a word.
    """
    if len(model.prefix) < 2 or all(model.table.kinds[ord(c)] == JOINED for c in model.prefix):
        raise Error(f"The prefix {model.prefix!r} of continuing pieces has no form in TensorFlow; "
                    "export token ids instead.")
    last = {entry: i for i, entry in enumerate(vocabulary)}
    return [f"unreachable {i}" if entry in ("", model.prefix) or "\0" in entry or last[entry] != i
            else entry for i, entry in enumerate(vocabulary)]


def _kept(sizes, places):
    """Return how many tokens [B] of each text stay; see template.kept for the rule of pairs."""
    if len(sizes) == 1:
        return [tf.minimum(sizes[0], places)]
    shorter = tf.minimum(tf.minimum(*sizes), places // 2)
    longer = tf.minimum(tf.maximum(*sizes), places - shorter)
    first_is_shorter = sizes[0] <= sizes[1]
    return [tf.where(first_is_shorter, *pair) for pair in ((shorter, longer), (longer, shorter))]


def _cut(ragged, sizes):
    """Return the first `sizes` [B] entries of each row."""
    starts = ragged.row_starts()
    return tf.gather(ragged.flat_values, tf.ragged.range(starts, starts + sizes))


def _row(part, segment, texts, batch_size):
    """Return ids, segments, mask and offsets, [B, (n)], that one part of the template gives."""
    if part in texts:
        ids, offsets = texts[part]
    else:
        ids, offsets = tf.fill([batch_size, 1], part), tf.zeros([batch_size, 1, 2], tf.int32)
    ones = tf.ones_like(ids)
    return ids, ones * segment, ones, offsets

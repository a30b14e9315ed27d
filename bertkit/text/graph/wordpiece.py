"""WordPiece in TensorFlow: the codepoint table, then the longest pieces of each word.

The same codepoint table is used here as in Python: decode to codepoints, gather what each becomes, cut into words, and
let FastWordpieceTokenizer (Song et al. 2021, arXiv 2012.15524) match pieces.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text

from bertkit.errors import Error
from bertkit.text.graph.codepoints import CodepointRows
from bertkit.text.graph.normalize import GraphNormalizer
from bertkit.text.unicode.codepoints import ISOLATED, JOINED, SIZE, SPACE

ABSENT = -SIZE                                # added to a codepoint, it gives a number below 0
PLAIN, IGNORABLE, CASED = range(3)            # what the rule of the final sigma distinguishes


class WordPiece(tf.Module):
    """WordPiece in the graph.

    A call takes a string tensor [B] and returns ids, ragged int32 [B, (T)], and offsets, ragged int32 [B, (T), 2].

    Args:
        model: a `bertkit.text.models.wordpiece.WordPiece`.
        vocabulary: sequence of str, the entries in the order of their ids.

    Raises:
        Error: when the prefix of continuing pieces has no form in TensorFlow.
    """

    def __init__(self, model: Any, vocabulary: Sequence[str]):
        super().__init__()
        self._before, self._table = GraphNormalizer(model.normalization, {}), CodepointRows(_rows(model.table))
        self._sigma_rule = model.table.cased is not None
        self._unknown, self._longest_word = model.unknown, model.longest_word
        self._lengths = tf.constant([len(piece.removeprefix(model.prefix))
                                     for piece in vocabulary], tf.int64)
        self._pieces = tensorflow_text.FastWordpieceTokenizer(
            _reachable(vocabulary, model), suffix_indicator=model.prefix,
            unknown_token=model.unknown, max_bytes_per_word=4 * model.longest_word,
            token_out_type=tf.int32, no_pretokenization=True)

    def __call__(self, texts: Any) -> list[Any]:
        """Return the ids and the offsets of texts, string [B]."""
        text = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        places = tf.ragged.range(tf.cast(text.row_lengths(), tf.int32)).flat_values
        codes, rows, places = self._before(text.flat_values, tf.cast(text.value_rowids(), tf.int32), places)
        chars, sources, keys = self._normalized(codes, rows)
        count = tf.shape(chars, tf.int64)[0]
        new_word = tf.concat([[True], keys[1:] != keys[:-1]], 0)[:count]
        words = tf.RaggedTensor.from_row_starts(chars, tf.where(new_word)[:, 0], validate=False)
        pieces = self._pieces.tokenize(tf.where(
            words.row_lengths() > self._longest_word, self._unknown,
            tf.strings.unicode_encode(words, "UTF-8")))
        starts = self._starts(words, pieces)
        ends = tf.concat([starts, count[None]], 0)[1:]        # words leave no gaps between them
        first, last = tf.gather(sources, starts), tf.gather(sources, ends - 1)
        row = tf.cast(tf.gather(rows, first), tf.int64)
        offsets = tf.stack([tf.gather(places, first), tf.gather(places, last) + 1], 1)
        return [tf.RaggedTensor.from_value_rowids(values, row, text.nrows(), validate=False)
                for values in (pieces.flat_values, offsets)]

    def _normalized(self, codes, rows):
        """Return the normalised codepoints, where in `codes` each is from, and the keys of words.

        Codepoints with equal keys belong to one word: a space raises the key by one, an isolated
        codepoint before and after itself, and a new row too.
        """
        rows_of_codes = self._table(codes)
        breaks, context, becomes = rows_of_codes[:, 0], rows_of_codes[:, 1], codes[:, None] + rows_of_codes[:, 2:]
        if self._sigma_rule:
            becomes = _final_sigmas(codes, rows, context, becomes)
        keys = tf.cumsum(breaks, exclusive=True) + breaks // 2 + rows
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


MODELS = {"wordpiece": WordPiece}


def _final_sigmas(codes, rows, context, becomes):
    """Turn capital sigmas that end a word into final ones, as Codepoints.final_sigmas does."""
    counted = tf.where(context != IGNORABLE)
    cased = tf.gather_nd(context, counted) == CASED
    same_row = tf.gather_nd(rows, counted[1:]) == tf.gather_nd(rows, counted[:-1])
    edge = tf.zeros([1], tf.bool)
    before = tf.concat([edge, cased[:-1] & same_row], 0)[:tf.shape(counted)[0]]
    after = tf.concat([cased[1:] & same_row, edge], 0)[:tf.shape(counted)[0]]
    final = tf.boolean_mask(counted, (tf.gather_nd(codes, counted) == ord("Σ")) & before & ~after)
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


def _reachable(vocabulary, model):
    """Return the entries, with a replacement for those that no word uses and TensorFlow refuses.

    These are empty, doubled, the bare prefix, or with the codepoint 0. A prefix that words can hold
    is an Error: FastWordpieceTokenizer reads no piece that has it at the start of a word.
    """
    if len(model.prefix) < 2 or all(model.table.kinds[ord(c)] == JOINED for c in model.prefix):
        raise Error(f"The prefix {model.prefix!r} of continuing pieces has no form in TensorFlow; "
                    "export token ids instead.")
    last = {entry: i for i, entry in enumerate(vocabulary)}
    return [f"unreachable {i}" if entry in ("", model.prefix) or "\0" in entry or last[entry] != i
            else entry for i, entry in enumerate(vocabulary)]

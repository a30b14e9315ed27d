"""BPE with byte fallback in TensorFlow, equal to Python: characters that are no entries become bytes, then merges."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.text.graph.codepoints import CodepointRows
from bertkit.text.graph.merges import GraphMerges
from bertkit.text.graph.normalize import shifted
from bertkit.text.graph.sentencepiece import NONE, SentencePiece
from bertkit.text.models.sentencepiece import SPACE
from bertkit.text.unicode.tables import SIZE

LEADS = (0, 0x00, 0xC0, 0xE0, 0xF0)           # the high bits of the first byte of a character of so many bytes


class WholeTexts(SentencePiece):
    """A SentencePiece model that cuts texts before runs of ▁ alone, or nowhere.

    Args:
        model: a `bertkit.text.models.byte_fallback.ByteFallback`.
        pieces: what cuts words, a `ByteFallback` of this module.
    """

    def __init__(self, model: Any, pieces: Any):
        super().__init__(model, pieces)
        self._cuts = model.cuts_at_spaces

    def _words(self, codes, rows, places):
        """Return the codepoints of words, their texts and places, and which of them begin a word."""
        starts = shifted(rows, 1, NONE) != rows
        if self._cuts:
            space = codes == ord(SPACE)
            starts |= space & ~shifted(space, 1, False)
        return codes, rows, places, starts

    def _cut(self, words):
        """Return what `SentencePiece._cut` returns; each byte of a character ends where the character does."""
        ids, begins, ends, word = super()._cut(words)
        return ids, begins, tf.maximum(ends, begins + 1), word


class ByteFallback(tf.Module):
    """Merges of codepoints, of which those that are no entry are written in bytes.

    A call takes codepoints and the number of the word of each, int32 [N], and returns ids [P] and the codepoint that
    each piece begins with [P].

    Args:
        model: a `bertkit.text.models.byte_fallback.ByteFallback`.
        vocabulary: sequence of str, the entries in the order of their ids.
    """

    def __init__(self, model: Any, vocabulary: Sequence[str]):
        super().__init__()
        table, is_byte = np.full((SIZE, 1), NONE), np.zeros(len(vocabulary), bool)
        for piece, number in model.pieces.items():
            if len(piece) == 1:
                table[ord(piece), 0] = number
        is_byte[model.byte_ids] = True
        self._table, self._merges = CodepointRows(table), GraphMerges(model.merges)
        self._byte_ids, self._is_byte = tf.constant(model.byte_ids, tf.int32), tf.constant(is_byte)
        self._sizes = tf.constant([len(entry) for entry in vocabulary])

    def __call__(self, codes: Any, words: Any) -> Any:
        """Return the ids of the pieces, and the codepoint that each begins with."""
        known = self._table(codes)[:, 0]
        counts = tf.where(known == NONE, _utf8_length(codes), 1)
        origins = tf.repeat(tf.range(tf.size(codes)), counts)
        last = tf.cumsum(counts)
        behind = tf.gather(last, origins) - 1 - tf.range(tf.size(origins))       # bytes of the character after it
        codes, counts, known, words = (tf.gather(values, origins) for values in (codes, counts, known, words))
        bits = tf.bitwise.right_shift(codes, 6 * behind)
        byte = tf.where(behind == counts - 1, bits | tf.gather(LEADS, counts), bits & 0x3F | 0x80)
        ids = tf.where(known == NONE, tf.gather(self._byte_ids, tf.where(known == NONE, byte, 0)), known)
        ends = tf.boolean_mask(tf.cast(behind == 0, tf.int32), known == NONE)
        ids, _ = self._merges(ids, words)
        is_byte = tf.gather(self._is_byte, ids)                                  # bytes are never merged
        ends = tf.gather(tf.concat([ends, [0]], 0), tf.cumsum(tf.cast(is_byte, tf.int32), exclusive=True))
        return ids, tf.cumsum(tf.where(is_byte, ends, tf.gather(self._sizes, ids)), exclusive=True)


def _utf8_length(codes):
    """Return the number of bytes that each codepoint has in UTF-8."""
    return sum((tf.cast(codes >= first, tf.int32) for first in (0x80, 0x800, 0x10000)), tf.ones_like(codes))


MODELS = {"bytefallback": lambda model, vocabulary: WholeTexts(model, ByteFallback(model, vocabulary))}

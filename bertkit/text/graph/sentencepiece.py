"""SentencePiece models in TensorFlow, equal to Python: words of normalised texts, then Viterbi's search or merges."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.errors import Error
from bertkit.text.graph.codepoints import CodepointRows
from bertkit.text.graph.merges import GraphMerges
from bertkit.text.graph.normalize import GraphNormalizer, is_blank, shifted
from bertkit.text.models.sentencepiece import SPACE
from bertkit.text.unicode.tables import SIZE

NONE = -1                                     # the id where there is no piece
BITS = 21                                     # of a codepoint
LONGEST = 256                                 # codepoints of a piece: memory grows with it


class SentencePiece(tf.Module):
    """A SentencePiece model in the graph.

    A call takes a string tensor [B] and returns ids, ragged int32 [B, (T)], and offsets, ragged int32 [B, (T), 2].
    Equal words are cut into pieces once.

    Args:
        model: a `bertkit.text.models.sentencepiece.SentencePiece`.
        pieces: what cuts words, a `Unigram` or a `BPE` of this module.
    """

    def __init__(self, model: Any, pieces: Any):
        super().__init__()
        self._normalizer = GraphNormalizer(model.normalization, model.mapping)
        self._spaces, self._prefix, self._pieces = model.words == "spaces", model.prefix, pieces

    def __call__(self, texts: Any) -> list[Any]:
        """Return the ids and the offsets of texts, string [B]."""
        text = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        places = tf.ragged.range(tf.cast(text.row_lengths(), tf.int32)).flat_values
        rows = tf.cast(text.value_rowids(), tf.int32)
        codes, rows, places, starts = self._words(*self._normalizer(text.flat_values, rows, places))
        words = tf.RaggedTensor.from_row_starts(codes, tf.where(starts)[:, 0], validate=False)
        ids, begins, ends, word = self._cut(words)
        first, last = begins + tf.gather(words.row_starts(), word), ends + tf.gather(words.row_starts(), word)
        offsets = tf.stack([tf.gather(places, first), tf.gather(places, last - 1) + 1], 1)
        row = tf.cast(tf.gather(rows, first), tf.int64)
        return [tf.RaggedTensor.from_value_rowids(values, row, text.nrows(), validate=False)
                for values in (ids, offsets)]

    def _words(self, codes, rows, places):
        """Return the codepoints of words, their texts and places, and which of them begin a word."""
        if self._spaces:
            codes, blank = tf.where(codes == ord(" "), ord(SPACE), codes), tf.zeros_like(codes, tf.bool)
        else:
            blank = is_blank(codes)
        starts = shifted(blank, 1, True) | (shifted(rows, 1, NONE) != rows) | (codes == ord(SPACE))
        codes, rows, places, starts = (tf.boolean_mask(values, ~blank) for values in (codes, rows, places, starts))
        bare = starts & (codes != ord(SPACE)) & self._prefix
        origins = tf.repeat(tf.range(tf.size(codes)), 1 + tf.cast(bare, tf.int32))
        codes, rows, places, starts, bare = (
            tf.gather(values, origins) for values in (codes, rows, places, starts, bare))
        new = shifted(origins, 1, NONE) != origins
        return tf.where(new & bare, ord(SPACE), codes), rows, places, starts & new

    def _cut(self, words):
        """Return the ids [P] of the pieces of ragged words, where in its word each begins and ends, and which it is."""
        different, which = tf.unique(tf.strings.unicode_encode(words, "UTF-8"), tf.int64)
        different = tf.strings.unicode_decode(different, "UTF-8")
        ids, begins = self._pieces(different.flat_values, tf.cast(different.value_rowids(), tf.int32))
        word = tf.gather(different.value_rowids(), begins)
        begins = tf.cast(begins, tf.int64) - tf.gather(different.row_starts(), word)
        ends = tf.where(shifted(word, -1, NONE) == word, shifted(begins, -1, 0),
                        tf.gather(different.row_lengths(), word))
        table = tf.RaggedTensor.from_value_rowids(tf.stack([tf.cast(ids, tf.int64), begins, ends], 1), word,
                                                  different.nrows(), validate=False)
        pieces = tf.gather(table, which)
        ids, begins, ends = tf.unstack(pieces.flat_values, axis=1)
        return tf.cast(ids, tf.int32), begins, ends, pieces.value_rowids()


class Unigram(tf.Module):
    """Viterbi's search, one codepoint after the other in all words at once.

    A call takes codepoints and the number of the word of each, int32 [N], and returns ids [P] and the codepoint that
    each piece begins with [P].

    Args:
        model: a `bertkit.text.models.sentencepiece.Unigram`.

    Raises:
        Error: when a piece is longer than LONGEST codepoints.
    """

    def __init__(self, model: Any):
        super().__init__()
        self._longest = max(map(len, model.pieces), default=1)
        if self._longest > LONGEST:
            raise Error(f"A piece of {self._longest} characters has no form in TensorFlow, which takes {LONGEST}; "
                        "export token ids instead.")
        edges, pieces = _trie(model.pieces)
        self._edges = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(
            np.array([*edges], np.int64), np.array([*edges.values()], np.int64)), NONE)
        self._piece, self._unknown = tf.constant(pieces), model.unk_id
        self._scores = tf.constant([*model.scores, -math.inf, model.unknown_score], tf.float64)

    def __call__(self, codes: Any, words: Any) -> Any:
        """Return the ids of the pieces, and the codepoint that each begins with."""
        candidates = self._candidates(codes, words)
        starts = tf.cast(tf.where(shifted(words, 1, NONE) != words)[:, 0], tf.int32)
        sizes = shifted(starts, -1, tf.size(codes)) - starts
        order = tf.argsort(sizes, direction="DESCENDING", stable=True)
        starts, sizes = tf.gather(starts, order), tf.gather(sizes, order)
        begins = tf.cast(tf.where(_begins(self._lengths(candidates, starts, sizes), starts, sizes))[:, 0], tf.int32)
        lengths = shifted(begins, -1, tf.size(codes)) - begins
        ids = tf.gather_nd(candidates, tf.stack([begins, lengths - 1], 1))
        unknown, word = ids == NONE, tf.gather(words, begins)
        first = ~(unknown & shifted(unknown, 1, False) & (shifted(word, 1, NONE) == word))
        return tf.boolean_mask(tf.where(unknown, self._unknown, ids), first), tf.boolean_mask(begins, first)

    def _candidates(self, codes, words):
        """Return int32 [N, L]: the pieces of 1 to L codepoints that begin at each codepoint, NONE where none does."""
        behind = tf.pad(words, [[0, 1]], constant_values=NONE)

        def follow(length, places, nodes, candidates):
            inside = tf.gather(behind, places + length) == tf.gather(words, places)
            places, nodes = tf.boolean_mask(places, inside), tf.boolean_mask(nodes, inside)
            code = tf.cast(tf.gather(codes, places + length), tf.int64)
            nodes = self._edges.lookup(nodes * (1 << BITS) + code)
            places, nodes = tf.boolean_mask(places, nodes != NONE), tf.boolean_mask(nodes, nodes != NONE)
            cells = tf.stack([places, tf.fill([tf.size(places)], length)], 1)
            candidates = tf.tensor_scatter_nd_update(candidates, cells, tf.gather(self._piece, nodes))
            return length + 1, places, nodes, candidates

        count = tf.size(codes)
        return tf.while_loop(
            lambda length, places, nodes, candidates: tf.size(places) > 0, follow,
            [0, tf.range(count), tf.zeros([count], tf.int64), tf.fill([count, self._longest], NONE)],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None]),
                              tf.TensorShape([None, self._longest])])[3]

    def _lengths(self, candidates, starts, sizes):
        """Return int32 [N]: the length of the last piece of the best way to each codepoint.

        The words are those of falling sizes. Column i of `best` and `last` tells of the place i codepoints on.
        """
        count = len(self._scores)
        absent = [count - 1, *[count - 2] * (self._longest - 1)]

        def push(step, best, last, lengths):
            count = tf.math.count_nonzero(sizes > step, dtype=tf.int32)
            places = starts[:count] + step
            ids = tf.gather(candidates, places)
            scores = tf.gather(self._scores, tf.where(ids == NONE, absent, ids))
            new = best[:count, :1] + scores
            better = new > best[:count, 1:]
            best = tf.where(better, new, best[:count, 1:])
            last = tf.where(better, tf.range(1, self._longest + 1), last[:count, 1:])
            lengths = tf.tensor_scatter_nd_update(lengths, places[:, None], last[:, 0])
            best = tf.pad(best, [[0, 0], [0, 1]], constant_values=-math.inf)
            return step + 1, best, tf.pad(last, [[0, 0], [0, 1]]), lengths

        count, width = tf.size(starts), self._longest + 1
        best = tf.pad(tf.zeros([count, 1], tf.float64), [[0, 0], [0, self._longest]], constant_values=-math.inf)
        return tf.while_loop(
            lambda step, *_: step < tf.reduce_max(tf.pad(sizes, [[0, 1]])), push,
            [0, best, tf.zeros([count, width], tf.int32), tf.zeros([tf.shape(candidates)[0]], tf.int32)],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, width]), tf.TensorShape([None, width]),
                              tf.TensorShape([None])])[3]


class BPE(tf.Module):
    """Merges of codepoints; unknown ones in a row are one token.

    A call takes codepoints and the number of the word of each, int32 [N], and returns ids [P] and the codepoint that
    each piece begins with [P].

    Args:
        model: a `bertkit.text.models.sentencepiece.BPE`.
        vocabulary: sequence of str, the entries in the order of their ids.
    """

    def __init__(self, model: Any, vocabulary: Sequence[str]):
        super().__init__()
        table = np.full((SIZE, 1), model.unk_id)
        for piece, number in model.pieces.items():
            if len(piece) == 1:
                table[ord(piece), 0] = number
        self._table, self._merges, self._unknown = CodepointRows(table), GraphMerges(model.merges), model.unk_id
        self._sizes = tf.constant([len(entry) for entry in vocabulary])

    def __call__(self, codes: Any, words: Any) -> Any:
        """Return the ids of the pieces, and the codepoint that each begins with."""
        ids = self._table(codes)[:, 0]
        unknown = ids == self._unknown
        first = ~(unknown & shifted(unknown, 1, False) & (shifted(words, 1, NONE) == words))
        sizes = tf.math.segment_sum(tf.ones_like(codes), tf.cumsum(tf.cast(first, tf.int32)) - 1)
        sizes = tf.boolean_mask(sizes, tf.boolean_mask(unknown, first))    # of the unknown, which stay
        ids, _ = self._merges(tf.boolean_mask(ids, first), tf.boolean_mask(words, first))
        unknown = tf.cast(ids == self._unknown, tf.int32)
        sizes = tf.gather(tf.concat([sizes, [0]], 0), tf.cumsum(unknown, exclusive=True))
        sizes = tf.where(unknown > 0, sizes, tf.gather(self._sizes, ids))
        return ids, tf.cumsum(sizes, exclusive=True)


def _trie(pieces):
    """Return {number of a beginning << BITS | next codepoint: number of both} and the piece of each number, or NONE."""
    numbers, piece_ids, edges = {"": 0}, [NONE], {}
    for piece, number in pieces.items():
        for end in range(1, len(piece) + 1):
            if piece[:end] not in numbers:
                edges[numbers[piece[:end - 1]] << BITS | ord(piece[end - 1])] = numbers[piece[:end]] = len(numbers)
                piece_ids.append(NONE)
        piece_ids[numbers[piece]] = number
    return edges, piece_ids


def _begins(lengths, starts, sizes):
    """Return bool [N], which codepoints begin a piece, from the length of the last piece on the way to each."""
    def step(places, starts, begins):
        first = places - tf.gather(lengths, places) + 1
        begins = tf.tensor_scatter_nd_update(begins, first[:, None], tf.ones_like(first, tf.bool))
        rest = first > starts
        return tf.boolean_mask(first - 1, rest), tf.boolean_mask(starts, rest), begins

    return tf.while_loop(lambda places, *_: tf.size(places) > 0, step,
                         [starts + sizes - 1, starts, tf.zeros_like(lengths, tf.bool)],
                         shape_invariants=[tf.TensorShape([None])] * 3)[2]


MODELS = {"unigram": lambda model, vocabulary: SentencePiece(model, Unigram(model)),
          "bpe": lambda model, vocabulary: SentencePiece(model, BPE(model, vocabulary))}

"""Byte-level BPE in TensorFlow, equal to ByteLevel: words are cut by classes of codepoints, then bytes are merged."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from bertkit.text.graph.codepoints import CodepointRows
from bertkit.text.graph.cuts import STARTS, before
from bertkit.text.graph.merges import GraphMerges
from bertkit.text.graph.normalize import GraphNormalizer
from bertkit.text.models.bytelevel import letters
from bertkit.text.unicode.codepoints import categories

ABSENT = -1                                   # the id where there is no entry


class ByteLevel(tf.Module):
    """Byte-level BPE in the graph.

    A call takes a string tensor [B] and returns ids, ragged int32 [B, (T)], and offsets, ragged int32 [B, (T), 2]. A
    word that is one entry is looked up; of the other words each different one is merged once.

    Args:
        model: a `bertkit.text.models.bytelevel.ByteLevel`.
        vocabulary: sequence of str, the entries in the order of their ids.
    """

    def __init__(self, model: Any, vocabulary: Sequence[str]):
        super().__init__()
        self._categories, self._merges = CodepointRows(categories()[:, None]), GraphMerges(model.merges)
        self._starts = STARTS[model.words]
        self._byte_ids = tf.constant([ABSENT if i is None else i for i in model.byte_ids])
        self._present = tf.constant([i is not None for i in model.byte_ids])
        self._prefix_space, self._normalizer = model.prefix_space, GraphNormalizer(model.normalization, {})
        entries = _entries(vocabulary)
        self._sizes = tf.constant([_sizes(entry) for entry in entries])
        whole = {entry: i for i, entry in enumerate(entries) if _is_whole(entry, i, model)}
        self._whole = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(
            tf.constant(list(whole)), tf.constant(list(whole.values()), tf.int32)), ABSENT)

    def __call__(self, texts: Any) -> list[Any]:
        """Return the ids and the offsets of texts, string [B]."""
        text = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        places = tf.ragged.range(tf.cast(text.row_lengths(), tf.int32)).flat_values
        codes, rows, begins, ends = self._prepared(text.flat_values, tf.cast(text.value_rowids(), tf.int32), places)
        starts = self._starts(codes, self._categories(codes)[:, 0], rows != before(rows, -1))
        words = tf.RaggedTensor.from_row_starts(codes, tf.where(starts)[:, 0], validate=False)
        ids = self._pieces(tf.strings.unicode_encode(words, "UTF-8"))
        first, last, start, stop = self._places(ids, codes)
        end = tf.gather(ends, stop - 1)
        offsets = tf.stack([tf.where(start < stop, tf.gather(begins, tf.minimum(start, last)), end), end], 1)
        rows = tf.cast(tf.gather(rows, first), tf.int64)
        return [tf.RaggedTensor.from_value_rowids(values, rows, text.nrows(), validate=False)
                for values in (ids, offsets)]

    def _prepared(self, codes, rows, places):
        """Return the codepoints to cut, of which text they are, and where in it they begin and end."""
        codes, rows, places = self._normalizer(codes, rows, places)
        if not self._prefix_space:
            return codes, rows, places, places + 1
        lacks = (rows != before(rows, -1)) & (codes != ord(" "))
        origins = tf.repeat(tf.range(tf.size(codes)), 1 + tf.cast(lacks, tf.int32))
        new = tf.gather(lacks, origins) & (origins != before(origins, -1))
        codes, rows, places = (tf.gather(values, origins) for values in (codes, rows, places))
        return tf.where(new, ord(" "), codes), rows, places, tf.where(new, places, places + 1)

    def _pieces(self, words):
        """Return the ids [P] of words, string [W]."""
        entries = self._whole.lookup(words)
        rest = entries == ABSENT
        different, which = tf.unique(tf.boolean_mask(words, rest), tf.int64)
        merged = self._merged(different)
        table = tf.concat([merged, tf.RaggedTensor.from_tensor(entries[:, None])], 0)
        number = tf.gather(tf.concat([which, [0]], 0), tf.cumsum(tf.cast(rest, tf.int64), exclusive=True))
        whole = merged.nrows() + tf.range(tf.size(entries, tf.int64))
        return tf.gather(table, tf.where(rest, number, whole)).flat_values

    def _merged(self, words):
        """Return the ids, ragged [U, (P)], of words, string [U], by merges."""
        word = tf.repeat(tf.range(tf.size(words, tf.int64)), tf.strings.length(words))
        data = tf.cast(tf.io.decode_raw(tf.strings.reduce_join(words), tf.uint8), tf.int32)
        present = tf.gather(self._present, data)              # the others are dropped
        data, word = tf.boolean_mask(data, present), tf.boolean_mask(word, present)
        ids, word = self._merges(tf.gather(self._byte_ids, data), word)
        return tf.RaggedTensor.from_value_rowids(ids, word, tf.size(words, tf.int64), validate=False)

    def _places(self, ids, codes):
        """Return the first and the last codepoint of each id, and those between the spaces at its ends, half-open."""
        size, leading, trailing = tf.unstack(tf.gather(self._sizes, ids), axis=1)
        counts = 1 + sum(tf.cast(codes >= least, tf.int32) for least in (0x80, 0x800, 0x10000))
        place = tf.repeat(tf.range(tf.size(codes)), counts)           # of each byte
        data = tf.io.decode_raw(tf.strings.unicode_encode(codes, "UTF-8"), tf.uint8)
        place = tf.boolean_mask(place, tf.gather(self._present, tf.cast(data, tf.int32)))
        end = tf.cumsum(size)
        first, last = tf.gather(place, end - size), tf.gather(place, end - 1)
        start = tf.minimum(first + leading, last + 1)
        return first, last, start, tf.maximum(last + 1 - trailing, start)


MODELS = {"bytelevel": ByteLevel}


def _entries(vocabulary):
    """Return the bytes of each entry, empty for one that is not in letters."""
    table = {letter: byte for byte, letter in enumerate(letters())}
    return [bytes(map(table.__getitem__, entry)) if table.keys() >= set(entry) else b"" for entry in vocabulary]


def _sizes(entry):
    """Return how many bytes an entry has, how many spaces it begins with, and how many it ends with."""
    return len(entry), len(entry) - len(entry.lstrip(b" ")), len(entry) - len(entry.rstrip(b" "))


def _is_whole(entry, number, model):
    """Return whether a word of these bytes becomes this entry alone."""
    ids = [model.byte_ids[byte] for byte in entry]
    return None not in ids and (model.whole_words or model.merges(ids)[0] == [number])

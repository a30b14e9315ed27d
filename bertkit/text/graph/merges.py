"""Byte-pair merges in TensorFlow, for all words of a batch at once; the result is equal to that of Merges."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.errors import Error

NONE = np.iinfo(np.int32).max                 # the rank of a pair that does not merge
WIDTH = 1 << 32                               # the key of a pair is left * WIDTH + right
LARGEST = 1 << 23                             # rows; 50,000 merges make some 120,000
RANK, NEW, BEFORE, AFTER, LAST = range(5)     # the columns of a row


class GraphMerges(tf.Module):
    """Byte-pair merges of all words of a batch.

    A word is merged in rounds. Each round merges the earliest pair of the word, and also every other pair that must be
    merged before both of its neighbours, whatever these become. This is correct when no merge makes an entry that is
    part of a pair of earlier rank, as in all vocabularies that were trained. Where a pair does not have this property,
    a round merges only its leftmost occurrence, and only when it is the earliest pair of the word.

    Args:
        merges: a `bertkit.text.models.merges.Merges`.

    Raises:
        Error: when the merges depend on each other so much that their table would take too much memory.

    Example:
        >>> from bertkit.text.models.merges import Merges
        >>> merges = GraphMerges(Merges({"a": 0, "b": 1, "ab": 2, "aab": 3}, ["a b", "a ab"]))
        >>> [values.numpy().tolist() for values in merges(tf.constant([0, 0, 1, 0, 1]), tf.constant([0, 0, 0, 0, 1]))]
        [[3, 0, 1], [0, 0, 1]]
    """

    def __init__(self, merges: Any):
        super().__init__()
        rows = _rows(merges.table)
        self._absent = len(rows)              # the row of no pair; its key keeps the table from being empty
        keys = [left * WIDTH + right for left, right in rows] + [-1]
        self._numbers = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys, tf.int64), tf.range(len(keys))), self._absent)
        self._rows = tf.constant([*rows.values(), [NONE, 0, NONE, NONE, 0]], tf.int32)

    def __call__(self, ids: Any, words: Any) -> Any:
        """Merge the ids of words that follow each other.

        Args:
            ids: int32 [N], the ids before merging.
            words: int32 [N], the number of the word of each id, ascending.

        Returns:
            Two int32 tensors [M]: the ids after merging, and the number of the word of each.
        """
        def merge(ids, words, _):
            rank, new, before, after, last = tf.unstack(self._pairs(ids, words), axis=1)
            safe = (last > 0) & (rank < _later(before, NONE)) & (rank < _earlier(after, NONE))
            chosen = safe | _earliest(rank, words, last > 0)
            left = tf.where(~_later(chosen, False))[:, 0]
            ids = tf.gather(tf.where(chosen, new, ids), left)
            return ids, tf.gather(words, left), tf.reduce_any(chosen)

        some = tf.TensorShape([None])
        return tf.while_loop(lambda ids, words, more: more, merge, [ids, words, tf.size(ids) > 0],
                             shape_invariants=[some, some, tf.TensorShape([])])[:2]

    def _pairs(self, ids, words):
        """Return the row [N, 5] of each id with the next one of its word."""
        wide = tf.cast(ids, tf.int64)
        numbers = self._numbers.lookup(wide[:-1] * WIDTH + wide[1:])
        numbers = tf.where(words[:-1] == words[1:], numbers, self._absent)
        return tf.gather(self._rows, tf.concat([numbers, [self._absent]], 0))


def _earliest(rank, words, last):
    """Return where the earliest pairs of each word are: all of them if they are `last`, or else the leftmost."""
    hits = (rank == tf.gather(tf.math.segment_min(rank, words), words)) & (rank < NONE)
    count = tf.cumsum(tf.cast(hits, tf.int32), exclusive=True)
    leftmost = count == tf.gather(tf.math.segment_min(count, words), words)
    # Of pairs that overlap, as in aaa, every other one.
    begins = hits & ~_later(hits, False)
    begin = tf.gather(tf.concat([[0], tf.boolean_mask(count, begins)], 0), tf.cumsum(tf.cast(begins, tf.int32)))
    return hits & tf.where(last, (count - begin) % 2 == 0, leftmost)


def _later(values, first):
    """Return the values one place later."""
    return tf.concat([[first], values[:-1]], 0)


def _earlier(values, last):
    """Return the values one place earlier."""
    return tf.concat([values[1:], [last]], 0)


def _rows(table):
    """Return {(left, right): row} of all pairs that merge, or that decide when another pair may merge.

    RANK is that of the pair and NEW what it becomes. BEFORE is the least rank of a pair of `right` with an entry that
    ends with `left`, AFTER that of `left` with one that begins with `right`. LAST is 1 if all pairs with NEW are later.
    """
    rows, first = {}, {}
    for (left, right), (rank, _) in table.items():
        first[left], first[right] = min(rank, first.get(left, NONE)), min(rank, first.get(right, NONE))
    starts, ends = (_parts(table, side) for side in (0, 1))
    for (left, right), (rank, new) in table.items():
        row = rows.setdefault((left, right), [NONE, 0, NONE, NONE, 0])
        row[RANK], row[NEW], row[LAST] = rank, new, int(first.get(new, NONE) > rank)
        pairs = [(BEFORE, (end, right)) for end in ends(left)] + [(AFTER, (left, start)) for start in starts(right)]
        for column, pair in pairs:
            row = rows.setdefault(pair, [NONE, 0, NONE, NONE, 0])
            row[column] = min(row[column], rank)
        if len(rows) > LARGEST:
            raise Error(f"The merges need a table of more than {LARGEST} pairs, which is too large for TensorFlow; "
                        "export token ids instead.")
    return rows


def _parts(table, side):
    """Return a function from an entry to all entries that it can begin (side 0) or end (side 1) with, and itself."""
    parts = {}
    for pair, (_, new) in table.items():
        parts.setdefault(new, set()).add(pair[side])

    @functools.cache
    def find(entry):
        reached, rest = {entry}, [entry]
        while rest:
            new = parts.get(rest.pop(), set()) - reached
            reached |= new
            rest += new
        return reached

    return find

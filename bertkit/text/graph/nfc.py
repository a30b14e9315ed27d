"""The Unicode normalization forms in TensorFlow, for all texts of a batch at once; equal to the steps of Normalizer.

Source: the Unicode Standard, section 3.11: decompose, put marks in the order of their classes, compose.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.text.graph.codepoints import CodepointRows
from bertkit.text.unicode.normalize import FORMS, Normalizer
from bertkit.text.unicode.tables import SIZE, combining_classes, compositions, decompositions

ABSENT = -SIZE                                # added to a codepoint, it gives a number below 0
NONE = -1
WIDTH = 1 << 21                               # above all codepoints


class UnicodeForm(tf.Module):
    """A Unicode normalization form of the codepoints of a batch.

    A call takes three int32 tensors [N] over all codepoints of the batch and returns the same of the normalised texts:
    the codepoints, the number of the text of each, and its place in that text.

    Args:
        name: "nfc", "nfd", "nfkc" or "nfkd".
    """

    def __init__(self, name: str):
        super().__init__()
        (step,), classes = Normalizer([[name]]).steps, np.zeros((SIZE, 2), np.int32)
        for c, number in combining_classes().items():
            classes[ord(c), 0] = number
        for pair in compositions():
            classes[ord(pair[1]), 1] = 1
        self._moves, self._classes = CodepointRows(step.triggers[:, None]), CodepointRows(classes)
        self._parts, self._composes = CodepointRows(_differences(decompositions(FORMS[name]))), name.endswith("c")
        keys = np.array([[ord(c) for c in pair] for pair in compositions()], np.int64) @ [WIDTH, 1]
        self._composed = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(
            keys, np.array([ord(c) for c in compositions().values()], np.int32)), NONE)

    def __call__(self, codes: Any, rows: Any, places: Any) -> Any:
        """Return the codepoints, their texts and their places after composition."""
        return tf.cond(tf.reduce_any(self._moves(codes) > 0), lambda: self._normalized(codes, rows, places),
                       lambda: (codes, rows, places))

    def _normalized(self, codes, rows, places):
        parts = codes[:, None] + self._parts(codes)
        present = tf.where(parts >= 0)
        parts, row = tf.gather_nd(parts, present), tf.gather(rows, present[:, 0])
        classes, seconds = tf.unstack(self._classes(parts), axis=1)
        begins = row != tf.concat([[NONE], row[:-1]], 0)
        order = _order(tf.cumsum(tf.cast(begins | (classes == 0), tf.int64)), classes)
        # The change of the number of codepoints that each one makes: 1 where it is inserted.
        change = tf.gather(tf.cast(present[:, 1] > 0, tf.int32), order)
        parts, classes, seconds = (tf.gather(values, order) for values in (parts, classes, seconds))
        if self._composes:
            starts = tf.where(begins | (classes + seconds == 0))[:, 0]
            parts, change = self._compose(parts, classes, change, tf.cast(starts, tf.int32))
            left = parts != NONE
            parts, change = tf.boolean_mask(parts, left), tf.boolean_mask(change, left)
        origins = tf.cumsum(1 - change, exclusive=True) - tf.cast(change > 0, tf.int32)
        return parts, tf.gather(rows, origins), tf.gather(places, origins)

    def _compose(self, codes, classes, change, starts):
        """Return the codepoints, NONE for those that became a part of one before, and their changes.

        Each of the stretches from `starts` on is composed by itself, all of them one codepoint a round.
        """
        def step(place, end, starter, last, codes, change):
            code, cls = tf.gather(codes, place), tf.gather(classes, place)
            first = tf.gather(codes, tf.maximum(starter, 0))
            new = self._composed.lookup(tf.cast(first, tf.int64) * WIDTH + tf.cast(code, tf.int64))
            fused = (new != NONE) & (starter != NONE) & ((last == 0) | (last < cls))
            into, gone = tf.boolean_mask(starter, fused)[:, None], tf.boolean_mask(place, fused)[:, None]
            codes = tf.tensor_scatter_nd_update(codes, into, tf.boolean_mask(new, fused))
            codes = tf.tensor_scatter_nd_update(codes, gone, tf.fill([tf.shape(gone)[0]], NONE))
            change = tf.tensor_scatter_nd_add(change, into, tf.gather_nd(change, gone) - 1)
            starter = tf.where(fused | (cls > 0), starter, place)
            state = place + 1, end, starter, tf.where(fused, last, cls)
            return *(tf.boolean_mask(values, place + 1 < end) for values in state), codes, change

        ends, last = tf.concat([starts[1:], [tf.size(codes)]], 0), tf.gather(classes, starts)
        longer = starts + 1 < ends
        begun = starts + 1, ends, tf.where(last == 0, starts, NONE), last
        state = [tf.boolean_mask(values, longer) for values in begun]
        some = tf.TensorShape([None])
        return tf.while_loop(lambda place, *_: tf.size(place) > 0, step, [*state, codes, change],
                             shape_invariants=[some] * 6)[4:]


def _order(groups, classes):
    """Return the order that sorts each group by class and leaves equal ones as they are."""
    count = tf.size(groups, tf.int64)
    return tf.argsort((groups * 256 + tf.cast(classes, tf.int64)) * count + tf.range(count))


def _differences(table):
    """Return int32 [0x110000, n]: what to add to each codepoint for those it becomes, ABSENT where there is none."""
    rows = np.full((SIZE, max(map(len, table.values()))), ABSENT, np.int32)
    rows[:, 0] = 0
    for c, text in table.items():
        rows[ord(c), :len(text)] = [ord(d) - ord(c) for d in text]
    return rows

"""Normalisation in TensorFlow, for all texts of a batch at once; equal to Normalizer."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.errors import Error
from bertkit.text.graph.codepoints import CodepointRows
from bertkit.text.graph.nfc import UnicodeForm
from bertkit.text.unicode import BLANKS
from bertkit.text.unicode.charsmap import CLUSTER
from bertkit.text.unicode.normalize import Normalizer
from bertkit.text.unicode.tables import SIZE, members

PLAIN, EXTEND, PREPEND, CONTROL = range(4)    # what a grapheme cluster sees of a codepoint
STAYS, GOES = 0, 1                            # what happens to a codepoint; numbers from 2 on name texts of a table
BASE = 1 << 21                                # above all codepoints
ALONE = ("accents", "lowercase", "bert")      # steps that look at one codepoint at a time


class GraphNormalizer(tf.Module):
    """Normalisation of the codepoints of a batch.

    A call takes three int32 tensors [N] over all codepoints of the batch and returns the same of the normalised texts:
    the codepoints, the number of the text of each, and its place in that text.

    Args:
        steps: list of the steps of `Normalizer`.
        mapping: dict {text: what it becomes} of the step charsmap.

    Raises:
        Error: when TensorFlow has no operation for a step.
    """

    def __init__(self, steps: list[Any], mapping: dict[str, str]):
        super().__init__()
        self._steps: list[Any] = []
        while steps:
            # The order of the marks of a decomposition does not matter if they are removed next.
            count = sum(1 for _ in itertools.takewhile(lambda step: step[0] in ALONE, steps))
            if steps[:2] == [["nfkd"], ["accents"]] or steps[:2] == [["nfd"], ["accents"]]:
                count = 2
            self._steps.append(_Alone(steps[:count]) if count else _step(steps[0], mapping))
            steps = steps[max(count, 1):]

    def __call__(self, codes: Any, rows: Any, places: Any) -> Any:
        """Return the codepoints, their texts and their places after normalisation."""
        for step in self._steps:
            codes, rows, places = step(codes, rows, places)
        return codes, rows, places


class _Texts(tf.Module):
    """What codepoints become: STAYS, GOES or the text of this number, which stands for `spans` codepoints."""

    def __init__(self, texts):
        super().__init__()
        lengths = np.array([1, 0, *map(len, texts)], np.int32)
        self._lengths, self._begins = tf.constant(lengths), tf.constant(np.cumsum(lengths, dtype=np.int32) - lengths)
        self._codes = tf.constant(np.array([0, *map(ord, "".join(texts))], np.int32))

    def __call__(self, numbers, spans, codes, rows, places):
        counts = tf.gather(self._lengths, numbers)
        origins = tf.repeat(tf.range(tf.size(codes)), counts)
        numbers = tf.gather(numbers, origins)
        within = tf.range(tf.size(origins)) - tf.gather(tf.cumsum(counts, exclusive=True), origins)
        new = tf.gather(self._codes, tf.gather(self._begins, numbers) + within)
        sources = origins + tf.minimum(within, tf.gather(spans, origins) - 1)
        return (tf.where(numbers == STAYS, tf.gather(codes, origins), new), tf.gather(rows, origins),
                tf.gather(places, sources))


class _Alone(tf.Module):
    """Steps that look at one codepoint at a time, as one table."""

    def __init__(self, steps):
        super().__init__()
        normalizer, numbers, texts = Normalizer(steps), np.zeros((SIZE, 1)), []
        becomes = {c: c for c in map(chr, np.flatnonzero(np.any([step.triggers for step in normalizer.steps], 0)))}
        for step in normalizer.steps:
            becomes = {c: step(text) if step.alone is None else "".join([step.alone.get(d, d) for d in text])
                       for c, text in becomes.items()}
        for c, new in becomes.items():
            numbers[ord(c)] = GOES if not new else 2 + len(texts) if new != c else STAYS
            texts += [new] if numbers[ord(c)] > GOES else []
        self._numbers, self._texts = CodepointRows(numbers), _Texts(texts)

    def __call__(self, codes, rows, places):
        return self._texts(self._numbers(codes)[:, 0], tf.ones_like(codes), codes, rows, places)


class _Charsmap(tf.Module):
    """The step charsmap: grapheme clusters as a whole if they are small and begin with an entry, else by codepoints."""

    def __init__(self, mapping):
        super().__init__()
        keys = sorted((_key(text), 2 + i) for i, text in enumerate(mapping) if 1 < len(text) < 4)
        self._keys = tf.constant([key for key, _ in keys] + [np.iinfo(np.int64).max], tf.int64)
        self._texts_of_keys = tf.constant([number for _, number in keys] + [STAYS], tf.int32)
        table = np.zeros((SIZE, 2))
        for kind, name in ((EXTEND, "extend"), (PREPEND, "prepend"), (CONTROL, "control")):
            table[members(name), 0] = kind
        for number, text in enumerate(mapping, 2):
            if len(text) == 1:
                table[ord(text), 1] = number
        self._table, self._texts = CodepointRows(table), _Texts(mapping.values())

    def __call__(self, codes, rows, places):
        kinds, alone = tf.unstack(self._table(codes), axis=1)
        begins = _cluster_begins(codes, kinds, rows)
        cluster = tf.cumsum(tf.cast(begins, tf.int32)) - 1
        first = tf.cast(tf.where(begins)[:, 0], tf.int32)
        lengths = tf.math.segment_sum(tf.ones_like(codes), cluster)
        small = tf.math.segment_sum(_size(codes), cluster) < CLUSTER
        whole = tf.where(small, self._whole(codes, first, lengths, tf.gather(alone, first)), STAYS)
        whole = tf.gather(whole, cluster)
        numbers = tf.where(whole == STAYS, alone, tf.where(begins, whole, GOES))
        spans = tf.where((whole != STAYS) & begins, tf.gather(lengths, cluster), 1)
        return self._texts(numbers, spans, codes, rows, places)

    def _whole(self, codes, first, lengths, alone):
        """Return the entry that each cluster begins with, the shortest: `alone` is that of its first codepoint."""
        rest = tf.where((lengths > 1) & (alone == STAYS))
        lengths, first = tf.gather_nd(lengths, rest), tf.gather_nd(first, rest)
        one, two, three = (tf.cast(tf.gather(tf.pad(codes, [[0, 2]]), first + i), tf.int64) for i in range(3))
        pair = self._entry((one * BASE + two) * BASE)
        triple = tf.where(lengths > 2, self._entry((one * BASE + two) * BASE + three), STAYS)
        return tf.tensor_scatter_nd_update(alone, rest, tf.where(pair == STAYS, triple, pair))

    def _entry(self, keys):
        place = tf.searchsorted(self._keys, keys)
        return tf.where(tf.gather(self._keys, place) == keys, tf.gather(self._texts_of_keys, place), STAYS)


class _Replace(tf.Module):
    """The step replace: matches from the left, none over another."""

    def __init__(self, old, new):
        super().__init__()
        self._old, self._texts, self._uniform = [ord(c) for c in old], _Texts([new]), len(set(old)) == 1
        if not self._uniform and any(old[i:] == old[:len(old) - i] for i in range(1, len(old))):
            raise Error(f"The normalisation step that replaces {old!r} has no form in TensorFlow, because its matches "
                        "can overlap; export token ids instead.")

    def __call__(self, codes, rows, places):
        size = len(self._old)
        hits = tf.reduce_all([shifted(codes, -i, -1) == c for i, c in enumerate(self._old)], 0)
        hits &= shifted(rows, 1 - size, -1) == rows
        if self._uniform:                                             # as in ''': the second does not begin a match
            starts = hits & ~shifted(hits, 1, False)
            begin = tf.gather(tf.concat([[0], tf.where(starts)[:, 0]], 0), tf.cumsum(tf.cast(starts, tf.int32)))
            hits &= (tf.range(tf.size(codes)) - tf.cast(begin, tf.int32)) % size == 0
        gone = tf.reduce_any([shifted(hits, i, False) for i in range(size)], 0)
        numbers = tf.where(shifted(hits, size - 1, False), 2, tf.where(gone, GOES, STAYS))
        return self._texts(numbers, tf.ones_like(codes), codes, rows, places)


class _Squeeze(tf.Module):
    """The step squeeze: the last space of some stands for all."""

    def __init__(self, new):
        super().__init__()
        self._texts = _Texts([new])

    def __call__(self, codes, rows, places):
        spaces = codes == ord(" ")
        follows = spaces & shifted(spaces, 1, False) & (shifted(rows, 1, -1) == rows)
        numbers = tf.where(shifted(follows, -1, False), GOES, tf.where(follows, 2, STAYS))
        return self._texts(numbers, tf.ones_like(codes), codes, rows, places)


class _SqueezeBlanks(_Squeeze):
    """The step squeeze_blanks: the last of some blanks stands for all, and a line end or a tab for itself."""

    def __call__(self, codes, rows, places):
        blanks = is_blank(codes)
        follows = blanks & shifted(blanks, 1, False) & (shifted(rows, 1, -1) == rows)
        alone = tf.reduce_any(codes[:, None] == [ord(c) for c in "\n\r\t"], 1)
        numbers = tf.where(shifted(follows, -1, False), GOES, tf.where(follows | alone, 2, STAYS))
        return self._texts(numbers, tf.ones_like(codes), codes, rows, places)


class _Strip(tf.Module):
    """The steps strip_left and strip_right: what stands before the first, or behind the last, that is no blank."""

    def __init__(self, right):
        super().__init__()
        self._right = right

    def __call__(self, codes, rows, places):
        filled = tf.cast(~is_blank(codes), tf.int32)
        counts = tf.cumsum(filled, reverse=self._right)
        ends = tf.concat([[0], counts, [0]], 0)[2:] if self._right else tf.concat([[0], counts], 0)[:-1]
        edge = shifted(rows, -1 if self._right else 1, -1) != rows
        outside = tf.math.unsorted_segment_max(tf.where(edge, ends, 0), rows, tf.reduce_max(tf.pad(rows, [[0, 1]])) + 1)
        kept = counts > tf.gather(outside, rows)
        return [tf.boolean_mask(values, kept) for values in (codes, rows, places)]


STEPS: dict[str, Callable[..., Any]] = {
    "replace": _Replace, "squeeze": _Squeeze, "squeeze_blanks": _SqueezeBlanks, "strip_left": lambda: _Strip(False),
    "strip_right": lambda: _Strip(True), "nfc": lambda: UnicodeForm("nfc"), "nfd": lambda: UnicodeForm("nfd"),
    "nfkc": lambda: UnicodeForm("nfkc"), "nfkd": lambda: UnicodeForm("nfkd")}


def is_blank(codes: Any) -> Any:
    """Return which codepoints are blanks.

    Args:
        codes: int32 [N], codepoints.

    Returns:
        bool [N].
    """
    return tf.reduce_any([codes == ord(c) for c in BLANKS], 0)


def shifted(values: Any, by: int, fill: Any) -> Any:
    """Return values shifted by a number of places.

    Args:
        values: tensor [N].
        by: number of places; above 0 to later places, below 0 to earlier ones.
        fill: value of the places that become free.

    Returns:
        A tensor [N].

    Example:
        >>> shifted(tf.constant([1, 2, 3]), 1, 0).numpy(), shifted(tf.constant([1, 2, 3]), -2, 0).numpy()
        (array([0, 1, 2], dtype=int32), array([3, 0, 0], dtype=int32))
    """
    space = tf.cast(tf.fill([abs(by)], fill), values.dtype)
    return tf.concat([space, values], 0)[:tf.size(values)] if by > 0 else tf.concat([values, space], 0)[-by:]


def _step(step, mapping):
    name, *values = step
    if name == "charsmap":
        return _Charsmap(mapping)
    if name not in STEPS:
        raise Error(f"The normalisation step {name} has no form in TensorFlow; export token ids instead.")
    return STEPS[name](*values)


def _cluster_begins(codes, kinds, rows):
    """Return which codepoints begin a grapheme cluster (Unicode Annex 29, as far as small clusters show it)."""
    before = shifted(kinds, 1, CONTROL)
    goes_on = (before != CONTROL) & (kinds == EXTEND) | (before == PREPEND) & (kinds != CONTROL)
    line_end = (shifted(codes, 1, 0) == ord("\r")) & (codes == ord("\n"))
    return ~(goes_on | line_end) | (shifted(rows, 1, -1) != rows)


def _size(codes):
    """Return how many bytes each codepoint has in UTF-8."""
    return 1 + sum(tf.cast(codes >= least, tf.int32) for least in (0x80, 0x800, 0x10000))


def _key(text):
    one, two, three = (ord(c) for c in text.ljust(3, "\0"))
    return (one * BASE + two) * BASE + three

"""Added tokens in TensorFlow: they are cut out of the texts before the model sees the rest, as `Splitter` does."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bertkit.text.added import Splitter, in_words
from bertkit.text.graph.codepoints import CodepointRows
from bertkit.text.graph.normalize import GraphNormalizer
from bertkit.text.unicode import BLANKS
from bertkit.text.unicode.tables import SIZE

MARK = b"\xff"                                # a byte that UTF-8 never contains


class Parts(NamedTuple):
    """What texts are cut into; P parts follow each other, a token or what stands between tokens.

    Args:
        texts: string [P], the parts.
        numbers: int32 [P], the number of the token of each part, -1 where it is none.
        begins: int32 [P], the character of its text at which each part begins.
        splits: int64 [B+1], the parts at which the texts begin.
    """

    texts: Any
    numbers: Any
    begins: Any
    splits: Any


class Cut(tf.Module):
    """Added tokens are cut out of texts, and a model tokenizes the text between them.

    A call takes a string tensor [B] and returns ids, ragged int32 [B, (T)], and offsets, ragged int32 [B, (T), 2].

    Args:
        model: what makes ids and offsets of a string tensor [B].
        splitter: the `Splitter` of the tokens.
        id_of: function from the content of a token to its id.
    """

    def __init__(self, model: Any, splitter: Splitter, id_of: Callable[[str], int]):
        super().__init__()
        wanted, tokens = zip(*sorted(splitter.tokens.items(), key=lambda item: -len(item[0])), strict=True)
        self._pattern = "(" + "|".join(map(re.escape, wanted)) + ")"
        self._numbers = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(
            tf.constant(wanted), tf.range(len(wanted))), -1)
        self._ids = tf.constant([id_of(token.content) for token in tokens], tf.int32)
        # The last entry is that of the number -1, no token.
        self._flags = {name: tf.constant([*(getattr(token, name) for token in tokens), False])
                       for name in ("lstrip", "rstrip", "single_word") if any(getattr(token, name) for token in tokens)}
        self._words = _Words() if "single_word" in self._flags else None
        self._model = model

    def __call__(self, texts: Any) -> list[Any]:
        """Return the ids and the offsets of texts, string [B]."""
        parts = self._parts(texts)
        is_token = parts.numbers >= 0
        ids, offsets = self._model(tf.where(is_token, "", parts.texts))
        counts = tf.cast(is_token, tf.int64)
        tokens = tf.boolean_mask(parts.numbers, is_token)
        ends = tf.strings.length(tf.boolean_mask(parts.texts, is_token), unit="UTF8_CHAR")
        places = tf.stack([tf.zeros_like(ends), ends], 1)
        ids = tf.concat([ids, tf.RaggedTensor.from_row_lengths(tf.gather(self._ids, tokens), counts)], 1)
        offsets = tf.concat([offsets, tf.RaggedTensor.from_row_lengths(places, counts)], 1).flat_values
        offsets += tf.repeat(parts.begins, ids.row_lengths())[:, None]
        splits = tf.gather(ids.row_splits, parts.splits)
        return [tf.RaggedTensor.from_row_splits(values, splits, validate=False)
                for values in (ids.flat_values, offsets)]

    def _parts(self, texts):
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        parts = tf.strings.split(tf.strings.regex_replace(texts, self._pattern, MARK + rb"\1" + MARK), MARK)
        is_token = tf.ragged.range(parts.row_lengths()).flat_values % 2 == 1
        numbers = tf.where(is_token, self._numbers.lookup(parts.flat_values), -1)
        parts = Parts(parts.flat_values, numbers, _begins(parts), parts.row_splits)
        if self._words:
            parts = self._words(texts, parts, self._has("single_word", parts.numbers))
        return self._without_blanks(parts)

    def _has(self, flag, numbers):
        flags = self._flags[flag]
        return tf.gather(flags, numbers % tf.size(flags))

    def _without_blanks(self, parts):
        """Take the blanks that a token takes along from the parts beside it."""
        edge = tf.constant([-1])
        rest, begins = parts.texts, parts.begins
        if "rstrip" in self._flags:
            after = self._has("rstrip", tf.concat([edge, parts.numbers[:-1]], 0))
            kept = tf.strings.regex_replace(rest, f"^[{BLANKS}]+", "")
            kept = tf.where(after & (parts.numbers < 0) & ~_first(parts), kept, rest)
            begins += tf.strings.length(rest, unit="UTF8_CHAR") - tf.strings.length(kept, unit="UTF8_CHAR")
            rest = kept
        if "lstrip" in self._flags:
            before = self._has("lstrip", tf.concat([parts.numbers[1:], edge], 0))
            last = tf.concat([_first(parts)[1:], [True]], 0)
            kept = tf.strings.regex_replace(rest, f"[{BLANKS}]+$", "")
            rest = tf.where(before & (parts.numbers < 0) & ~last, kept, rest)
        return parts._replace(texts=rest, begins=begins)


class Normalised(tf.Module):
    """A model of normalised texts, in which tokens are found.

    A call takes a string tensor [B] and returns ids, ragged int32 [B, (T)], and offsets, ragged int32 [B, (T), 2], in
    characters of the given texts.

    Args:
        model: what makes ids and offsets of normalised texts, string [B].
        steps: the steps of `Normalizer`.
        mapping: dict {text: what it becomes} of the step charsmap.
    """

    def __init__(self, model: Any, steps: list[Any], mapping: dict[str, str]):
        super().__init__()
        self._model, self._normalizer = model, GraphNormalizer(steps, mapping)

    def __call__(self, texts: Any) -> list[Any]:
        """Return the ids and the offsets of texts, string [B]."""
        text = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        places = tf.ragged.range(tf.cast(text.row_lengths(), tf.int32)).flat_values
        codes, rows, places = self._normalizer(text.flat_values, tf.cast(text.value_rowids(), tf.int32), places)
        codes = tf.RaggedTensor.from_value_rowids(codes, tf.cast(rows, tf.int64), text.nrows(), validate=False)
        ids, offsets = self._model(tf.strings.unicode_encode(codes, "UTF-8"))
        begins, ends = tf.unstack(offsets.flat_values, axis=1)
        starts = tf.cast(tf.gather(codes.row_starts(), ids.value_rowids()), tf.int32)
        places = tf.concat([places, [0]], 0)
        last = tf.where(ends > 0, tf.gather(places, tf.maximum(starts + ends - 1, 0)) + 1, 0)
        first = tf.where(begins < ends, tf.gather(places, starts + begins), last)
        return [ids, ids.with_flat_values(tf.stack([first, last], 1))]


class _Words(tf.Module):
    """Tokens that are found as single words only: beside a letter, a mark or a digit they are text again."""

    def __init__(self):
        super().__init__()
        table = np.zeros((SIZE, 1), np.int32)
        table[[ord(c) for c in in_words()]] = 1
        self._table = CodepointRows(table)

    def __call__(self, texts, parts, single):
        decoded = tf.strings.unicode_decode(texts, "UTF-8")
        inside = tf.pad(self._table(decoded.flat_values)[:, 0], [[1, 1]])
        row = tf.repeat(tf.range(decoded.nrows()), parts.splits[1:] - parts.splits[:-1])
        sizes = tf.strings.length(parts.texts, unit="UTF8_CHAR")
        start = tf.cast(tf.gather(decoded.row_starts(), row), tf.int32)
        length = tf.cast(tf.gather(decoded.row_lengths(), row), tf.int32)
        before = (parts.begins > 0) & (tf.gather(inside, start + parts.begins) > 0)
        after = (parts.begins + sizes < length) & (tf.gather(inside, start + parts.begins + sizes + 1) > 0)
        return _joined(parts._replace(numbers=tf.where(single & (before | after), -1, parts.numbers)))


def _joined(parts):
    """Return parts in which what stands between two tokens is one part again."""
    is_token = parts.numbers >= 0
    begins = _first(parts) | is_token | tf.concat([[True], is_token[:-1]], 0)
    group, count = tf.cumsum(tf.cast(begins, tf.int64)) - 1, tf.math.count_nonzero(begins)
    texts = tf.strings.unsorted_segment_join(parts.texts, group, count)
    first = tf.where(begins)[:, 0]
    splits = tf.gather(tf.concat([group, count[None]], 0), parts.splits)
    return Parts(texts, tf.gather(parts.numbers, first), tf.gather(parts.begins, first), splits)


def _first(parts):
    """Return bool [P], which parts begin a text; no text is without parts."""
    starts = parts.splits[:-1, None]
    return tf.scatter_nd(starts, tf.ones_like(starts[:, 0], tf.bool), tf.shape(parts.texts, tf.int64))


def _begins(parts):
    """Return the character at which each part, ragged string, begins in its text."""
    sizes = tf.strings.length(parts.flat_values, unit="UTF8_CHAR")
    before = tf.cumsum(sizes, exclusive=True)
    return before - tf.repeat(tf.gather(before, parts.row_starts()), parts.row_lengths())

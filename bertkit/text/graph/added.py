"""Added tokens in TensorFlow: they are cut out of the texts before the model sees the rest."""

import re
from typing import Any

import tensorflow as tf

from bertkit.errors import Error
from bertkit.text.added import Added

MARK = b"\xff"                                # a byte that UTF-8 never contains


class Cut(tf.Module):
    """Added tokens are cut out of texts, and a model tokenizes the text between them.

    A call takes a string tensor [B] and returns ids, ragged int32 [B, (T)], and offsets, ragged int32 [B, (T), 2].

    Args:
        model: what makes ids and offsets of a string tensor [B].
        ids: dict {`Added`: id} of the tokens that are found everywhere.

    Raises:
        Error: when a token takes the blanks before it along.
    """

    def __init__(self, model: Any, ids: dict[Added, int]):
        super().__init__()
        if takers := [token.content for token in ids if token.lstrip]:
            raise Error(f"The added token {takers[0]!r} takes the blanks before it along, which has no form in "
                        "TensorFlow; export token ids instead.")
        contents = sorted((token.content for token in ids), key=len, reverse=True)
        self._pattern = "(" + "|".join(map(re.escape, contents)) + ")"
        self._ids = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(
            tf.constant([token.content for token in ids]), tf.constant([*ids.values()], tf.int32)), -1)
        self._model = model

    def __call__(self, texts: Any) -> list[Any]:
        """Return the ids and the offsets of texts, string [B]."""
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        parts = tf.strings.split(tf.strings.regex_replace(texts, self._pattern, MARK + rb"\1" + MARK), MARK)
        is_token = tf.ragged.range(parts.row_lengths()).flat_values % 2 == 1
        ids, offsets = self._model(tf.where(is_token, "", parts.flat_values))
        counts = tf.cast(is_token, tf.int64)
        tokens = tf.boolean_mask(parts.flat_values, is_token)
        ends = tf.strings.length(tokens, unit="UTF8_CHAR")
        places = tf.stack([tf.zeros_like(ends), ends], 1)
        ids = tf.concat([ids, tf.RaggedTensor.from_row_lengths(self._ids.lookup(tokens), counts)], 1)
        offsets = tf.concat([offsets, tf.RaggedTensor.from_row_lengths(places, counts)], 1).flat_values
        offsets += tf.repeat(_begins(parts), ids.row_lengths())[:, None]
        splits = tf.gather(ids.row_splits, parts.row_splits)
        return [tf.RaggedTensor.from_row_splits(values, splits, validate=False)
                for values in (ids.flat_values, offsets)]


def _begins(parts):
    """Return the character at which each part, ragged string, begins in its text."""
    sizes = tf.strings.length(parts.flat_values, unit="UTF8_CHAR")
    before = tf.cumsum(sizes, exclusive=True)
    return before - tf.repeat(tf.gather(before, parts.row_starts()), parts.row_lengths())

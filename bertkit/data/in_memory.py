"""Texts and labels that are in memory as what `model.fit()` reads: batches of rows of like length."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bertkit.data.features import Features, Padding, cut_rows, features_of, pack
from bertkit.data.pipeline import BatchSampler
from bertkit.data.targets import class_indices, targets
from bertkit.errors import Error
from bertkit.tasks.columns import to_list
from bertkit.tasks.packed import Packed
from bertkit.tasks.tagging import Tagging
from bertkit.terminal import say

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from bertkit.text import Tokenizer


def dataset(texts: Any, labels: Any, tokenizer: "Tokenizer", batch_size: int = 32, length: int = 128, seed: int = 0,
            shuffle: bool = True, sample_weight: Any = None, classes: Any = None) -> "tf.data.Dataset":
    """Return texts and labels as a `tf.data.Dataset` for `model.fit()`.

    It ends after one pass; each pass has every row once, in a new order that depends on the seed alone. Rows of like
    length come together, and a batch is padded to its longest row. Arrays and columns of pandas do for lists.

    Args:
        texts: A list of strings, of pairs of strings (a frame of two columns is one), or, where labels are tags, of
            lists of words.
        labels: Whole numbers (classes) or numbers (scores), one a row; names, which become their place in `classes`;
            lists of names, for several labels a row; lists of tags, one for each word of a list of words; or None.
        tokenizer: The tokenizer of the encoder.
        batch_size: Rows of a batch; the last one of a pass holds what is left.
        length: Tokens that a row is cut to, special tokens included. How many rows were cut is said. Words with tags
            are not cut: a long row becomes several windows.
        seed: Of the order of the rows.
        shuffle: False keeps the given order.
        sample_weight: One number a row: how much it counts in the loss.
        classes: The names in the order of the model's outputs; by default those that occur, sorted.

    Returns:
        Batches `({"token_ids", "segment_ids", "padding_mask"}, labels)`, the former int32 [B,T]; with `sample_weight`
        also the weights, float32 [B]. Labels are int32 [B] or float32 [B], float32 [B,C] (several labels a row, 0 or
        1), or int32 [B,T] (tags, at the first piece of each word; -1 elsewhere). Without labels, the dict alone.

    Raises:
        Error: If texts, labels and weights differ in number or are of mixed kinds, a label is not among the classes, or
            there is no row.

    >>> from bertkit import Tokenizer
    >>> rows = dataset(["good", "so bad"], ["yes", "no"], Tokenizer.load("bertkit://english"), batch_size=1)
    >>> sorted((batch["token_ids"].shape[1], int(labels[0])) for batch, labels in rows)
    [(3, 1), (4, 0)]
    """
    return batches(texts, labels, tokenizer, batch_size, length, seed, shuffle, sample_weight, classes).epoch_dataset()


def py_dataset(texts: Any, labels: Any, tokenizer: "Tokenizer", batch_size: int = 32, length: int = 128, seed: int = 0,
               shuffle: bool = True, sample_weight: Any = None, classes: Any = None) -> "keras.utils.PyDataset":
    """Return the same as `dataset` as a `keras.utils.PyDataset`, for any backend of Keras; it imports no TensorFlow.

    A backend other than TensorFlow compiles each shape of a batch anew; there rows are padded to multiples of 16
    tokens.

    Args:
        texts: As in `dataset`, and so are all others.
        labels: One for each text, or None.
        tokenizer: The tokenizer of the encoder.
        batch_size: Rows of a batch.
        length: Tokens that a row is cut to.
        seed: Of the order of the rows.
        shuffle: False keeps the given order.
        sample_weight: One number a row, or None.
        classes: The names in the order of the model's outputs, or None.

    Returns:
        The batches as arrays of numpy. A pass ends with `on_epoch_end()`, which `fit()` calls.

    Raises:
        Error: As `dataset` does.

    >>> from bertkit import Tokenizer
    >>> rows = py_dataset(["good", "so bad", "bad"], [1, 0, 0], Tokenizer.load("bertkit://english"), batch_size=2)
    >>> len(rows), rows[0][0]["token_ids"].dtype
    (2, dtype('int32'))
    """
    from bertkit.data.sequence import BatchSequence
    return BatchSequence(batches(texts, labels, tokenizer, batch_size, length, seed, shuffle, sample_weight, classes))


def batches(texts: Any, labels: Any, tokenizer: "Tokenizer", batch_size: int, length: int, seed: int, shuffle: bool,
            sample_weight: Any, classes: Any) -> BatchSampler:
    """Return the batches of texts and labels, which `dataset` and `py_dataset` hand to Keras.

    Args:
        texts: As in `dataset`, and so are all others.
        labels: One for each text, or None.
        tokenizer: The tokenizer of the encoder.
        batch_size: Rows of a batch.
        length: Tokens that a row is cut to.
        seed: Of the order of the rows.
        shuffle: False keeps the given order.
        sample_weight: One number a row, or None.
        classes: The names in the order of the model's outputs, or None.

    Returns:
        The `BatchSampler`.

    Raises:
        Error: As `dataset` does.
    """
    if not isinstance(getattr(tokenizer, "model_vocabulary", None), tuple):
        raise Error(f"A {type(tokenizer).__name__} came where a tokenizer was wanted; give "
                    "bertkit.Tokenizer.load(PATH).")
    if not isinstance(classes, Iterable | None) or isinstance(classes, str):
        raise Error(f"classes={classes!r:.40}; give a list of the names of the classes.")
    texts = to_list(texts, "texts")
    labels = None if labels is None else to_list(labels, "labels")
    weights = None if sample_weight is None else _weights(to_list(sample_weight, "weights"))
    for name, values in (("labels", labels), ("sample weights", weights)):
        if values is not None and len(values) != len(texts):
            raise Error(f"{len(texts)} texts came with {len(values)} {name}; give one for each text.")
    if weights is not None and labels is None:
        raise Error("sample_weight came without labels, and weights count in a loss; give labels too.")
    if labels is not None and tags(texts, labels):
        found = _tagged(texts, labels, tokenizer, length, weights, classes)
    else:
        rows = packed_texts(texts, tokenizer, length)
        found = replace(rows, labels=None if labels is None else targets(labels, classes), weights=weights)
    return BatchSampler(found, batch_size, seed, shuffle=shuffle)


def packed_texts(texts: list, tokenizer: "Tokenizer", length: int) -> Features:
    """Return texts or pairs as rows of ids; how many of them were cut is said.

    Args:
        texts: Strings, or pairs of strings.
        tokenizer: The tokenizer.
        length: Tokens that a row is cut to, special tokens included.

    Returns:
        The `Features`.
    """
    rows, cut = cut_rows(tokenizer, *split_pairs(texts), length)
    if cut:
        say(f"{cut:,} of {len(rows):,} texts have more than {length} tokens and were cut; a larger length reads more.")
    return pack(rows, Padding.of(tokenizer))


def split_pairs(texts: list) -> tuple[list, list | None]:
    """Return the first and the second texts of rows.

    Args:
        texts: Strings, or pairs of strings.

    Returns:
        (texts, None), or, of pairs, (first texts, second texts).

    Raises:
        Error: If a row is neither, or rows are of both kinds.
    """
    single = bool(texts) and isinstance(texts[0], str | bytes)
    for row, text in enumerate(texts, start=1):
        parts = (text,) if single else text if isinstance(text, list | tuple) and len(text) == 2 else (None,)
        if not all(isinstance(part, str | bytes) for part in parts):
            raise Error(f"The text of row {row} is {text!r:.60}; give a str in every row, or a pair (first, second) in "
                        "every row.")
    if single or not texts:
        return texts, None
    first, second = zip(*texts, strict=True)
    return list(first), list(second)


def tags(texts: list, labels: list) -> bool:
    """Return whether labels are the tags of words: lists, one tag for each word of the list that is the text.

    A tuple of two is a pair of texts, and so is a list of two where not all rows have as many labels as words.

    Args:
        texts: The texts of rows.
        labels: Their labels.

    Returns:
        Whether they are tags.
    """
    rows = list(zip(texts, labels, strict=True))
    if not rows or not all(isinstance(text, list | tuple) and isinstance(label, list | tuple) for text, label in rows):
        return False
    pairs = all(len(text) == 2 for text, _ in rows)
    return not (pairs and (isinstance(texts[0], tuple) or any(len(text) != len(label) for text, label in rows)))


def _tagged(texts, labels, tokenizer, length, weights, classes):
    """Return the `Features` of words and tags, in which each window of a long row is a row."""
    for row, (words, label) in enumerate(zip(texts, labels, strict=True), start=1):
        if len(words) != len(label) or not all(isinstance(word, str) for word in words):
            raise Error(f"Row {row} has {len(words)} words and {len(label)} tags; give a list of strings and one tag "
                        "for each.")
    task = Tagging(_names([tag for label in labels for tag in label], classes))
    packed = [task.pack(tokenizer, [list(words)], length, [list(map(str, label))])
              for words, label in zip(texts, labels, strict=True)]
    joined = Packed([row for one in packed for row in one.rows],
                    token_labels=np.concatenate([one.token_labels for one in packed]))
    weights = None if weights is None else np.repeat(weights, [len(one.rows) for one in packed])
    return replace(features_of(joined, tokenizer), weights=weights)


def _names(tags, classes):
    """Return the names of tags in the order of their numbers; tags that are whole numbers have these themselves."""
    if all(isinstance(tag, int) for tag in tags):
        return tuple(map(str, range(max(tags, default=0) + 1 if classes is None else len(classes))))
    return tuple(map(str, class_indices(classes, tags)))


def _weights(values):
    try:
        weights = np.array(values, "float32")
    except (TypeError, ValueError):
        weights = np.array(np.nan)
    if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0).any():
        raise Error("sample_weight holds something else than numbers of 0 or more; give one for each row.")
    return weights

"""Accuracy, precision, recall, F1, Matthews correlation and the confusion matrix they come from."""

import numpy as np

from bertkit.errors import Error
from bertkit.metrics.aligned import aligned


def accuracy(labels, predictions):
    """Return the fraction of rows that are right; of [B,C] rows of 0 and 1, those right throughout.

    >>> accuracy(["yes", "no", "no"], ["yes", "no", "yes"])
    0.6666666666666666
    """
    labels, predictions = aligned(labels, predictions)
    right = labels == predictions
    return float(right.reshape(len(right), -1).all(axis=1).mean())


def confusion(labels, predictions, classes=None):
    """Return counts [C,C] int64: entry [i,j] = rows of class i that were predicted as class j.

    `classes` fixes the order; without it, the sorted classes that occur on either side.
    Raises Error for a label or prediction that is not among `classes`.

    >>> confusion(["a", "b", "b"], ["a", "a", "b"], classes=["a", "b"]).tolist()
    [[1, 0], [1, 1]]
    """
    labels, predictions = _single(*aligned(labels, predictions))
    present, (actual, predicted) = _codes(labels, predictions)
    counts = np.zeros((len(present), len(present)), np.int64)
    np.add.at(counts, (actual, predicted), 1)
    return counts if classes is None else _reordered(counts, present.tolist(), list(classes))


def matthews(labels, predictions):
    """Return the Matthews correlation in its multi-class form; 0.0 where it is undefined.

    (c s - sum_k p_k t_k) / sqrt((s^2 - sum_k p_k^2) (s^2 - sum_k t_k^2)), with c rows right of s,
    and p_k, t_k the predictions and labels of class k.  Gorodkin 2004, equation 8.

    >>> matthews([0, 1, 1, 0], [0, 1, 1, 1])
    0.5773502691896258
    """
    _, actual, predicted, hits = _counts(*_single(*aligned(labels, predictions)))
    actual, predicted, rows = actual.astype(float), predicted.astype(float), float(actual.sum())
    spread = (rows**2 - predicted @ predicted) * (rows**2 - actual @ actual)
    return float((hits.sum() * rows - predicted @ actual) / np.sqrt(spread)) if spread else 0.0


def f1(labels, predictions, average="binary", positive=1):
    """Return F1 = 2 hits / (labels + predictions) of a class; 0 where nothing is of that class.

    `average`: "binary" scores the class `positive` of two ("1" where classes are strings),
    "macro" is the plain mean over the classes that occur on either side, "micro" pools counts.
    Multi-label rows are [B,C] of 0 and 1; there macro is the mean over all C columns.
    Raises Error for "binary" where it does not say which class is meant.

    >>> f1([1, 1, 0, 0], [1, 0, 0, 1])
    0.5
    >>> f1(["a", "b", "c", "c"], ["a", "b", "c", "b"], average="macro")
    0.7777777777777777
    """
    if average not in ("binary", "macro", "micro"):
        raise Error(f"average={average!r} is unknown; give 'binary', 'macro' or 'micro'.")
    labels, predictions = aligned(labels, predictions)
    classes, *counts = _counts(labels, predictions)
    if average == "macro":
        return float(_harmonic(*counts).mean())
    pooled = np.ones(len(classes), bool)
    if average == "binary":
        pooled = _is_positive(labels.ndim, classes, positive)
    return float(_harmonic(*(count[pooled].sum() for count in counts)))


def by_class(labels, predictions):
    """Return {class: {"precision", "recall", "f1", "support"}} of the classes that occur on either side.

    precision = hits / predictions, recall = hits / labels, fractions, 0 of nothing; support counts labels.
    Multi-label rows are [B,C] of 0 and 1; there the classes are the column numbers.

    >>> by_class(["a", "b", "b"], ["a", "a", "b"])["b"]
    {'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666, 'support': 2}
    """
    classes, actual, predicted, hits = _counts(*aligned(labels, predictions))
    columns = hits / np.maximum(predicted, 1), hits / np.maximum(actual, 1), _harmonic(actual, predicted, hits), actual
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {name: dict(zip(("precision", "recall", "f1", "support"), row, strict=True))
            for name, row in zip(classes.tolist(), rows, strict=True)}


def _harmonic(actual, predicted, hits):
    total = actual + predicted
    return 2 * hits / np.maximum(total, 1)


def _is_positive(ndim, classes, positive):
    """Return the mask [C] of the positive class, empty if no row is of it."""
    if ndim != 1 or len(classes) > 2:
        raise Error(
            f"f1 of the positive class wants two classes, and {len(classes)} came; "
            "give average='macro' or 'micro'."
        )
    mask = classes == (str(positive) if classes.dtype.kind == "U" else positive)
    if len(classes) == 2 and not np.any(mask):
        raise Error(
            f"no class is {positive!r}, the classes are {classes.tolist()}; "
            "say which one is positive, or give average='macro'."
        )
    return np.broadcast_to(mask, classes.shape)


def _single(labels, predictions):
    if labels.ndim != 1:
        raise Error(f"one class a row was wanted, and an array of shape {labels.shape} came; "
                    "score multi-label rows with accuracy and f1.")
    return labels, predictions


def _codes(labels, predictions):
    """Return the sorted classes [C] and both sides as places in them, int [2,B]."""
    both = np.stack([labels, predictions])
    classes, codes = np.unique(both, return_inverse=True)
    return classes, codes.reshape(both.shape)


def _counts(labels, predictions):
    """Return the classes, then the labels, the predictions and the hits of each: int64 [C]."""
    if labels.ndim == 1:
        classes, (actual, predicted) = _codes(labels, predictions)
        sides = (actual, predicted, actual[actual == predicted])
        return classes, *(np.bincount(side, minlength=len(classes)) for side in sides)
    both = labels, predictions
    if labels.ndim != 2 or not all(((side == 0) | (side == 1)).all() for side in both):
        raise Error(f"an array of shape {labels.shape} came; wanted one class a row, or rows of "
                    "0 and 1 with a place for every class.")
    actual, predicted = (side.astype(bool) for side in both)
    sides = (actual, predicted, actual & predicted)
    return np.arange(labels.shape[1]), *(side.sum(axis=0) for side in sides)


def _reordered(counts, present, classes):
    unknown = [name for name in present if name not in classes]
    if unknown:
        raise Error(f"the classes {unknown} occur and are not among {classes}; add them.")
    places = [classes.index(name) for name in present]
    table = np.zeros((len(classes), len(classes)), np.int64)
    table[np.ix_(places, places)] = counts
    return table

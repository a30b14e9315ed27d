"""Accuracy, precision, recall, F1, Matthews correlation and the confusion matrix that they come from."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.metrics.aligned import aligned


def accuracy(labels: Any, predictions: Any) -> float:
    """Return the fraction of the rows that are right.

    A multi-label row is right when every column of it is right.

    Args:
        labels: classes [B], or rows [B, C] of 0 and 1.
        predictions: predictions of the same shape.

    Returns:
        The accuracy, a float between 0 and 1.

    Raises:
        Error: when labels and predictions cannot be compared (see `aligned`).

    Example:
        >>> accuracy(["yes", "no", "no"], ["yes", "no", "yes"])
        0.6666666666666666
    """
    labels, predictions = aligned(labels, predictions)
    right = labels == predictions
    return float(right.reshape(len(right), -1).all(axis=1).mean())


def confusion(labels: Any, predictions: Any, classes: Sequence[Any] | None = None) -> np.ndarray:
    """Return the confusion matrix.

    Args:
        labels: classes [B].
        predictions: predicted classes [B].
        classes: the classes in the order of the matrix; None takes the classes that occur on either side, sorted.

    Returns:
        int64 array [C, C]: entry [i, j] counts the rows of class i that were predicted as class j.

    Raises:
        Error: when a label or a prediction is not among `classes`, or the rows are multi-label.

    Example:
        >>> confusion(["a", "b", "b"], ["a", "a", "b"], classes=["a", "b"]).tolist()
        [[1, 0], [1, 1]]
    """
    labels, predictions = _single(*aligned(labels, predictions))
    present, (actual, predicted) = _codes(labels, predictions)
    counts = np.zeros((len(present), len(present)), np.int64)
    np.add.at(counts, (actual, predicted), 1)
    return counts if classes is None else _reordered(counts, present.tolist(), list(classes))


def matthews(labels: Any, predictions: Any) -> float:
    """Return the Matthews correlation in its multi-class form.

    (c s - Σ_k p_k t_k) / sqrt((s^2 - Σ_k p_k^2) (s^2 - Σ_k t_k^2)), where c of s rows are right, and p_k and t_k count
    the predictions and the labels of class k. Source: Gorodkin 2004, equation 8.

    Args:
        labels: classes [B].
        predictions: predicted classes [B].

    Returns:
        The correlation, a float between -1 and 1; 0.0 where it is undefined.

    Raises:
        Error: when labels and predictions cannot be compared, or the rows are multi-label.

    Example:
        >>> matthews([0, 1, 1, 0], [0, 1, 1, 1])
        0.5773502691896258
    """
    _, actual, predicted, hits = _counts(*_single(*aligned(labels, predictions)))
    actual, predicted, rows = actual.astype(float), predicted.astype(float), float(actual.sum())
    spread = (rows**2 - predicted @ predicted) * (rows**2 - actual @ actual)
    return float((hits.sum() * rows - predicted @ actual) / np.sqrt(spread)) if spread else 0.0


def f1(labels: Any, predictions: Any, average: str = "binary", positive: Any = 1) -> float:
    """Return the F1 score.

    F1 = 2 hits / (labels + predictions) of a class; 0 where no label and no prediction is of that class.

    Args:
        labels: classes [B], or multi-label rows [B, C] of 0 and 1.
        predictions: predictions of the same shape.
        average: "binary" scores the class `positive` of two classes; "macro" is the mean over the classes that occur on
            either side, of multi-label rows over all C columns; "micro" adds up the counts of all classes first.
        positive: the class that "binary" scores; "1" where classes are strings.

    Returns:
        F1, a float between 0 and 1.

    Raises:
        Error: when `average` is unknown, or "binary" does not say which class is meant.

    Example:
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


def by_class(labels: Any, predictions: Any) -> dict[Any, dict[str, float]]:
    """Return precision, recall and F1 of each class.

    precision = hits / predictions, recall = hits / labels; a fraction of nothing is 0.

    Args:
        labels: classes [B], or multi-label rows [B, C] of 0 and 1.
        predictions: predictions of the same shape.

    Returns:
        A dict {class: {"precision", "recall", "f1", "support"}} of the classes that occur on either side; "support"
        counts the labels of the class. Of multi-label rows the classes are the column numbers.

    Raises:
        Error: when labels and predictions cannot be compared.

    Example:
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
    try:
        classes, codes = np.unique(both, return_inverse=True)
    except TypeError:
        raise Error("labels and predictions hold values that cannot be compared, such as None; give numbers or names."
                    ) from None
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

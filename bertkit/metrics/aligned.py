"""Labels and predictions as two arrays that can be compared row by row."""

from typing import Any

import numpy as np

from bertkit.errors import Error


def aligned(labels: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions as arrays of one shape and one kind: numbers, strings or bytes.

    Strings and numbers are never equal, so comparing them would give the score 0 without a warning.

    Args:
        labels: labels [B] or [B, C], a sequence or an array.
        predictions: predictions of the same shape.

    Returns:
        The labels and the predictions, two arrays [B] or [B, C]; both of numbers, both of str or both of bytes.

    Raises:
        Error: when there are no rows, the shapes differ, or one side holds strings and the other numbers.

    Example:
        >>> aligned(["1", "0"], ["1", "1"])[0].tolist()
        ['1', '0']
    """
    labels, predictions = _array(labels), _array(predictions)
    if labels.shape != predictions.shape:
        raise Error(
            f"labels of shape {labels.shape} and predictions of shape {predictions.shape} cannot be "
            "compared; give one prediction for each label."
        )
    if labels.ndim == 0:
        raise Error(f"One label alone came ({labels.item()!r:.40}); give a list of labels and one of predictions.")
    if labels.size == 0:
        raise Error("There are no rows to score; give at least one label and one prediction.")
    if _kind(labels) != _kind(predictions):
        raise Error(
            f"labels are {_kind(labels)} and predictions are {_kind(predictions)}; give both as "
            "class indices or both as names."
        )
    return labels, predictions


def _array(values):
    try:
        array = np.asarray(values)
        # An object array (of strings, say) hides its kind; a list of its elements shows it.
        return np.asarray(array.tolist()) if array.dtype == object else array
    except ValueError as error:
        raise Error("rows of unequal length came; give one label, or one row of 0 and 1 with a "
                    "place for every class, for each example.") from error


def _kind(array):
    return {"U": "strings", "S": "bytes"}.get(array.dtype.kind, "numbers")

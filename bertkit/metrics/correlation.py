"""Pearson's and Spearman's correlation of scores."""

import numpy as np

from bertkit.errors import Error
from bertkit.metrics.aligned import aligned


def pearson(labels, predictions):
    """Return sum (x - mean x)(y - mean y) / (|x - mean x| |y - mean y|); nan if a side is constant.

    Numbers may come as text ("3.750"), as files hold them.

    >>> round(pearson([1, 2, 3], [1, 2, 4]), 4)
    0.982
    """
    x, y = _scores(labels, predictions)
    return _correlation(x, y)


def spearman(labels, predictions):
    """Return Pearson's correlation of the ranks, ties sharing their mean rank; nan if constant.

    >>> round(spearman([1, 2, 3], [1, 20, 400]), 4)
    1.0
    """
    x, y = _scores(labels, predictions)
    if np.isnan(x).any() or np.isnan(y).any():
        return float("nan")
    return _correlation(_ranks(x), _ranks(y))


def _scores(labels, predictions):
    """Return both as float64 [B]."""
    try:
        sides = np.asarray(labels, np.float64), np.asarray(predictions, np.float64)
    except (TypeError, ValueError) as error:
        raise Error(f"a correlation is of numbers, and others came ({error}).") from error
    x, y = aligned(*sides)
    if x.ndim != 1:
        raise Error(f"one score a row was wanted, and an array of shape {x.shape} came.")
    return x, y


def _correlation(x, y):
    # Equal values have no correlation; their rounded mean could make one up.
    if (x == x[0]).all() or (y == y[0]).all():
        return float("nan")
    return float(np.clip(_direction(x) @ _direction(y), -1.0, 1.0))


def _direction(x):
    """Return x less its mean, scaled to length 1; the first scaling keeps squares finite."""
    centred = x - x.mean()
    centred = centred / np.abs(centred).max()
    return centred / np.linalg.norm(centred)


def _ranks(x):
    _, places, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]

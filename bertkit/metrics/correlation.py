"""Correlation of scores (Pearson, Spearman, Kendall) and their mean squared error."""

from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.metrics.aligned import aligned


def pearson(labels: Any, predictions: Any) -> float:
    """Return Pearson's correlation.

    r = Σ (x - mean x)(y - mean y) / (|x - mean x| |y - mean y|).

    Args:
        labels: scores [B]; numbers may come as text ("3.750"), as files hold them.
        predictions: scores [B].

    Returns:
        r, a float between -1 and 1; nan when one side is constant.

    Raises:
        Error: when a score is no number, or the sides differ in shape.

    Example:
        >>> round(pearson([1, 2, 3], [1, 2, 4]), 4)
        0.982
    """
    x, y = _scores(labels, predictions)
    return _correlation(x, y)


def spearman(labels: Any, predictions: Any) -> float:
    """Return Spearman's correlation, which is Pearson's correlation of the ranks.

    Scores that are equal share the mean of their ranks.

    Args:
        labels: scores [B].
        predictions: scores [B].

    Returns:
        The correlation, a float between -1 and 1; nan when one side is constant.

    Raises:
        Error: when a score is no number, or the sides differ in shape.

    Example:
        >>> round(spearman([1, 2, 3], [1, 20, 400]), 4)
        1.0
    """
    x, y = _scores(labels, predictions)
    if np.isnan(x).any() or np.isnan(y).any():
        return float("nan")
    return _correlation(ranks(x), ranks(y))


def kendall(labels: Any, predictions: Any) -> float:
    """Return Kendall's τ_b in O(n log^2 n).

    τ_b = (C - D) / sqrt((P - X) (P - Y)): of P pairs of rows, C are ordered alike on both sides, D are ordered
    differently, X are tied on the first side and Y on the second. Source: Kendall 1945.

    Args:
        labels: scores [B].
        predictions: scores [B].

    Returns:
        τ_b, a float between -1 and 1; nan when one side is constant.

    Raises:
        Error: when a score is no number, or the sides differ in shape.

    Example:
        >>> round(kendall([1, 2, 3, 4], [1, 3, 2, 4]), 4)
        0.6667
    """
    x, y = _scores(labels, predictions)
    if np.isnan(x).any() or np.isnan(y).any():
        return float("nan")
    (_, x), (_, y) = (np.unique(side, return_inverse=True) for side in (x, y))
    pairs, tied_x, tied_y = len(x) * (len(x) - 1) // 2, _tied(x), _tied(y)
    if pairs in (tied_x, tied_y):
        return float("nan")
    tied_both = _tied(x * len(y) + y)
    discordant = _inversions(y[np.lexsort((y, x))])
    balance = pairs - tied_x - tied_y + tied_both - 2 * discordant
    return float(balance / np.sqrt(float(pairs - tied_x)) / np.sqrt(float(pairs - tied_y)))


def mse(labels: Any, predictions: Any) -> float:
    """Return the mean squared error Σ (x - y)^2 / rows.

    Args:
        labels: scores [B].
        predictions: scores [B].

    Returns:
        The error, a float, in the square of the scores' unit.

    Raises:
        Error: when a score is no number, or the sides differ in shape.

    Example:
        >>> mse([1.0, 2.0], [1.0, 4.0])
        2.0
    """
    x, y = _scores(labels, predictions)
    return float(np.square(x - y).mean())


def ranks(values: Any) -> np.ndarray:
    """Return the rank of each number, 1 for the smallest; equal numbers share the mean of their ranks.

    Args:
        values: numbers [B], float or int.

    Returns:
        Ranks [B], float64.

    Example:
        >>> ranks([0.5, 0.1, 0.5]).tolist()
        [2.5, 1.0, 2.5]
    """
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _scores(labels, predictions):
    """Return both as float64 [B]."""
    try:
        sides = np.asarray(labels, np.float64), np.asarray(predictions, np.float64)
    except (TypeError, ValueError) as error:
        raise Error(f"Some scores are no numbers ({error}); give numbers, or numbers as text.") from error
    x, y = aligned(*sides)
    if x.ndim != 1:
        raise Error(f"one score a row was wanted, and an array of shape {x.shape} came; give one number for each row.")
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


def _tied(places):
    """Return how many pairs of rows share a place."""
    counts = np.unique(places, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())


def _inversions(places):
    """Return how many pairs of rows i < j have places[i] > places[j], from the highest bit in which they differ."""
    total = 0
    for bit in range(int(places.max()).bit_length()):
        order = np.argsort(places >> (bit + 1), kind="stable")
        alike, one = places[order] >> (bit + 1), places[order] >> bit & 1
        before = np.cumsum(one) - one
        before -= before[np.searchsorted(alike, alike)]       # those of the same higher bits only
        total += int(before[one == 0].sum())
    return total

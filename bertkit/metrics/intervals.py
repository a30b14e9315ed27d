"""How certain a score is: percentile intervals of the bootstrap (Efron 1979)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bertkit.errors import Error


def bootstrap(metric: Callable[..., float], *sides: Any, samples: int = 1000, level: float = 0.95,
              seed: int = 0) -> tuple[float, float]:
    """Return the bootstrap interval of a metric.

    The first axis of each side is the unit that is drawn with replacement, alike on all sides: a row, a sentence, a
    question, a query.

    Args:
        metric: function that gives a number for `metric(*sides)`.
        *sides: arrays [B,...] or lists of equal length B, such as the labels and the predictions.
        samples: number of resamples.
        level: share of the resamples whose metric lies in the interval, between 0 and 1.
        seed: seed of the draws.

    Returns:
        (low, high), two floats; nan where the metric is undefined on a resample.

    Raises:
        Error: when the sides differ in length or are empty, `samples` is below 1, or `level` is not between 0 and 1.

    Example:
        >>> from bertkit.metrics import accuracy
        >>> bootstrap(accuracy, [0, 1] * 50, [0, 1] * 40 + [1, 0] * 10)
        (0.72, 0.88)
    """
    sides = _matching(sides)
    return _interval(lambda rows: metric(*(side[rows] for side in sides)), len(sides[0]), samples, level, seed)


def paired_drop(metric: Callable[..., float], sides: Sequence[Any], others: Sequence[Any], samples: int = 1000,
                level: float = 0.95, seed: int = 0) -> tuple[float, float, float]:
    """Return how much lower a metric is on other predictions, with its bootstrap interval.

    Both are scored on the same resampled units, so what the two have in common cancels (Koehn 2004, section 4).

    Args:
        metric: function that gives a number for `metric(*sides)` and `metric(*others)`.
        sides: arrays [B,...] or lists of equal length B, such as the labels and the predictions.
        others: the same of what is compared with it.
        samples: number of resamples.
        level: share of the resamples whose difference lies in the interval, between 0 and 1.
        seed: seed of the draws.

    Returns:
        (difference, low, high), three floats; the difference is metric(*sides) - metric(*others), above 0 where the
        others are worse.

    Raises:
        Error: when the sides differ in length or are empty, `samples` is below 1, or `level` is not between 0 and 1.

    Example:
        >>> from bertkit.metrics import accuracy
        >>> labels = [0, 1] * 50
        >>> drop = paired_drop(accuracy, (labels, labels), (labels, [0, 1] * 40 + [1, 0] * 10))
        >>> [round(number, 2) for number in drop]
        [0.2, 0.12, 0.28]
    """
    both = _matching((*sides, *others))
    first, second = both[:len(sides)], both[len(sides):]

    def difference(rows):
        return metric(*(side[rows] for side in first)) - metric(*(side[rows] for side in second))

    low, high = _interval(difference, len(both[0]), samples, level, seed)
    return float(difference(slice(None))), low, high


def _interval(score, size, samples, level, seed):
    if samples < 1 or not 0 < level < 1:
        raise Error(f"samples={samples}, level={level} give no interval; "
                    "give samples of 1 or more and a level between 0 and 1.")
    rng = np.random.default_rng(seed)
    scores = [score(rng.integers(size, size=size)) for _ in range(samples)]
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _matching(sides):
    sides = [_units(side) for side in sides]
    sizes = [len(side) for side in sides]
    if not sizes or 0 in sizes or len(set(sizes)) > 1:
        raise Error(f"sides of {sizes} units came; give the same number, at least 1.")
    return sides


def _units(values):
    """Return an array whose first axis is units, which an array of indices can resample."""
    try:
        return np.asarray(values)
    except ValueError:  # lists of unequal length stay lists
        units = np.empty(len(values), object)
        units[:] = values
        return units

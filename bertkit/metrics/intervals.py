"""How sure a score is: percentile intervals of the bootstrap (Efron 1979)."""

import numpy as np

from bertkit.errors import Error


def bootstrap(metric, *sides, samples=1000, level=0.95, seed=0):
    """Return (low, high): between them lies `level` of the metric over resampled units.

    `metric(*sides)` gives a number; the first axis of each side is the unit that is drawn, with replacement and
    alike on all sides: a row, a sentence, a question, a query.  Sides may also be lists (tags of a sentence).
    nan where the metric is undefined on a resample.  Raises Error for sides that do not match, samples < 1, and
    a level outside (0, 1).

    >>> from bertkit.metrics import accuracy
    >>> bootstrap(accuracy, [0, 1] * 50, [0, 1] * 40 + [1, 0] * 10)
    (0.72, 0.88)
    """
    sides = _matching(sides)
    return _interval(lambda rows: metric(*(side[rows] for side in sides)), len(sides[0]), samples, level, seed)


def paired_drop(metric, sides, others, samples=1000, level=0.95, seed=0):
    """Return (difference, low, high) of metric(*sides) - metric(*others).

    Both are scored on the same resampled units, so what the two have in common cancels
    (Koehn 2004, section 4).  Positive where the others are worse.  Errors and the rest as `bootstrap`.

    >>> from bertkit.metrics import accuracy
    >>> labels = [0, 1] * 50
    >>> drop = paired_drop(accuracy, (labels, labels), (labels, [0, 1] * 40 + [1, 0] * 10))
    >>> [round(number, 2) for number in drop]
    [0.2, 0.12, 0.28]
    """
    every = _matching((*sides, *others))
    one, two = every[:len(sides)], every[len(sides):]

    def difference(rows):
        return metric(*(side[rows] for side in one)) - metric(*(side[rows] for side in two))

    low, high = _interval(difference, len(every[0]), samples, level, seed)
    return float(difference(slice(None))), low, high


def _interval(score, size, samples, level, seed):
    if samples < 1 or not 0 < level < 1:
        raise Error(f"samples={samples}, level={level} give no interval; "
                    "give samples of 1 or more and a level between 0 and 1.")
    chance = np.random.default_rng(seed)
    scores = [score(chance.integers(size, size=size)) for _ in range(samples)]
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

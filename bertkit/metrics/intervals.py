"""How sure a score is: percentile intervals of the bootstrap (Efron 1979)."""

import numpy as np

from bertkit.errors import Error


def bootstrap(metric, labels, predictions, samples=1000, level=0.95, seed=0):
    """Return (low, high): between them lies `level` of the metric over resampled rows.

    `metric(labels, predictions)` gives a number; both sides may also hold lists (tags of a
    sentence).  nan where the metric is undefined on a resample.  Raises Error for rows that do not
    match, samples < 1, and a level outside (0, 1).

    >>> from bertkit.metrics import accuracy
    >>> bootstrap(accuracy, [0, 1] * 50, [0, 1] * 40 + [1, 0] * 10)
    (0.72, 0.88)
    """
    labels, predictions = _matching(labels, predictions)
    return _interval(lambda rows: metric(labels[rows], predictions[rows]),
                     len(labels), samples, level, seed)


def paired_drop(metric, labels, predictions, other_predictions, samples=1000, level=0.95, seed=0):
    """Return (difference, low, high) of metric(predictions) - metric(other_predictions).

    Both are scored on the same resampled rows, so what the two have in common cancels
    (Koehn 2004, section 4).  Positive where the others are worse.  Arguments and errors as
    `bootstrap`.

    >>> from bertkit.metrics import accuracy
    >>> drop = paired_drop(accuracy, [0, 1] * 50, [0, 1] * 50, [0, 1] * 40 + [1, 0] * 10)
    >>> [round(number, 2) for number in drop]
    [0.2, 0.12, 0.28]
    """
    labels, predictions, others = _matching(labels, predictions, other_predictions)

    def difference(rows):
        drawn = labels[rows]
        return metric(drawn, predictions[rows]) - metric(drawn, others[rows])

    low, high = _interval(difference, len(labels), samples, level, seed)
    return float(difference(slice(None))), low, high


def _interval(score, size, samples, level, seed):
    if samples < 1 or not 0 < level < 1:
        raise Error(f"samples={samples}, level={level} give no interval; "
                    "give samples of 1 or more and a level between 0 and 1.")
    chance = np.random.default_rng(seed)
    scores = [score(chance.integers(size, size=size)) for _ in range(samples)]
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _matching(*sides):
    sides = [_rows(side) for side in sides]
    sizes = [len(side) for side in sides]
    if 0 in sizes or len(set(sizes)) > 1:
        raise Error(f"sides of {sizes} rows came; give the same number, at least 1.")
    return sides


def _rows(values):
    """Return an array whose first axis is rows, which an array of indices can resample."""
    try:
        return np.asarray(values)
    except ValueError:  # lists of unequal length stay lists
        rows = np.empty(len(values), object)
        rows[:] = values
        return rows

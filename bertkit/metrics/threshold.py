"""A threshold of probabilities that is chosen on labelled rows: halfway between two of them, never on one."""

from collections.abc import Callable
from typing import Any

import numpy as np


def best_threshold(probabilities: Any, score: Callable[[float], float], most: int | None = None) -> float:
    """Return the threshold with the best score.

    Thresholds lie halfway between neighbouring probabilities, between 0 and the smallest one, and between the largest
    one and 1. Of those with the best score it is the one that is furthest from any probability, because rounding
    changes a decision there last.

    Args:
        probabilities: Numbers from 0 to 1, of any shape.
        score: Function (threshold) -> the score of deciding by it, the larger the better.
        most: Thresholds that are tried, evenly spread over the sorted probabilities; None tries all.

    Returns:
        The threshold, from 0 to 1.

    Example:
        >>> best_threshold([0.1, 0.4, 0.8], lambda threshold: sum(p > threshold for p in (0.4, 0.8)))
        0.25
    """
    ends = np.unique(np.concatenate([[0.0], np.ravel(np.asarray(probabilities, "float64")), [1.0]]))
    middles, gaps = (ends[:-1] + ends[1:]) / 2, np.diff(ends)
    if most is not None and len(middles) > most:
        places = np.unique(np.linspace(0, len(middles) - 1, most).round().astype(int))
        middles, gaps = middles[places], gaps[places]
    scored = [(score(float(middle)), gap) for middle, gap in zip(middles, gaps, strict=True)]
    return float(middles[max(range(len(scored)), key=scored.__getitem__)])

"""How far annotators agree beyond chance, for the sheets that people label.

Ratings are rows of one item each, with one place for every annotator.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.metrics.classification import confusion

WEIGHTS = {None: np.sign, "linear": np.abs, "quadratic": np.square}


def cohen_kappa(first: Sequence[Any], second: Sequence[Any], weights: str | None = None,
                classes: Sequence[Any] | None = None) -> float:
    """Return Cohen's kappa of the labels of two annotators.

    κ = 1 - Σ w_ij O_ij / Σ w_ij E_ij, where O_ij counts the items that the first annotator labels i and the second j,
    and E_ij is the count that their own frequencies would give by chance. w_ij is [i ≠ j]; with "linear" weights it is
    |i - j|, with "quadratic" weights (i - j)^2. Source: Cohen 1960; Cohen 1968 (weights).

    Args:
        first: labels [items] of the first annotator.
        second: labels [items] of the second annotator.
        weights: None, "linear" or "quadratic".
        classes: the classes in their order, from which the weights count; None takes the classes that occur, sorted.

    Returns:
        κ, a float; nan when both annotators gave one and the same class throughout.

    Raises:
        Error: when `weights` is unknown, a label is not among `classes`, or the sides cannot be compared.

    Example:
        >>> cohen_kappa(["a", "a", "b", "b"], ["a", "a", "b", "a"])
        0.5
    """
    if weights not in WEIGHTS:
        raise Error(f"weights={weights!r} is unknown; give None, 'linear' or 'quadratic'.")
    counts = confusion(first, second, classes).astype(float)
    places = np.arange(len(counts))
    distance = WEIGHTS[weights](np.abs(places[:, None] - places))
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return _beyond_chance((distance * counts).sum(), (distance * chance).sum())


def fleiss_kappa(ratings: Sequence[Sequence[Any]]) -> float:
    """Return Fleiss' kappa of ratings without gaps.

    κ = (mean P_i - P_e) / (1 - P_e). P_i is the share of the pairs of item i's annotators that agree, P_e = Σ_k p_k^2
    and p_k the share of class k among all ratings. The annotators of different items may be different people. Source:
    Fleiss 1971. For ratings with gaps take `krippendorff_alpha`.

    Args:
        ratings: rows [items, annotators] of names or of numbers.

    Returns:
        κ, a float; nan when one class was given throughout.

    Raises:
        Error: when the items have different numbers of ratings, or fewer than two.

    Example:
        >>> round(fleiss_kappa([["a", "a", "a"], ["a", "b", "b"], ["b", "b", "b"]]), 4)
        0.55
    """
    classes, counts = _counts(ratings)
    annotators = counts.sum(axis=1)
    if len(set(annotators.tolist())) > 1 or annotators[0] < 2:
        raise Error(f"items with {sorted(set(annotators.tolist()))} ratings came; give each item the same number, "
                    "at least 2, or take krippendorff_alpha.")
    pairs = annotators * (annotators - 1)
    share = counts.sum(axis=0) / counts.sum()
    agreed = ((counts * (counts - 1)).sum(axis=1) / pairs).mean()
    return _beyond_chance(1 - agreed, 1 - (share**2).sum() if len(classes) > 1 else 0.0)


def krippendorff_alpha(ratings: Sequence[Sequence[Any]], level: str = "nominal") -> float:
    """Return Krippendorff's alpha of ratings, which may have gaps.

    α = 1 - D_o / D_e, with D_o = Σ_i Σ_{c,k} n_ic n_ik δ²_ck / (m_i - 1) / n over the items i that have m_i > 1
    ratings, n ratings together, and D_e = Σ_{c,k} n_c n_k δ²_ck / (n (n - 1)). δ² is [c ≠ k] for "nominal" ratings, the
    squared number of ratings between two ranks for "ordinal" ones, (c - k)^2 for "interval" ones. Source: Krippendorff
    2011, "Computing Krippendorff's Alpha-Reliability".

    Args:
        ratings: rows [items, annotators]; None and nan stand for a rating that was not given.
        level: "nominal", "ordinal" or "interval".

    Returns:
        α, a float; nan when one value was given throughout.

    Raises:
        Error: when `level` is unknown, no item has two ratings, or ratings of ranks or intervals are not numbers.

    Example:
        >>> round(krippendorff_alpha([[1, 1, None], [2, 2, 3], [3, 3, 3], [None, None, 1]]), 4)
        0.65
    """
    if level not in ("nominal", "ordinal", "interval"):
        raise Error(f"level={level!r} is unknown; give 'nominal', 'ordinal' or 'interval'.")
    classes, counts = _counts(ratings)
    if level != "nominal" and classes.dtype.kind not in "iufb":
        raise Error(f"ratings of an {level} scale are numbers, and {str(classes[0])!r} came; number its steps.")
    counts = counts[counts.sum(axis=1) > 1]
    if not len(counts):
        raise Error("no item has two ratings; agreement needs at least one that has.")
    per_class, ratings_of = counts.sum(axis=0), counts.sum(axis=1)
    distance = _distances(level, classes, per_class)
    observed = (np.einsum("ic,ck,ik->i", counts, distance, counts) / (ratings_of - 1)).sum()
    return _beyond_chance(observed, per_class @ distance @ per_class / (per_class.sum() - 1))


def _distances(level, classes, per_class):
    """Return δ² [C,C]."""
    if level == "ordinal":
        middles = np.cumsum(per_class) - per_class / 2
        return (middles[:, None] - middles) ** 2
    values = np.asarray(classes, float) if level == "interval" else np.arange(len(classes))
    squares = (values[:, None] - values) ** 2
    return squares if level == "interval" else np.sign(squares)


def _beyond_chance(observed, expected):
    return float(1 - observed / expected) if expected > 0 else float("nan")


def _counts(ratings):
    """Return the sorted classes [C] and how often each item was given each, int64 [items, C]."""
    filled = [(item, value) for item, row in enumerate(ratings) for value in row
              if value is not None and value == value]
    if not filled:
        raise Error("no ratings came; give rows of items with a place for every annotator.")
    items, values = zip(*filled, strict=True)
    if len({isinstance(value, str) for value in values}) > 1:
        raise Error("some ratings are names and some are numbers; give all of one kind.")
    classes, places = np.unique(np.array(values), return_inverse=True)
    counts = np.zeros((len(ratings), len(classes)), np.int64)
    np.add.at(counts, (np.array(items), places), 1)
    return classes, counts

"""How far annotators agree beyond chance: for the sheets that people label.

Ratings are rows of one item each, a place for every annotator.
"""

import numpy as np

from bertkit.errors import Error
from bertkit.metrics.classification import confusion

WEIGHTS = {None: np.sign, "linear": np.abs, "quadratic": np.square}


def cohen_kappa(first, second, weights=None, classes=None):
    """Return κ = 1 - Σ w_ij O_ij / Σ w_ij E_ij of two annotators' labels [items].

    O counts items labelled i by the first and j by the second, E what their own frequencies would give by
    chance; w_ij = [i ≠ j], with `weights` "linear" |i - j| or "quadratic" (i - j)^2 of the classes' places in
    `classes` (without it in the sorted classes that occur).  nan if both gave one class throughout.
    Cohen 1960; Cohen 1968 (weights).

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


def fleiss_kappa(ratings):
    """Return κ = (mean P_i - P_e) / (1 - P_e) of ratings [items, annotators], each place filled.

    P_i is the share of the pairs of item i's annotators that agree, P_e = Σ_k p_k^2 with p_k the share of class k
    among all ratings.  The annotators of different items may be different people.  nan if one class was given
    throughout.  Fleiss 1971.  With gaps take `krippendorff_alpha`.

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


def krippendorff_alpha(ratings, level="nominal"):
    """Return α = 1 - D_o / D_e of ratings [items, annotators]; None and nan are places not filled.

    D_o = Σ_i Σ_{c,k} n_ic n_ik δ²_ck / (m_i - 1) / n over the items i with m_i > 1 ratings, n of them together;
    D_e = Σ_{c,k} n_c n_k δ²_ck / (n (n - 1)).  δ² is [c ≠ k] ("nominal"), the squared number of ratings between
    two ranks ("ordinal"), or (c - k)^2 ("interval").  nan if one value was given throughout.
    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".  Raises Error where no item has two ratings,
    and for ranks and intervals of what is no number.

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

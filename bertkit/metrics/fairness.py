"""Whether a classifier errs alike on groups of rows, such as texts on men and on women."""

from typing import Any

import numpy as np

from bertkit.errors import Error


def equalized_odds_gap(labels: Any, predictions: Any, groups: Any) -> float:
    """Return the largest gap of a class's true or false positive rate between two groups.

    max over classes c and y ∈ {c, not c} of |P(ŷ = c | y, group 0) − P(ŷ = c | y, group 1)|; 0 means that what is
    predicted depends on the group through the label alone. Source: Hardt et al. 2016 (arXiv 1610.02413), definition
    2.1.

    Args:
        labels: class numbers [B], int.
        predictions: predicted class numbers [B], int.
        groups: 0 or 1 for each row [B], int.

    Returns:
        The gap, a float between 0 and 1; nan where no rate is defined in both groups.

    Raises:
        Error: when the sides have other lengths, or groups are not 0 and 1.

    Example:
        >>> equalized_odds_gap([1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1])
        1.0
    """
    labels, predictions, groups = map(np.asarray, (labels, predictions, groups))
    if not labels.shape == predictions.shape == groups.shape or labels.ndim != 1 or not np.isin(groups, (0, 1)).all():
        raise Error(f"labels of shape {labels.shape}, predictions of {predictions.shape} and groups of {groups.shape} "
                    "came; give as many of each, and groups of 0 and 1.")
    gaps = [abs(first - second) for name in np.unique(labels) for true in (labels == name, labels != name)
            for first, second in [[_share(predictions == name, true & (groups == group)) for group in (0, 1)]]]
    gaps = [gap for gap in gaps if not np.isnan(gap)]
    return max(gaps, default=float("nan"))


def _share(given, where):
    return float(given[where].mean()) if where.any() else float("nan")


def reweighing(labels: Any, groups: Any) -> np.ndarray:
    """Return weights of training rows under which label and group are independent.

    w = P(label) P(group) / P(label, group), counted in these rows; their sum is the number of rows. Source: Kamiran and
    Calders 2012, section 5.3.

    Args:
        labels: the label of each row [B], of any dtype.
        groups: the group of each row [B], of any dtype.

    Returns:
        Weights [B], float32.

    Raises:
        Error: when the sides have other lengths, or no row came.

    Example:
        >>> reweighing(["a", "a", "a", "b"], [0, 0, 1, 1]).tolist()
        [0.75, 0.75, 1.5, 0.5]
    """
    if len(labels) != len(groups) or not len(labels):
        raise Error(f"{len(labels)} labels and {len(groups)} groups came; give a group for each label, at least one.")
    codes = [np.unique(np.asarray(side), return_inverse=True)[1].reshape(-1) for side in (labels, groups)]
    table = np.zeros([code.max() + 1 for code in codes])
    np.add.at(table, tuple(codes), 1)
    wanted = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / len(labels)
    return (wanted[tuple(codes)] / table[tuple(codes)]).astype("float32")

"""Which answers to keep: those a model is sure of, or sets of classes that hold the right one often enough."""

import math
from typing import Any

import numpy as np

from bertkit.errors import Error


def risk_coverage(right: Any, confidence: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the risk-coverage curve: how many of the kept answers are wrong, if the surest are kept.

    coverage(t) = |{i: c_i ≥ t}| / n, risk(t) = |{i: c_i ≥ t, i wrong}| / |{i: c_i ≥ t}|, at each confidence t that
    occurs. Source: El-Yaniv and Wiener 2010 (JMLR 11), section 2; Geifman and El-Yaniv 2017 (arXiv 1705.08500).

    Args:
        right: whether each answer is right, bool [B].
        confidence: how sure the model is of each, float [B].

    Returns:
        (coverage, risk), float64 [K], from the surest answers alone to all of them.

    Raises:
        Error: when the two are not vectors of the same length above 0.

    Example:
        >>> [side.tolist() for side in risk_coverage([True, False, True, True], [0.9, 0.6, 0.8, 0.8])]
        [[0.25, 0.75, 1.0], [0.0, 0.0, 0.25]]
    """
    right, confidence = np.asarray(right, bool), np.asarray(confidence, "float64")
    if right.ndim != 1 or right.shape != confidence.shape or not right.size:
        raise Error(f"right of shape {right.shape} and confidence of shape {confidence.shape} came; give two vectors "
                    "of one length, 1 or more.")
    order = np.argsort(-confidence, kind="stable")
    kept, wrong = np.arange(1, len(order) + 1), np.cumsum(~right[order])
    ends = np.append(np.diff(confidence[order]) != 0, True)         # equal confidences are kept together
    return kept[ends] / len(order), wrong[ends] / kept[ends]


def risk_threshold(right: Any, confidence: Any, risk: float) -> float | None:
    """Return the confidence from which answers are kept, as many as the wanted risk allows.

    Args:
        right: whether each answer is right, bool [B].
        confidence: how sure the model is of each, from 0 to 1, float [B].
        risk: share of the kept answers that may be wrong.

    Returns:
        A threshold halfway between two confidences, or 0 where all answers may be kept; None where not even the surest
        ones are right so often.

    Raises:
        Error: when the two are not vectors of the same length above 0.

    Example:
        >>> risk_threshold([True, False, True, True], [0.9, 0.6, 0.8, 0.8], risk=0.1)
        0.7
    """
    _, risks = risk_coverage(right, confidence)
    allowed = np.flatnonzero(risks <= risk)
    if not allowed.size:
        return None
    levels = np.unique(np.asarray(confidence, "float64"))[::-1]
    last = int(allowed[-1])
    return float((levels[last] + levels[last + 1]) / 2) if last + 1 < len(levels) else 0.0


def set_threshold(labels: Any, probabilities: Any, coverage: float) -> float:
    """Return the probability from which a class belongs to a row's set, so that it holds the right one often enough.

    Split conformal prediction with the score s_i = 1 − p_i[y_i] (LAC): the set of a new row is {c: 1 − p[c] ≤ q}, q the
    ⌈(n + 1) coverage⌉-th smallest of the n scores. Rows that are drawn as these were have their class in their set with
    a probability of `coverage` at least. Sources: Sadinle et al. 2019 (arXiv 1609.00451); Vovk et al. 2005.

    Args:
        labels: class numbers [B], int.
        probabilities: probabilities [B, C], float.
        coverage: share of the rows whose set shall hold their class, between 0 and 1.

    Returns:
        1 − q, moved halfway to the next smaller probability, so that rounding takes no class away; 0, which takes all
        classes, where the rows are too few to promise `coverage`.

    Raises:
        Error: when the shapes do not match.

    Example:
        >>> p = [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]
        >>> set_threshold([0, 0, 1], p, coverage=0.5), set_threshold([0, 0, 1], p, coverage=0.9)
        (0.625, 0.0)
    """
    labels, p = np.asarray(labels), np.asarray(probabilities, "float64")
    if p.ndim != 2 or labels.shape != p.shape[:1] or not p.size:
        raise Error(f"labels of shape {labels.shape} and probabilities of shape {p.shape} came; give class numbers "
                    "[B] and probabilities [B,C].")
    place = math.ceil((len(labels) + 1) * coverage - 1e-9)
    if place > len(labels):
        return 0.0
    least = np.sort(p[np.arange(len(labels)), labels])[::-1][place - 1]
    below = p[p < least]
    return float((least + (below.max() if below.size else 0.0)) / 2)

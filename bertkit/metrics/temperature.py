"""The number that logits are divided by, so that probabilities are right as often as they say."""

from typing import Any

import numpy as np

from bertkit.errors import Error

HIGHEST = 100.0     # temperatures lie between 1 / HIGHEST and HIGHEST
STEPS = 60          # of a bisection: more than float64 tells apart


def best_temperature(labels: Any, logits: Any) -> float:
    """Return the temperature T with the smallest log loss.

    T = argmin Σ_i −log softmax(z_i / T)[y_i]; of several labels a row softmax is σ, for each label. Source: Guo et al.
    2017 (arXiv 1706.04599), section 4.2. The loss is convex in 1 / T, so that its slope is 0 at one place alone.

    Args:
        labels: class numbers [B], int; or [B, C] of 0 and 1 where a row may have several labels.
        logits: logits z [B, C], float.

    Returns:
        T, a float from 0.01 to 100; 1 where each label has the largest logit of its row (or its logit the right sign):
        there is no best temperature then, the smaller it is the smaller is the loss.

    Raises:
        Error: when the shapes do not match, a logit is not finite, or a label is no class number.

    Example:
        >>> round(best_temperature([0, 0, 0, 1], [[9.0, 0.0]] * 4), 4)          # right in 3 of 4, so p = 0.75
        8.1922
    """
    labels, logits = _pairs(labels, logits)
    rows = np.arange(len(labels))
    if (logits[rows, labels] >= logits.max(axis=1)).all():
        return 1.0

    def slope(inverse):
        p = np.exp(inverse * (logits - logits.max(axis=1, keepdims=True)))
        expected = (p / p.sum(axis=1, keepdims=True) * logits).sum(axis=1)
        return float((expected - logits[rows, labels]).mean())

    low, high = -np.log(HIGHEST), np.log(HIGHEST)               # of log(1 / T)
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(np.exp(middle)) > 0 else (middle, high)
    return float(np.exp(-(low + high) / 2))


def _pairs(labels, logits):
    """Return class numbers and logits as arrays; each of several labels becomes a row of the classes no and yes."""
    labels, logits = np.asarray(labels), np.asarray(logits, "float64")
    if logits.ndim != 2 or not logits.size or labels.shape not in (logits.shape, logits.shape[:1]):
        raise Error(f"labels of shape {labels.shape} and logits of shape {logits.shape} came; give class numbers [B], "
                    "or 0 and 1 [B,C], and logits [B,C].")
    if not np.isfinite(logits).all():
        raise Error("Some logits are not finite numbers; give the finite logits of a model.")
    if labels.shape == logits.shape:
        labels, logits = labels.reshape(-1), np.stack([np.zeros(logits.size), logits.reshape(-1)], axis=1)
    if labels.dtype.kind not in "iub" or labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise Error(f"labels of {labels.dtype} came, from {labels.min()} to {labels.max()}; give class numbers from 0 "
                    f"to {logits.shape[1] - 1}.")
    return labels.astype("int64"), logits

"""Whether the probabilities of a classifier are right as often as they say."""

from typing import Any

import numpy as np

from bertkit.errors import Error


def reliability(labels: Any, probabilities: Any, bins: int = 15) -> list[dict[str, Any]]:
    """Return the bins of a reliability diagram.

    The confidence of a row is its largest probability. Of M bins of equal width, bin m holds the confidences in
    ((m-1)/M, m/M], and the first bin holds 0 too. Source: Guo et al. 2017 (arXiv 1706.04599), section 2.

    Args:
        labels: class numbers [B], int.
        probabilities: probabilities [B, C], float, each between 0 and 1.
        bins: number M of bins.

    Returns:
        A list of M dicts {"low", "high", "rows", "confidence", "accuracy"}: the edges of the bin, the number of its
        rows, and the means over its rows, which are None where the bin is empty.

    Raises:
        Error: when the shapes do not match, a value is no probability, a label is no class number, or `bins` is below
            1.

    Example:
        >>> [row for row in reliability([0, 1], [[0.75, 0.25], [0.75, 0.25]], bins=2) if row["rows"]]
        [{'low': 0.5, 'high': 1.0, 'rows': 2, 'confidence': 0.75, 'accuracy': 0.5}]
    """
    confidence, right = _confidence(labels, probabilities)
    if not bins >= 1:
        raise Error(f"bins={bins!r}; give 1 or more.")
    edges = np.linspace(0, 1, bins + 1)
    places = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rows = []
    for place in range(bins):
        inside = places == place
        means = [float(side[inside].mean()) if inside.any() else None for side in (confidence, right)]
        rows.append({"low": float(edges[place]), "high": float(edges[place + 1]), "rows": int(inside.sum()),
                     "confidence": means[0], "accuracy": means[1]})
    return rows


def calibration_error(labels: Any, probabilities: Any, bins: int = 15) -> float:
    """Return the expected calibration error.

    ECE = Σ_m |B_m| / n · |accuracy(B_m) - confidence(B_m)|, with the bins B_m of `reliability`. Source: Guo et al. 2017
    (arXiv 1706.04599), equation 3.

    Args:
        labels: class numbers [B], int.
        probabilities: probabilities [B, C], float, each between 0 and 1.
        bins: number M of bins.

    Returns:
        The error, a float between 0 and 1.

    Raises:
        Error: when the input is not what `reliability` takes.

    Example:
        >>> calibration_error([0, 1], [[0.75, 0.25], [0.75, 0.25]])
        0.25
    """
    filled = [row for row in reliability(labels, probabilities, bins) if row["rows"]]
    gap = sum(row["rows"] * abs(row["accuracy"] - row["confidence"]) for row in filled)
    return gap / sum(row["rows"] for row in filled)


def _confidence(labels, probabilities):
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not probabilities.size:
        raise Error(f"labels of shape {labels.shape} and probabilities of shape {probabilities.shape} came; "
                    "give class numbers [B] and probabilities [B,C].")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise Error("some probabilities are not between 0 and 1; give probabilities, not logits.")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise Error(f"labels of {labels.dtype} came, the first is {labels[0]!r}; give class numbers from 0 to "
                    f"{probabilities.shape[1] - 1}, one for each column of the probabilities.")
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == labels

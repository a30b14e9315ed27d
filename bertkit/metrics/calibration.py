"""Whether a classifier's probabilities are as often right as they say."""

import numpy as np

from bertkit.errors import Error


def reliability(labels, probabilities, bins=15):
    """Return the bins of a reliability diagram, a list of {"low", "high", "rows", "confidence", "accuracy"}.

    A row's confidence is its largest probability; bin m of M of equal width holds those in ((m-1)/M, m/M], the
    first one 0 too.  confidence and accuracy are the bin's means, None where it is empty.
    `labels` are class numbers [B], `probabilities` [B,C].  Guo et al. 2017 (arXiv 1706.04599), section 2.

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


def calibration_error(labels, probabilities, bins=15):
    """Return the expected calibration error Σ_m |B_m| / n · |accuracy(B_m) - confidence(B_m)|.

    Arguments and bins B_m as in `reliability`.  Guo et al. 2017 (arXiv 1706.04599), equation 3.

    >>> calibration_error([0, 1], [[0.75, 0.25], [0.75, 0.25]])
    0.25
    """
    found = [row for row in reliability(labels, probabilities, bins) if row["rows"]]
    wrong = sum(row["rows"] * abs(row["accuracy"] - row["confidence"]) for row in found)
    return wrong / sum(row["rows"] for row in found)


def _confidence(labels, probabilities):
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not probabilities.size:
        raise Error(f"labels of shape {labels.shape} and probabilities of shape {probabilities.shape} came; "
                    "give class numbers [B] and probabilities [B,C].")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise Error("some probabilities are not between 0 and 1; give probabilities, not logits.")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise Error(f"labels are to be class numbers from 0 to {probabilities.shape[1] - 1}, as the columns of "
                    f"the probabilities are; {labels.dtype} came, the first is {labels[0]!r}.")
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == labels

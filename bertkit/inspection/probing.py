"""What can be read from vectors by a linear map, beside what the same map reads where there is nothing to know."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.metrics.proportions import wilson

PENALTIES = 10.0 ** np.arange(-1, 6)        # of the ridge, on features of variance 1
LEARNT = 2 / 3                              # share of the rows that a probe learns from


@dataclass(frozen=True)
class Probe:
    """How well a linear probe does on rows that it did not learn from.

    Args:
        score: Share of examples whose class it finds.
        low: Where the 95 % interval (Wilson) of `score` begins.
        high: Where it ends.
        control: The same probe's share on the control task.
    """

    score: float
    low: float
    high: float
    control: float

    @property
    def selectivity(self) -> float:
        """`score` − `control`: what the vectors hold beyond what a probe can learn by heart (Hewitt and Liang 2019)."""
        return self.score - self.control

    def to_json(self) -> dict[str, float]:
        """Return it as JSON.

        Returns:
            {"score", "low", "high", "control", "selectivity"}.
        """
        return {**vars(self), "selectivity": self.selectivity}


def ridge_classes(learnt: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Learn classes by ridge regression onto one-hot vectors, and give those of other vectors.

    W = argmin ‖X W − Y‖² + λ ‖W‖², class = argmax x W; features have mean 0 and variance 1, and λ has the least squared
    error of leaving one out, (y − ŷ) / (1 − h) for each example, h the diagonal of X (XᵀX + λI)⁻¹ Xᵀ + 1/n.

    Args:
        learnt: float [n,D].
        labels: Class numbers int [n].
        asked: float [m,D].

    Returns:
        Class numbers int [m].

    Example:
        >>> ridge_classes(np.array([[0.0], [1], [2], [3]]), np.array([0, 0, 1, 1]), np.array([[-1.0], [4]])).tolist()
        [0, 1]
    """
    mean, scale = learnt.mean(axis=0), learnt.std(axis=0)
    scale[scale == 0] = 1
    x, classes = (learnt - mean) / scale, np.unique(labels)
    y = (labels[:, None] == classes).astype("float64")
    u, s, v = np.linalg.svd(x.astype("float64"), full_matrices=False)
    target = u.T @ (y - y.mean(axis=0))

    def left_out(penalty):
        shrink = s ** 2 / (s ** 2 + penalty)
        residual = y - y.mean(axis=0) - u @ (shrink[:, None] * target)
        return (residual / (1 - u ** 2 @ shrink - 1 / len(y))[:, None]) ** 2

    best = min(PENALTIES, key=lambda penalty: left_out(penalty).sum())
    weights = v.T @ ((s / (s ** 2 + best))[:, None] * target)
    return classes[(((asked - mean) / scale) @ weights + y.mean(axis=0)).argmax(axis=1)]


def probe(vectors: np.ndarray, labels: np.ndarray, rows: np.ndarray, kinds: np.ndarray | None = None,
          seed: int = 0) -> Probe:
    """Probe vectors for classes; a row's examples are all learnt from or all asked.

    Control task (Hewitt and Liang 2019, section 2): each kind of example has a class drawn by chance, with the shares
    of the true ones. Without kinds each example is of its own kind, and only chance is left to the probe.

    Args:
        vectors: float [n,D].
        labels: Class numbers int [n].
        rows: The row of each example, int [n].
        kinds: The kind of each example, int [n], such as its word.
        seed: Of the split and of the control task.

    Returns:
        The `Probe`.
    """
    draw = np.random.default_rng(seed)
    numbers = draw.permutation(np.unique(rows))
    learns = np.isin(rows, numbers[:round(len(numbers) * LEARNT)])
    kinds = np.arange(len(labels)) if kinds is None else np.unique(kinds, return_inverse=True)[1]
    drawn = draw.choice(labels, size=kinds.max() + 1)[kinds]

    def right(wanted: Any) -> np.ndarray:
        return ridge_classes(vectors[learns], wanted[learns], vectors[~learns]) == wanted[~learns]

    own = right(labels)
    low, high = wilson(int(own.sum()), len(own))
    return Probe(float(own.mean()), low, high, float(right(drawn).mean()))

"""How like the training texts a text is: what a bundle keeps of the vectors of its training and dev rows."""

from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from safetensors.numpy import save

from bertkit.checkpoints.tensors import read_safetensors
from bertkit.errors import Error
from bertkit.files.atomic import write_bytes

FILE = "familiarity.safetensors"
MOST = 1000             # distances of dev rows that are kept
RIDGE = 1e-6            # of the mean variance, added to each: so that there is an inverse in any case


class Familiarity(NamedTuple):
    """The share of dev rows that lie at least as far from the training rows as a text does.

    distance(x) = min_c (x − μ_c)ᵀ Σ⁻¹ (x − μ_c), μ_c the mean vector of the training rows of class c and Σ what they
    spread about it (Lee et al. 2018, arXiv 1807.03888, equation 2; for texts Podolskiy et al. 2021, arXiv 2101.03778).
    familiarity(x) = (1 + |{dev rows with distance ≥ distance(x)}|) / (1 + |dev rows|): of texts like those of dev one
    in ten has 0.1 or less (a p-value of conformal prediction, Vovk et al. 2005).

    Args:
        whitening: W, Σ⁻¹ = Wᵀ W, float32 [D,D].
        means: W μ_c, float32 [C,D].
        distances: Those of dev rows, in order, float32 [rows].
    """

    whitening: np.ndarray
    means: np.ndarray
    distances: np.ndarray

    @classmethod
    def fit(cls, vectors: Any, classes: Any, dev: Any) -> Self:
        """Return what the vectors of training and dev rows say.

        Σ is moved towards a multiple of the identity as far as so few rows ask (see `shrunk_covariance`).

        Args:
            vectors: Those of the training rows, [rows,D].
            classes: The class number of each.
            dev: The vectors of the dev rows, [rows,D].

        Returns:
            A `Familiarity`.
        """
        vectors, classes = np.asarray(vectors, "float64"), np.asarray(classes)
        means = {number: vectors[classes == number].mean(axis=0) for number in np.unique(classes)}
        spread = shrunk_covariance(vectors - np.array([means[number] for number in classes]))
        spread += (RIDGE * np.trace(spread) / len(spread) or 1.0) * np.eye(len(spread))
        whitening = np.linalg.inv(np.linalg.cholesky(spread))
        made = cls(whitening.astype("float32"), (np.array(list(means.values())) @ whitening.T).astype("float32"),
                   np.zeros(0, "float32"))
        found = np.sort(made.distance(dev))
        kept = np.unique(np.linspace(0, len(found) - 1, min(MOST, len(found))).round().astype(int))
        return made._replace(distances=found[kept].astype("float32"))

    def distance(self, vectors: Any) -> np.ndarray:
        """Return the squared Mahalanobis distance of vectors from the nearest class.

        Args:
            vectors: [B,D].

        Returns:
            float32 [B].
        """
        white = np.asarray(vectors, "float32") @ self.whitening.T
        return np.array([((self.means - row) ** 2).sum(axis=1).min() for row in white], "float32")

    def scores(self, vectors: Any) -> list[float]:
        """Return how familiar vectors are.

        Args:
            vectors: [B,D].

        Returns:
            A number above 0, at most 1, of each.
        """
        below = np.searchsorted(self.distances, self.distance(vectors), side="left")
        return ((1 + len(self.distances) - below) / (1 + len(self.distances))).tolist()


def shrunk_covariance(vectors: Any) -> np.ndarray:
    """Return the covariance of vectors of mean 0, which has an inverse also where they are few.

    (1 − λ) S + λ m I with S = XᵀX / n, m = tr S / D, and the λ with the least expected error. Source: Ledoit and Wolf
    2004 (Journal of Multivariate Analysis 88), section 3.3.

    Args:
        vectors: X, [n,D].

    Returns:
        float64 [D,D].

    Example:
        >>> shrunk_covariance([[1.0, 0.0], [-1.0, 0.0]]).tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    x = np.asarray(vectors, "float64")
    count, width = x.shape
    sample = x.T @ x / count
    middle = np.trace(sample) / width
    apart = ((sample - middle * np.eye(width)) ** 2).sum()
    error = ((x**2).sum(axis=1) ** 2).sum() / count**2 - (sample**2).sum() / count
    share = min(error / apart, 1.0) if apart > 0 else 1.0
    return (1 - share) * sample + (share * middle) * np.eye(width)


def write_familiarity(folder: str | Path, found: Familiarity) -> None:
    """Write what a bundle keeps.

    Args:
        folder: The folder of the bundle.
        found: The `Familiarity`.
    """
    write_bytes(Path(folder) / FILE, save({name: np.ascontiguousarray(part) for name, part in found._asdict().items()}))


def read_familiarity(folder: str | Path) -> Familiarity | None:
    """Return what a bundle keeps.

    Args:
        folder: The folder of the bundle.

    Returns:
        The `Familiarity`; None where the bundle was not calibrated for it.

    Raises:
        Error: When the file does not hold it.
    """
    path = Path(folder) / FILE
    if not path.exists():
        return None
    tensors = read_safetensors([path], path)
    shapes = [tensors.shapes.get(name, ()) for name in Familiarity._fields]
    if [len(shape) for shape in shapes] != [2, 2, 1] or len({*shapes[0], shapes[1][1]}) != 1 or not shapes[2][0]:
        raise Error(f"{path} does not hold {', '.join(Familiarity._fields)} that fit each other; copy the bundle "
                    "again.")
    return Familiarity(*(tensors.read(name) for name in Familiarity._fields))

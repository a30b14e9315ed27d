"""What lessens a bias: rows doubled by swaps, and a linear map that takes a group out of what a head reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.unlabelled import read_rows, write_rows
from bertkit.errors import Error
from bertkit.inspection.last_layer import head_of, last_layer_vectors
from bertkit.inspection.swaps import Swaps
from bertkit.predictor import Predictor


def augment(task: Any, data: Data, swaps: Swaps, out: str | Path, columns: Columns = Columns(),
            skip_bad_rows: bool = False) -> dict[str, int]:
    """Write training rows and, of each that holds one of the words, a copy with the words of the groups exchanged.

    The copy keeps its label and other columns, so in the doubled rows the words of the two groups say nothing of the
    label (counterfactual data augmentation, Lu et al. 2018, arXiv 1807.11714). A bundle that is trained on them is
    compared with the first by `bias` and `compare`.

    Args:
        task: The task of the rows.
        data: A table with the rows, labelled.
        swaps: The words.
        out: The .csv, .tsv or .jsonl file to write.
        columns: Names of columns.
        skip_bad_rows: Whether to leave rows out that cannot be used.

    Returns:
        {"rows": that were read, "swapped": copies that were added}.

    Raises:
        Error: When the file is no table of texts, or no row holds one of the words.
    """
    rows = read_rows(task, data, columns, skip_bad_rows)
    texts = [name for role, name in rows.source.columns.items() if role.startswith("text")]
    if not texts:
        raise Error(f"{rows.path} is no table of texts, so no row of it can be doubled; give a .csv, .tsv or .jsonl "
                    "file with a column of texts.")
    made = [row | {name: swaps.swapped(row[name]) for name in texts} for row in rows.columns]
    copies = [copy for copy, row in zip(made, rows.columns, strict=True) if copy != row]
    if not copies:
        raise Error(f"None of {len(rows):,} rows holds one of the words to swap; give words that stand in the rows.")
    write_rows(out, [*rows.columns, *copies])
    return {"rows": len(rows), "swapped": len(copies)}


class Eraser(NamedTuple):
    """A map r(x) = x − P (x − μ) after which no linear model tells a concept from vectors.

    Args:
        matrix: P, float64 [D,D].
        mean: μ, the mean of the vectors that it was fitted on, float64 [D].
    """

    matrix: np.ndarray
    mean: np.ndarray

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Take the concept out of vectors.

        Args:
            vectors: Float [B,D].

        Returns:
            Float64 [B,D].
        """
        vectors = np.asarray(vectors, "float64")
        return vectors - (vectors - self.mean) @ self.matrix.T


def leace(vectors: Any, concept: Sequence[Any]) -> Eraser:
    """Find the smallest change of vectors that takes a concept from every linear model.

    P = W⁺ Q W with W = Σ_xx^(−1/2) and Q the orthogonal projection onto the columns of W Σ_xz; after it the covariance
    of vectors and concept is 0, so that no linear model is better than a constant one, and E‖r(x) − x‖² is the least.
    Source: Belrose et al. 2023 (arXiv 2306.03819), theorem 4.3. A model that is not linear may still tell it.

    Args:
        vectors: Vectors of training texts, float [B,D].
        concept: The group of each, such as 0 and 1; any number of groups.

    Returns:
        The `Eraser`.

    Raises:
        Error: When the sides have other lengths, or there are not two groups.

    Example:
        >>> vectors = np.random.default_rng(0).normal(size=(50, 3))
        >>> erased = leace(vectors, vectors[:, 0] > 0)(vectors)
        >>> gap = erased[vectors[:, 0] > 0].mean(axis=0) - erased[vectors[:, 0] <= 0].mean(axis=0)
        >>> bool(np.abs(gap).max() < 1e-12)
        True
    """
    x, groups = np.asarray(vectors, "float64"), np.asarray(concept)
    if x.ndim != 2 or groups.shape != x.shape[:1] or len(np.unique(groups)) < 2:
        raise Error(f"vectors of shape {x.shape} and a concept of shape {groups.shape} came; give a group for each "
                    "vector, and two groups at least.")
    z = (groups[:, None] == np.unique(groups)).astype("float64")
    mean = x.mean(axis=0)
    centred = x - mean
    values, axes = np.linalg.eigh(centred.T @ centred / len(x))
    kept = values > values.max() * len(values) * np.finfo("float64").eps
    axes, roots = axes[:, kept], np.sqrt(values[kept])
    white, back = (axes / roots) @ axes.T, (axes * roots) @ axes.T
    left, sizes, _ = np.linalg.svd(white @ (centred.T @ (z - z.mean(axis=0)) / len(x)), full_matrices=False)
    directions = left[:, sizes > 1e-10]
    return Eraser(back @ directions @ directions.T @ white, mean)


def erase_groups(predictor: Predictor, swaps: Swaps, inputs: Sequence[Any]) -> Eraser:
    """Take the group out of what the last layer of a classifier or a score reads; the model itself is changed.

    The `Eraser` of `leace` is fitted on the vectors of the rows that hold words of one side and of their swapped
    copies, so that groups and labels do not go together in it. A linear map before a linear layer is a linear layer:
    W becomes (I − Pᵀ) W, and b becomes b + μᵀ Pᵀ W.

    Args:
        predictor: The model; its task has a head with a last linear layer.
        swaps: The words.
        inputs: Training rows, as the task reads them.

    Returns:
        The `Eraser`.

    Raises:
        Error: When the model has no such head, or no row holds words of one side alone.
    """
    head = head_of(predictor, "that a group could be taken out of")
    sides = [(given, side) for given, side in ((given, swaps.group(given)) for given in inputs) if side is not None]
    if not sides:
        raise Error(f"None of {len(inputs):,} rows holds words of one side alone; give words that stand in the rows.")
    doubled = [text for given, _ in sides for text in (given, swaps.swapped(given))]
    eraser = leace(last_layer_vectors(predictor, doubled), [part for _, side in sides for part in (side, 1 - side)])
    kernel, bias = (np.asarray(variable, "float64") for variable in (head.logits.kernel, head.logits.bias))
    head.logits.kernel.assign(kernel - eraser.matrix.T @ kernel)
    head.logits.bias.assign(bias + eraser.mean @ eraser.matrix.T @ kernel)
    return eraser

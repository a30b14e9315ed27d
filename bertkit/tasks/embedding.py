"""Compute a vector for each text, which retrieval and similarity compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from bertkit import metrics
from bertkit.tasks.classification import text_rows
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer

ALIKE = 0.99        # two vectors with a larger cosine count as equal


@dataclass(frozen=True)
class Embedding(Task):
    """The vector of a text, `width` numbers. An input may also be a tuple of g texts, with a prediction [g,D].

    Pairs are scored by cos(u, v) = uᵀv / (‖u‖ ‖v‖) against human scores (Reimers & Gurevych 2019, section 4.1).

    Args:
        width: The numbers of a vector; 0 before training.
        prompt: Stands in front of each text, as in training: "passage: " of E5 (Wang et al. 2022).
        query: Stands in front of a query in place of `prompt`, where documents are searched.
        document: Stands in front of a document in place of `prompt`, where documents are searched.

    Example:
        >>> Embedding(2).answers(["a film"], [np.array([0.6, 0.8])])
        [{'embedding': [0.6, 0.8]}]
    """

    width: int = 0
    prompt: str = ""
    query: str | None = None
    document: str | None = None

    name, output = "embed", "embedding"
    reads = ("text",)
    counted = "pairs whose place in the order of cosines is nearer to that of their label"

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make a row of each text; for training, the texts of an input are a group.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Texts, or tuples of texts.
            length: The most tokens of a row.
            targets: The labels of the inputs; None without labels.

        Returns:
            The `Packed` rows.
        """
        groups = [(example,) if isinstance(example, str | bytes) else tuple(example) for example in inputs]
        texts = [_behind(self.prompt, text) for group in groups for text in group]
        rows = text_rows(tokenizer, texts, length, pairs=False)
        group = 1 if targets is None else len(groups[0])
        return Packed(rows, [0 if isinstance(example, str | bytes) else len(example) for example in inputs], targets,
                      group=group)

    def _checked(self, number, example):
        if isinstance(example, tuple | list) and example and all(isinstance(text, str | bytes) for text in example):
            return tuple(example)
        return super()._checked(number, example)

    def predictions(self, outputs: Sequence[Any], packed: Packed) -> list[np.ndarray]:
        """Return the vector of each text, or of each tuple of texts.

        Args:
            outputs: [D] of each row.
            packed: The `Packed` rows.

        Returns:
            float32 [D] of each text, [g,D] of each tuple of g texts.
        """
        rows = iter(outputs)
        return [np.stack([next(rows) for _ in range(count)]) if count else next(rows) for count in packed.origin]

    def answers(self, inputs: Sequence[Any], predictions: Any) -> list[dict[str, Any]]:
        """Return the answer to each input.

        Args:
            inputs: Not used.
            predictions: [D] or [g,D] of each input.

        Returns:
            {"embedding": [float]} of each; for a tuple of texts a list of such lists.
        """
        return [{"embedding": vector.tolist()} for vector in predictions]

    def tuned(self, targets: Any, predictions: Sequence[Any]) -> Self:
        """Return the task with the width of its vectors.

        Args:
            targets: Not used.
            predictions: [..., D] of each input.

        Returns:
            A task.
        """
        return replace(self, width=predictions[0].shape[-1])

    def metric_inputs(self, targets: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return what the metrics compare.

        Args:
            targets: Scores of pairs.
            predictions: [2,D] of each pair.

        Returns:
            (scores, cosines), float64 [pairs] each.
        """
        pairs = np.asarray(predictions, "float64")
        return np.asarray(targets, "float64"), cosines(pairs[:, 0], pairs[:, 1])

    def row_quality(self, targets: Any, predictions: Any) -> np.ndarray:
        """Return how near the place of each pair by its cosine is to that by its label.

        Args:
            targets: Scores of pairs.
            predictions: [2,D] of each pair.

        Returns:
            float64 [pairs], −|rank of the label − rank of the cosine|; Spearman's ρ is a function of their squares.
        """
        labels, found = (metrics.ranks(side) for side in self.metric_inputs(targets, predictions))
        return -np.abs(labels - found)

    @property
    def metrics(self) -> dict[str, Callable[..., Any]]:
        """Pearson's correlation, which decides, and Spearman's."""
        return {"pearson": metrics.pearson, "spearman": metrics.spearman}

    def agreement(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the fraction of rows whose two vectors have a cosine above `ALIKE`.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            From 0 to 1.
        """
        return float(np.mean(cosines(np.array(one, "float64"), np.array(other, "float64")) > ALIKE))


def _behind(prompt, text):
    """Return a text, str or bytes, with the prompt in front of it."""
    return prompt.encode() + text if isinstance(text, bytes) else prompt + text


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Compute the cosine of each row of one array with the same row of the other.

    Args:
        one: float [N,D].
        other: float [N,D].

    Returns:
        float [N]; 0 where a row is zero.

    Example:
        >>> cosines(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]])).tolist()
        [1.0]
    """
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.sum(one * other, axis=-1) / np.where(lengths > 0, lengths, 1)

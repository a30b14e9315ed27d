"""Predict a number for each text or pair: how alike, how good, how hard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bertkit import metrics
from bertkit.tasks.classification import TextsOrPairs, text_rows
from bertkit.tasks.packed import Packed
from bertkit.text import Tokenizer

ALIKE = 0.05        # share of the scores' spread: outputs that differ by less count as equal


@dataclass(frozen=True)
class Regression(TextsOrPairs):
    """score = mean + spread · logit, in the units of the training file.

    Args:
        pairs: Whether the inputs are pairs of texts; None, where no training file told, takes texts and pairs alike.
        mean: The mean of the training scores.
        spread: The standard deviation σ of the training scores.

    Example:
        >>> Regression(mean=2.5, spread=1.5).outputs(np.array([1.0]))
        array([4.])
    """

    pairs: bool | None = True
    mean: float = 0.0
    spread: float = 1.0

    name, output, width = "score", "score", 1
    commonest, constant_is_0 = "the commonest answer, the mean of all scores", True
    less_is_better = ("mse",)
    counted = "rows whose score is nearer to the label than the other model's"

    @classmethod
    def of(cls, scores: Sequence[float], pairs: bool) -> Self:
        """Return the task whose logits are standardised as these scores are; constant scores keep their size.

        Args:
            scores: The training scores.
            pairs: Whether an input is a pair of texts.

        Returns:
            The task.
        """
        return cls(pairs, float(np.mean(scores)), float(np.std(scores)) or 1.0)

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make one row of each input.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Texts or pairs.
            length: The most tokens of a row.
            targets: Scores, which become standardised labels float32; None without labels.

        Returns:
            The `Packed` rows.
        """
        labels = None if targets is None else ((np.asarray(targets) - self.mean) / self.spread).astype("float32")
        return Packed(text_rows(tokenizer, inputs, length, self.pairs), labels=labels)

    def outputs(self, raw: Any) -> Any:
        """Turn logits into scores: mean + spread · logit.

        Args:
            raw: [..., 1].

        Returns:
            The scores, [..., 1].
        """
        return self.mean + self.spread * raw

    def predictions(self, outputs: Sequence[Any], packed: Packed | None = None) -> list[float]:
        """Return the score of each input.

        Args:
            outputs: [1] of each row.
            packed: Not used.

        Returns:
            One number an input.
        """
        return [float(row[0]) for row in outputs]

    def answers(self, inputs: Sequence[Any], predictions: Sequence[float]) -> list[dict[str, Any]]:
        """Return the answer to each input.

        Args:
            inputs: Not used.
            predictions: The scores.

        Returns:
            {"score": float} of each.
        """
        return [{"score": score} for score in predictions]

    def metric_inputs(self, targets: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return what the metrics compare.

        Args:
            targets: Scores.
            predictions: Predicted scores.

        Returns:
            (scores, predicted scores), float64 [inputs] each.
        """
        return np.asarray(targets, "float64"), np.asarray(predictions, "float64")

    def row_quality(self, targets: Any, predictions: Any) -> np.ndarray:
        """Return how near the score of each input is to its label.

        Args:
            targets: Scores.
            predictions: Predicted scores.

        Returns:
            float64 [inputs], −|label − score|.
        """
        labels, scores = self.metric_inputs(targets, predictions)
        return -np.abs(labels - scores)

    @property
    def metrics(self) -> dict[str, Callable[..., Any]]:
        """Pearson's correlation, which decides, Spearman's, and the mean squared error."""
        return {"pearson": metrics.pearson, "spearman": metrics.spearman, "mse": metrics.mse}

    def loss(self, targets: Any, predictions: Any) -> float:
        """Compute the mean squared error.

        Args:
            targets: Scores.
            predictions: Predicted scores.

        Returns:
            The error, in squared units of the scores.
        """
        return metrics.mse(*self.metric_inputs(targets, predictions))

    def agreement(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the fraction of rows whose scores differ by at most `ALIKE` of the spread.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            From 0 to 1.
        """
        return float(np.mean(np.abs(np.array(one) - np.array(other)) <= ALIKE * self.spread))

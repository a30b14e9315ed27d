"""Choose which of several endings continues a prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.classification import FLOOR, margin, softmax, text_rows
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer

ALIKE = 0.1         # logits that differ by less count as equal: it changes a probability of 50 % to 52.5 %


@dataclass(frozen=True)
class Choosing(Task):
    """The most probable ending of (prompt, ending, ending, ...): softmax over a logit for each (prompt, ending).

    Devlin et al. 2018, section 4.4.

    Example:
        >>> Choosing().answers([("He fell", "asleep", "blue")], [np.array([0.9, 0.1])])
        [{'choice': 0, 'probabilities': [0.9, 0.1]}]
    """

    name, output, width = "choose", "logits", 1
    commonest = "the commonest place of the right ending"
    counted = "rows whose right ending is chosen"
    reads = ("prompt", "ending", "ending", "...")

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make a row of each ending; for training, the rows of an input are a group.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: (prompt, ending, ending, ...) of each.
            length: The most tokens of a row.
            targets: The numbers of the right endings, from 0; None without labels.

        Returns:
            The `Packed` rows.

        Raises:
            Error: when inputs to train on have different numbers of endings.
        """
        counts = [len(given) - 1 for given in inputs]
        pairs = [(given[0], ending) for given in inputs for ending in given[1:]]
        rows = text_rows(tokenizer, pairs, length, pairs=True)
        if targets is None:
            return Packed(rows, counts)
        return Packed(rows, counts, np.asarray(targets, "int32"), group=_group(counts))

    def predictions(self, outputs: Sequence[Any], packed: Packed) -> list[np.ndarray]:
        """Return the probabilities of each input's endings.

        Args:
            outputs: [1] of each row.
            packed: The `Packed` rows.

        Returns:
            float32 [endings] of each input.
        """
        logits = np.concatenate(outputs) if len(outputs) else np.zeros(0)
        return [softmax(part) for part in np.split(logits, np.cumsum(packed.origin)[:-1])] if packed.origin else []

    def certainty(self, predictions: Sequence[Any]) -> list[float]:
        """Return the margin of each input, p₁ − p₂, of the two most probable endings.

        Args:
            predictions: [endings] of each input.

        Returns:
            A number from 0 to 1 for each.
        """
        return [margin(row) for row in predictions]

    def answers(self, inputs: Sequence[Any], predictions: Any) -> list[dict[str, Any]]:
        """Return the answer to each input.

        Args:
            inputs: Not used.
            predictions: [endings] of each input.

        Returns:
            {"choice": number from 0, "probabilities": [float]} of each.
        """
        return [{"choice": int(np.argmax(row)), "probabilities": [float(p) for p in row]} for row in predictions]

    def metric_inputs(self, targets: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return what the metrics compare.

        Args:
            targets: The numbers of the right endings.
            predictions: [endings] of each input.

        Returns:
            (right endings, chosen endings), int [B], counted from 0.
        """
        return np.asarray(targets), np.array([np.argmax(row) for row in predictions])

    @property
    def metrics(self) -> dict[str, Callable[..., Any]]:
        """The accuracy."""
        return {"accuracy": metrics.accuracy}

    def agreement(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the fraction of rows whose logits differ by less than `ALIKE`.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            From 0 to 1.
        """
        return float(np.mean(np.abs(np.array(one) - np.array(other)) < ALIKE))

    def loss(self, targets: Any, predictions: Any) -> float:
        """Compute −log p[right ending], the mean over inputs.

        Args:
            targets: The numbers of the right endings.
            predictions: [endings] of each input.

        Returns:
            The loss, in nats.
        """
        probabilities = [row[right] for row, right in zip(predictions, targets, strict=True)]
        return float(-np.log(np.maximum(probabilities, FLOOR)).mean())


def _group(counts):
    """Return the number of endings; raises `Error` where inputs to train on differ in it."""
    if len(set(counts)) > 1:
        raise Error(f"Rows of {min(counts)} and of {max(counts)} endings came; to train on, give each the same number.")
    return counts[0]

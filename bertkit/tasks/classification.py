"""Sort texts, or pairs of texts, into classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer

THRESHOLD = 0.5     # a label of a multi-label task is given where its probability is above
FLOOR = 1e-6        # smaller probabilities count as this one: an int8 softmax gives 0


def softmax(logits: Any) -> np.ndarray:
    """Compute exp(z) / Σ exp(z) over the last axis, in float64.

    Args:
        logits: [..., C].

    Returns:
        float32 [..., C].

    Example:
        >>> softmax([0.0, 0.0]).tolist()
        [0.5, 0.5]
    """
    z = np.asarray(logits, "float64")
    z = np.exp(z - z.max(axis=-1, keepdims=True))
    return (z / z.sum(axis=-1, keepdims=True)).astype("float32")


def sigmoid(logits: Any) -> np.ndarray:
    """Compute 1 / (1 + exp(−z)), in float64.

    Args:
        logits: Of any shape.

    Returns:
        float32 of the same shape.

    Example:
        >>> float(sigmoid(0.0))
        0.5
    """
    return (1 / (1 + np.exp(-np.asarray(logits, "float64")))).astype("float32")


class TextsOrPairs(Task):
    """What the tasks share that read a text, or a pair of texts.

    `pairs` is True where each input is a pair, False where each is a single text, and None where each may be either.
    """

    pairs: bool | None = False

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of an input's texts; those of a single text where `pairs` is None."""
        return ("first text", "second text") if self.pairs else ("text",)

    def input(self, line: str) -> Any:
        """Read an input from a line of text.

        Args:
            line: The line, in which a tab stands between the two texts of a pair; an empty one gives empty texts.
                Where `pairs` is None, a line with one tab is a pair and any other a text.

        Returns:
            A text, or (first, second).

        Raises:
            Error: when `pairs` is True and the line, if not empty, has no tab or several.
        """
        texts = line.split("\t")
        return tuple(texts) if self.pairs is None and len(texts) == 2 else super().input(line)

    def _checked(self, number, example):
        if self.pairs is None and isinstance(example, tuple | list) and len(example) == 2:
            return tuple(example)
        return super()._checked(number, example)


@dataclass(frozen=True)
class Classification(TextsOrPairs):
    """One of `labels` for each text or pair, or with `multi_label` any number of them.

    Args:
        labels: The names of the classes, in the order of the model's outputs.
        multi_label: Whether an input may have several labels, or none.
        pairs: Whether the inputs are pairs of texts; None, where no training file told, takes texts and pairs alike.

    Example:
        >>> Classification(("bad", "good")).answers(["a film"], [np.array([0.25, 0.75])])
        [{'label': 'good', 'probabilities': {'bad': 0.25, 'good': 0.75}}]
    """

    labels: tuple[str, ...]
    multi_label: bool = False
    pairs: bool | None = False

    name, output = "classify", "probabilities"
    commonest = "the commonest class"

    def __post_init__(self):
        object.__setattr__(self, "labels", tuple(self.labels))

    @property
    def width(self) -> int:
        """The number of labels."""
        return len(self.labels)

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make one row of each input.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Texts or pairs.
            length: The most tokens of a row.
            targets: Class numbers int32 [inputs], or int32 [inputs, C] of 0 and 1; None without labels.

        Returns:
            The `Packed` rows.
        """
        return Packed(text_rows(tokenizer, inputs, length, self.pairs), labels=targets)

    def outputs(self, raw: Any) -> Any:
        """Turn logits into probabilities.

        Args:
            raw: Logits [..., C].

        Returns:
            float32 [..., C].
        """
        return sigmoid(raw) if self.multi_label else softmax(raw)

    def predictions(self, outputs: Any, packed: Packed | None = None) -> list[np.ndarray]:
        """Return the probabilities of each input.

        Args:
            outputs: [C] of each row.
            packed: Not used.

        Returns:
            float32 [C] of each input.
        """
        return list(outputs)

    def decisions(self, output: Any) -> Any:
        """Return the class number with the largest probability, or which labels are above the threshold.

        Args:
            output: [C], the probabilities of a row.

        Returns:
            A class number, or bool [C] where an input may have several labels.
        """
        return output > THRESHOLD if self.multi_label else np.argmax(output)

    def predicted_classes(self, predictions: Any) -> np.ndarray:
        """Return the classes that predictions decide.

        Args:
            predictions: [C] of each input.

        Returns:
            Class numbers int32 [inputs], or int32 [inputs, C] of 0 and 1 where an input may have several labels.
        """
        return np.array([self.decisions(row) for row in predictions]).astype("int32")

    def answers(self, inputs: Sequence[Any], predictions: Any) -> list[dict[str, Any]]:
        """Return the answer to each input.

        Args:
            inputs: Not used.
            predictions: [C] of each input.

        Returns:
            {"label", "probabilities": {label: float}} of each; "labels" where an input may have several.
        """
        rows = []
        for row in predictions:
            table = {label: float(p) for label, p in zip(self.labels, row, strict=True)}
            decided = self.decisions(row)
            if self.multi_label:
                given = [label for label, yes in zip(self.labels, decided, strict=True) if yes]
                rows.append({"labels": given, "probabilities": table})
            else:
                rows.append({"label": self.labels[decided], "probabilities": table})
        return rows

    def metric_inputs(self, targets: Any, predictions: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return what the metrics compare.

        Args:
            targets: The true classes.
            predictions: [C] of each input.

        Returns:
            (classes, predicted classes), int [B], or int [B,C] of 0 and 1 where an input may have several labels.
        """
        return np.asarray(targets), self.predicted_classes(predictions)

    @property
    def metrics(self) -> dict[str, Callable[..., Any]]:
        """The task's official metrics, {name: function(*sides) -> fraction}; the first decides.

        F1 is that of the second label where there are two labels, else the macro average.
        """
        shared = {"accuracy": metrics.accuracy, "f1": self._f1}
        return shared if self.multi_label else {**shared, "matthews": metrics.matthews}

    def _f1(self, targets, predictions):
        average = "binary" if not self.multi_label and len(self.labels) == 2 else "macro"
        return metrics.f1(targets, predictions, average=average)

    def loss(self, targets: Any, predictions: Any) -> float:
        """Compute the mean over inputs of −log p[label], or of Σ_c −log(probability of the true value of label c) / C.

        Args:
            targets: The true classes.
            predictions: [C] of each input.

        Returns:
            The loss, in nats.
        """
        p, y = np.maximum(np.array(predictions, "float64"), FLOOR), np.asarray(targets)
        if not self.multi_label:
            return float(-np.log(p[np.arange(len(y)), y]).mean())
        return float(-np.where(y > 0, np.log(p), np.log(np.maximum(1 - p, FLOOR))).mean())

    def confusion(self, targets: Any, predictions: Any) -> np.ndarray | None:
        """Count true and predicted classes.

        Args:
            targets: The true classes.
            predictions: [C] of each input.

        Returns:
            int64 [C,C], counts, rows true and columns predicted; None where an input may have several labels.
        """
        if self.multi_label:
            return None
        return metrics.confusion(*self.metric_inputs(targets, predictions), range(len(self.labels)))

    def drift(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the largest difference of log-probabilities between two files.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            The largest absolute difference, in nats.
        """
        logs = [np.log(np.maximum(np.array(side), FLOOR)) for side in (one, other)]
        return float(np.abs(logs[0] - logs[1]).max())


def text_rows(tokenizer: Tokenizer, inputs: Sequence[Any], length: int,
              pairs: bool | None) -> list[tuple[list[int], list[int]]]:
    """Make a row of each text, or of each pair.

    Args:
        tokenizer: The `Tokenizer`.
        inputs: Texts, or (first, second).
        length: The most tokens of a row, with the special tokens.
        pairs: Whether the inputs are pairs; where it is None, those that are tuples are.

    Returns:
        (token ids, segment ids) of each.
    """
    paired = [pairs or pairs is None and isinstance(given, tuple) for given in inputs]
    ones = tokenizer.ids([given[0] if pair else given for given, pair in zip(inputs, paired, strict=True)])
    seconds = iter(tokenizer.ids([given[1] for given, pair in zip(inputs, paired, strict=True) if pair]))
    return [tokenizer.pack_ids(one, next(seconds) if pair else None, length)
            for one, pair in zip(ones, paired, strict=True)]

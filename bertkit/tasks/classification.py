"""Texts, or pairs of them, sorted into classes."""

from dataclasses import dataclass

import numpy as np

from bertkit import metrics
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task

THRESHOLD = 0.5     # above it a label of a multi-label task is given
FLOOR = 1e-6        # probabilities below it count as it: an int8 softmax gives 0


def softmax(logits):
    """Return exp(z) / Σ exp(z) over the last axis, float64 inside, float32 out."""
    z = np.asarray(logits, "float64")
    z = np.exp(z - z.max(axis=-1, keepdims=True))
    return (z / z.sum(axis=-1, keepdims=True)).astype("float32")


def sigmoid(logits):
    """Return 1 / (1 + exp(−z)), float32."""
    return (1 / (1 + np.exp(-np.asarray(logits, "float64")))).astype("float32")


class TextsOrPairs(Task):
    """What the tasks share that read a text, or a pair of texts: `pairs` is True, False, or None for both."""

    pairs = False

    @property
    def reads(self):
        return ("first text", "second text") if self.pairs else ("text",)

    def input(self, line):
        texts = line.split("\t")
        return tuple(texts) if self.pairs is None and len(texts) == 2 else super().input(line)

    def _checked(self, number, given):
        if self.pairs is None and isinstance(given, tuple | list) and len(given) == 2:
            return tuple(given)
        return super()._checked(number, given)


@dataclass(frozen=True)
class Classification(TextsOrPairs):
    """One of `labels` for each text or pair, or with `multi_label` any number of them.

    Inputs are pairs, or with `pairs` False single texts; where `pairs` is None, because no training file told, each
    input is a text or a pair of texts (see `TextsOrPairs`).

    >>> Classification(("bad", "good")).answers(["a film"], [np.array([0.25, 0.75])])
    [{'label': 'good', 'probabilities': {'bad': 0.25, 'good': 0.75}}]
    """

    labels: tuple
    multi_label: bool = False
    pairs: bool | None = False

    name, output = "classify", "probabilities"

    def __post_init__(self):
        object.__setattr__(self, "labels", tuple(self.labels))

    @property
    def width(self):
        return len(self.labels)

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return one row an input, cut to `length`; `targets` become its labels."""
        return Packed(text_rows(tokenizer, inputs, length, self.pairs), labels=targets)

    def outputs(self, raw):
        return sigmoid(raw) if self.multi_label else softmax(raw)

    def predictions(self, outputs, packed=None):
        """Return the probabilities of each input, [C] float32."""
        return list(outputs)

    def decisions(self, output):
        return output > THRESHOLD if self.multi_label else np.argmax(output)

    def decided(self, predictions):
        """Return class numbers [rows], or, multi-label, 0 and 1 [rows, C]."""
        return np.array([self.decisions(row) for row in predictions]).astype("int32")

    def answers(self, inputs, predictions):
        """Return for each row {"label" (multi-label: "labels"), "probabilities": {label: float}}."""
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

    def sides(self, targets, predictions):
        """Return what the metrics compare: (classes, predicted classes)."""
        return np.asarray(targets), self.decided(predictions)

    @property
    def metrics(self):
        """The task's official metrics, {name: function(*sides) -> fraction}; the first decides.

        F1 is that of the second label where there are two, macro otherwise.
        """
        found = {"accuracy": metrics.accuracy, "f1": self._f1}
        return found if self.multi_label else {**found, "matthews": metrics.matthews}

    def _f1(self, targets, predictions):
        average = "binary" if not self.multi_label and len(self.labels) == 2 else "macro"
        return metrics.f1(targets, predictions, average=average)

    def loss(self, targets, predictions):
        """Return −log p[label], or Σ_c of each label's −log of what it should be / C, means over rows."""
        p, y = np.maximum(np.array(predictions, "float64"), FLOOR), np.asarray(targets)
        if not self.multi_label:
            return float(-np.log(p[np.arange(len(y)), y]).mean())
        return float(-np.where(y > 0, np.log(p), np.log(np.maximum(1 - p, FLOOR))).mean())

    def confusion(self, targets, predictions):
        if self.multi_label:
            return None
        return metrics.confusion(*self.sides(targets, predictions), range(len(self.labels)))

    def drift(self, one, other):
        """Return the largest difference of log-probabilities."""
        logs = [np.log(np.maximum(np.array(side), FLOOR)) for side in (one, other)]
        return float(np.abs(logs[0] - logs[1]).max())


def text_rows(tokenizer, inputs, length, pairs):
    """Return (token ids, segment ids) of each text, or of each (first, second), cut to `length`.

    All are pairs, or with `pairs` False none is; where it is None, tuples are.
    """
    paired = [pairs or pairs is None and isinstance(given, tuple) for given in inputs]
    ones = tokenizer.ids([given[0] if pair else given for given, pair in zip(inputs, paired, strict=True)])
    seconds = iter(tokenizer.ids([given[1] for given, pair in zip(inputs, paired, strict=True) if pair]))
    return [tokenizer.pack_ids(one, next(seconds) if pair else None, length)
            for one, pair in zip(ones, paired, strict=True)]

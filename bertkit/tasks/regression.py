"""A number for each text or pair: how alike, how good, how hard."""

from dataclasses import dataclass

import numpy as np

from bertkit import metrics
from bertkit.tasks.classification import TextsOrPairs, text_rows
from bertkit.tasks.packed import Packed

ALIKE = 0.05        # of the scores' spread: two files that differ by less answer alike


@dataclass(frozen=True)
class Regression(TextsOrPairs):
    """score = mean + spread · logit, in the units of the training file, whose mean and spread (σ) these are.

    Inputs are pairs, single texts, or where `pairs` is None either.

    >>> Regression(mean=2.5, spread=1.5).outputs(np.array([1.0]))
    array([4.])
    """

    pairs: bool | None = True
    mean: float = 0.0
    spread: float = 1.0

    name, output, width = "score", "score", 1
    less_is_better = ("mse",)

    @classmethod
    def of(cls, scores, pairs):
        """Return the task whose logits are standardised as these scores are; constant ones keep their size."""
        return cls(pairs, float(np.mean(scores)), float(np.std(scores)) or 1.0)

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return one row an input, cut to `length`; `targets`, scores, become standardised labels."""
        labels = None if targets is None else ((np.asarray(targets) - self.mean) / self.spread).astype("float32")
        return Packed(text_rows(tokenizer, inputs, length, self.pairs), labels=labels)

    def outputs(self, raw):
        return self.mean + self.spread * raw

    def predictions(self, outputs, packed=None):
        """Return the score of each input, a float."""
        return [float(row[0]) for row in outputs]

    def answers(self, inputs, predictions):
        """Return for each row {"score": float}."""
        return [{"score": score} for score in predictions]

    def sides(self, targets, predictions):
        """Return what the metrics compare: (scores, predicted scores)."""
        return np.asarray(targets, "float64"), np.asarray(predictions, "float64")

    @property
    def metrics(self):
        """Pearson's correlation decides; then Spearman's, and the mean squared error, the less the better."""
        return {"pearson": metrics.pearson, "spearman": metrics.spearman, "mse": metrics.mse}

    def loss(self, targets, predictions):
        return metrics.mse(*self.sides(targets, predictions))

    def agreement(self, one, other):
        """Return the fraction of rows whose scores differ by less than `ALIKE` of the spread."""
        return float(np.mean(np.abs(np.array(one) - np.array(other)) <= ALIKE * self.spread))

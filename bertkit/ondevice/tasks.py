"""From a model's numbers to answers and scores: the one post-processing, in numpy alone.

`predict`, `evaluate`, the parity check of an export and the device all use it, so an answer means the same in
each place. A task is built from the facts that a bundle or an export states about itself.
"""

from dataclasses import dataclass

import numpy as np

from bertkit import metrics
from bertkit.errors import Error

THRESHOLD = 0.5     # above it a label of a multi-label task is given


def softmax(logits):
    """Return exp(z) / Σ exp(z) over the last axis, float64 inside, float32 out."""
    z = np.asarray(logits, "float64")
    z = np.exp(z - z.max(axis=-1, keepdims=True))
    return (z / z.sum(axis=-1, keepdims=True)).astype("float32")


def sigmoid(logits):
    """Return 1 / (1 + exp(−z)), float32."""
    return (1 / (1 + np.exp(-np.asarray(logits, "float64")))).astype("float32")


@dataclass(frozen=True)
class Classification:
    """One of `labels` for each text, or with `multi_label` any number of them.

    >>> Classification(("bad", "good")).answers(np.array([[0.25, 0.75]]))
    [{'label': 'good', 'probabilities': {'bad': 0.25, 'good': 0.75}}]
    """

    labels: tuple
    multi_label: bool = False

    def probabilities(self, logits):
        """Return the probabilities of logits [rows, C]."""
        return sigmoid(logits) if self.multi_label else softmax(logits)

    def predictions(self, probabilities):
        """Return class numbers [rows], or, multi-label, 0 and 1 [rows, C]."""
        probabilities = np.asarray(probabilities)
        if self.multi_label:
            return (probabilities > THRESHOLD).astype("int32")
        return probabilities.argmax(axis=-1).astype("int32")

    def answers(self, probabilities):
        """Return for each row {"label" (multi-label: "labels"), "probabilities": {label: float}}."""
        rows = []
        for row, found in zip(probabilities, self.predictions(probabilities), strict=True):
            table = {label: float(p) for label, p in zip(self.labels, row, strict=True)}
            if self.multi_label:
                given = [label for label, yes in zip(self.labels, found, strict=True) if yes]
                rows.append({"labels": given, "probabilities": table})
            else:
                rows.append({"label": self.labels[found], "probabilities": table})
        return rows

    @property
    def metrics(self):
        """The task's official metrics, {name: function(targets, predictions) -> fraction}; the first decides.

        F1 is that of the second label where there are two, macro otherwise.
        """
        found = {"accuracy": metrics.accuracy, "f1": self._f1}
        return found if self.multi_label else {**found, "matthews": metrics.matthews}

    def _f1(self, targets, predictions):
        average = "binary" if not self.multi_label and len(self.labels) == 2 else "macro"
        return metrics.f1(targets, predictions, average=average)

    def scores(self, targets, probabilities):
        """Return {metric: fraction}."""
        predictions = self.predictions(probabilities)
        return {name: float(metric(targets, predictions)) for name, metric in self.metrics.items()}

    def intervals(self, targets, probabilities, seed=0):
        """Return {metric: {"score", "low", "high"}}, 95 % bootstrap intervals."""
        predictions = self.predictions(probabilities)
        found = {}
        for name, metric in self.metrics.items():
            low, high = metrics.bootstrap(metric, targets, predictions, seed=seed)
            found[name] = {"score": float(metric(targets, predictions)), "low": low, "high": high}
        return found


def task(facts):
    """Return the task that a bundle's or an export's facts describe: {"task", "labels", "multi_label"}."""
    if facts.get("task") != "classify":
        raise Error(f"The task {facts.get('task')!r} is not one that this version of bertkit knows.")
    return Classification(tuple(facts["labels"]), facts.get("multi_label", False))

"""Which of several endings goes on from a prompt."""

from dataclasses import dataclass

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.classification import FLOOR, softmax, text_rows
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task

ALIKE = 0.1         # logits that differ by less are alike: it turns a choice of 50 % into one of 52.5 %

@dataclass(frozen=True)
class Choosing(Task):
    """The likeliest ending of (prompt, ending, ending, ...): a logit for each pair (prompt, ending), softmax over them.

    Devlin et al. 2018, section 4.4.

    >>> Choosing().answers([("He fell", "asleep", "blue")], [np.array([0.9, 0.1])])
    [{'choice': 0, 'probabilities': [0.9, 0.1]}]
    """

    name, output, width = "choose", "logits", 1
    commonest = "the commonest place of the right ending"
    reads = ("prompt", "ending", "ending", "...")

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return a row for each ending, and for training a group of rows an input; raises `Error` (see `_group`)."""
        counts = [len(given) - 1 for given in inputs]
        pairs = [(given[0], ending) for given in inputs for ending in given[1:]]
        rows = text_rows(tokenizer, pairs, length, pairs=True)
        if targets is None:
            return Packed(rows, counts)
        return Packed(rows, counts, np.asarray(targets, "int32"), group=_group(counts))

    def predictions(self, outputs, packed):
        """Return the probabilities of each input's endings."""
        logits = np.concatenate(outputs) if len(outputs) else np.zeros(0)
        return [softmax(part) for part in np.split(logits, np.cumsum(packed.origin)[:-1])] if packed.origin else []

    def answers(self, inputs, predictions):
        """Return for each row {"choice": index, "probabilities": [float]}."""
        return [{"choice": int(np.argmax(row)), "probabilities": [float(p) for p in row]} for row in predictions]

    def sides(self, targets, predictions):
        """Return what the metrics compare: (right endings, chosen endings)."""
        return np.asarray(targets), np.array([np.argmax(row) for row in predictions])

    @property
    def metrics(self):
        return {"accuracy": metrics.accuracy}

    def agreement(self, one, other):
        """Return the fraction of pairs whose logits differ by less than `ALIKE`."""
        return float(np.mean(np.abs(np.array(one) - np.array(other)) < ALIKE))

    def loss(self, targets, predictions):
        """Return −log p[right ending], the mean over inputs."""
        chances = [row[right] for row, right in zip(predictions, targets, strict=True)]
        return float(-np.log(np.maximum(chances, FLOOR)).mean())


def _group(counts):
    """Return the number of endings; raises `Error` where inputs to train on differ in it."""
    if len(set(counts)) > 1:
        raise Error(f"Rows of {min(counts)} and of {max(counts)} endings came; to train on, give each the same number.")
    return counts[0]

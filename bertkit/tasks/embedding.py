"""A vector for each text: what retrieval and similarity compare."""

from dataclasses import dataclass, replace

import numpy as np

from bertkit import metrics
from bertkit.tasks.classification import text_rows
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task

ALIKE = 0.99        # two vectors of larger cosine point the same way


@dataclass(frozen=True)
class Embedding(Task):
    """The vector of a text, `width` numbers. Where inputs are tuples of texts, each has a row of a prediction [g,D].

    Pairs are scored by cos(u, v) = uᵀv / (‖u‖ ‖v‖) against human scores (Reimers & Gurevych 2019, section 4.1).

    >>> Embedding(2).answers(["a film"], [np.array([0.6, 0.8])])
    [{'embedding': [0.6, 0.8]}]
    """

    width: int = 0

    name, output = "embed", "embedding"
    reads = ("text",)

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return a row for each text, cut to `length`; to train on, an input's texts are a group."""
        groups = [(given,) if isinstance(given, str | bytes) else tuple(given) for given in inputs]
        rows = text_rows(tokenizer, [text for group in groups for text in group], length, pairs=False)
        group = 1 if targets is None else len(groups[0])
        return Packed(rows, [0 if isinstance(given, str | bytes) else len(given) for given in inputs], targets,
                      group=group)

    def _checked(self, number, given):
        if isinstance(given, tuple | list) and given and all(isinstance(text, str | bytes) for text in given):
            return tuple(given)
        return super()._checked(number, given)

    def predictions(self, outputs, packed):
        """Return the vector of each text [D], or of each tuple of texts [g,D]."""
        rows = iter(outputs)
        return [np.stack([next(rows) for _ in range(count)]) if count else next(rows) for count in packed.origin]

    def answers(self, inputs, predictions):
        """Return for each text {"embedding": [float]}; for a tuple of texts a list of such lists."""
        return [{"embedding": vector.tolist()} for vector in predictions]

    def tuned(self, targets, predictions):
        """Return the task with the width of its vectors."""
        return replace(self, width=predictions[0].shape[-1])

    def sides(self, targets, predictions):
        """Return what the metrics compare: (scores, cosines of pairs)."""
        pairs = np.asarray(predictions, "float64")
        return np.asarray(targets, "float64"), cosines(pairs[:, 0], pairs[:, 1])

    @property
    def metrics(self):
        return {"pearson": metrics.pearson, "spearman": metrics.spearman}

    def agreement(self, one, other):
        """Return the fraction of rows whose two vectors point the same way (cosine above `ALIKE`)."""
        return float(np.mean(cosines(np.array(one, "float64"), np.array(other, "float64")) > ALIKE))


def cosines(one, other):
    """Return the cosine of each row of one with that of other, [N,D] and [N,D] -> [N]; 0 where a row is zero."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.sum(one * other, axis=-1) / np.where(lengths > 0, lengths, 1)

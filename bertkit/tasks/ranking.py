"""How well a document answers a query: what puts the documents that a search found in order."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.tasks.classification import text_rows
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task

ALIKE = 0.1         # scores, logits, that differ by less are alike


class Judged(NamedTuple):
    """What is known of a query that is scored: the ids of its candidates, and {document: grade} of all judged."""

    candidates: tuple
    grades: dict


@dataclass(frozen=True)
class Ranking(Task):
    """A score, a logit, for each (query, document); whole queries, (query, document, ...), are evaluated.

    Nogueira & Cho 2019 (arXiv 1901.04085), trained by softmax over a relevant document and others that a search finds
    (Gao et al. 2021, arXiv 2101.08751). `candidates` is how many documents a search hands on for evaluation.

    >>> Ranking().answers([("sea", "the sea")], [np.array([1.5])])
    [{'score': 1.5}]
    """

    candidates: int = 30

    name, output, width = "rank", "score", 1
    reads = ("query", "document")

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return a row for each document beside its query; to train on, an input's are a group, the right one first."""
        counts = [len(given) - 1 for given in inputs]
        pairs = [(given[0], document) for given in inputs for document in given[1:]]
        return Packed(text_rows(tokenizer, pairs, length, pairs=True), counts, targets,
                      group=1 if targets is None else counts[0])

    def _checked(self, number, given):
        if isinstance(given, tuple | list) and len(given) > 2 and all(isinstance(text, str | bytes) for text in given):
            return tuple(given)
        return super()._checked(number, given)

    def predictions(self, outputs, packed):
        """Return the scores of each input's documents, [documents]."""
        scores = np.concatenate(outputs) if len(outputs) else np.zeros(0, "float32")
        return np.split(scores, np.cumsum(packed.origin)[:-1]) if packed.origin else []

    def answers(self, inputs, predictions):
        """Return for each (query, document) {"score": float}; for several documents {"scores": [float]}."""
        return [{"score": float(scores[0])} if len(scores) == 1 else {"scores": scores.tolist()}
                for scores in predictions]

    def sides(self, targets, predictions):
        """Return what the metrics are means of: AP, RR, NDCG@10, P@10, R@10 of each query, [queries, 5].

        `targets` are `Judged`; queries without a relevant document are left out, as trec_eval leaves them.
        """
        qrels = {str(place): judged.grades for place, judged in enumerate(targets)}
        run = {str(place): dict(zip(judged.candidates, map(float, scores), strict=True))
               for place, (judged, scores) in enumerate(zip(targets, predictions, strict=True))}
        return (metrics.ranking_queries(qrels, run)[1],)

    @property
    def metrics(self):
        return {name: _Mean(place) for place, name in enumerate(("map", "mrr", "ndcg@10", "p@10", "recall@10"))}

    def agreement(self, one, other):
        """Return the fraction of rows whose scores differ by less than `ALIKE`."""
        return float(np.mean(np.abs(np.array(one) - np.array(other)) < ALIKE))


class _Mean(NamedTuple):
    """The mean of a column."""

    column: int

    def __call__(self, table):
        return float(table[:, self.column].mean())

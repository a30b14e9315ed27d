"""Score how well a document answers a query; the scores put the documents that a search found in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.tasks.classification import text_rows
from bertkit.tasks.packed import Packed
from bertkit.tasks.task import Task
from bertkit.text import Tokenizer

ALIKE = 0.1         # scores, which are logits, that differ by less count as equal


class Judged(NamedTuple):
    """What is known of a query whose ranking is scored.

    Args:
        candidates: The ids of the documents to put in order.
        grades: {document: grade} of all judged documents.
    """

    candidates: tuple[str, ...]
    grades: dict[str, float]


@dataclass(frozen=True)
class Ranking(Task):
    """A score, which is a logit, for each (query, document); (query, document, ...) are scored together.

    Nogueira & Cho 2019 (arXiv 1901.04085), trained by softmax over a relevant document and others that a search finds
    (Gao et al. 2021, arXiv 2101.08751).

    Args:
        candidates: How many documents a search gives to each query that is evaluated.

    Example:
        >>> Ranking().answers([("sea", "the sea")], [np.array([1.5])])
        [{'score': 1.5}]
    """

    candidates: int = 30

    name, output, width = "rank", "score", 1
    reads = ("query", "document")
    counted = "queries whose order has the higher average precision"

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make a row of each document with its query.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: (query, document, ...) of each.
            length: The most tokens of a row.
            targets: For training, the places of the relevant documents; the rows of an input are then a group.

        Returns:
            The `Packed` rows.
        """
        counts = [len(given) - 1 for given in inputs]
        pairs = [(given[0], document) for given in inputs for document in given[1:]]
        return Packed(text_rows(tokenizer, pairs, length, pairs=True), counts, targets,
                      group=1 if targets is None else counts[0])

    def _checked(self, number, example):
        if (isinstance(example, tuple | list) and len(example) > 2
                and all(isinstance(text, str | bytes) for text in example)):
            return tuple(example)
        return super()._checked(number, example)

    def predictions(self, outputs: Sequence[Any], packed: Packed) -> list[np.ndarray]:
        """Return the scores of each input's documents.

        Args:
            outputs: [1] of each row.
            packed: The `Packed` rows.

        Returns:
            float32 [documents] of each input.
        """
        scores = np.concatenate(outputs) if len(outputs) else np.zeros(0, "float32")
        return np.split(scores, np.cumsum(packed.origin)[:-1]) if packed.origin else []

    def answers(self, inputs: Sequence[Any], predictions: Any) -> list[dict[str, Any]]:
        """Return the answer to each input.

        Args:
            inputs: Not used.
            predictions: [documents] of each input.

        Returns:
            {"score": float} of each (query, document); {"scores": [float]} where there are several documents.
        """
        return [{"score": float(scores[0])} if len(scores) == 1 else {"scores": scores.tolist()}
                for scores in predictions]

    def metric_inputs(self, targets: Any, predictions: Any) -> tuple[np.ndarray]:
        """Return what the metrics are means of; queries without a relevant document are left out, as in trec_eval.

        Args:
            targets: `Judged` of each query.
            predictions: [documents] of each query.

        Returns:
            AP, RR, NDCG@10, P@10 and R@10 of each query, float64 [queries, 5].
        """
        qrels = {str(place): judged.grades for place, judged in enumerate(targets)}
        run = {str(place): dict(zip(judged.candidates, map(float, scores), strict=True))
               for place, (judged, scores) in enumerate(zip(targets, predictions, strict=True))}
        return (metrics.ranking_queries(qrels, run)[1],)

    def row_quality(self, targets: Any, predictions: Any) -> np.ndarray:
        """Return the average precision of each query, 0 of one without a relevant document.

        Args:
            targets: `Judged` of each query.
            predictions: [documents] of each query.

        Returns:
            float64 [queries], from 0 to 1.
        """
        relevant = [any(grade > 0 for grade in judged.grades.values()) for judged in targets]
        return np.array([self.metric_inputs([judged], [scores])[0][0, 0] if any_is else 0.0
                         for judged, scores, any_is in zip(targets, predictions, relevant, strict=True)])

    def target_in_words(self, example: Any, target: Any) -> str:
        """Return the documents of a query that are relevant.

        Args:
            example: Not used.
            target: Its `Judged`.

        Returns:
            The text.
        """
        return ", ".join(document for document, grade in target.grades.items() if grade > 0) or "none"

    @property
    def metrics(self) -> dict[str, Any]:
        """The means of the columns of `metric_inputs`; the first decides."""
        return {name: _Mean(place) for place, name in enumerate(("map", "mrr", "ndcg@10", "p@10", "recall@10"))}

    def agreement(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the fraction of rows whose scores differ by less than `ALIKE`.

        Args:
            one: The outputs of one file, one a row.
            other: The outputs of the other file.

        Returns:
            From 0 to 1.
        """
        return float(np.mean(np.abs(np.array(one) - np.array(other)) < ALIKE))


class _Mean(NamedTuple):
    """The mean of a column."""

    column: int

    def __call__(self, table):
        return float(table[:, self.column].mean())

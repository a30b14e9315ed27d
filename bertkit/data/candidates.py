"""Make from a collection what a reranker learns from and is scored on: queries with the documents that a search finds.

A search is a function (collection, k) -> {query: {document: score}}, the first stage of retrieval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from bertkit.data.columns import Columns
from bertkit.data.inputs import print_skipped
from bertkit.data.trec import Collection, read_collection
from bertkit.errors import Error
from bertkit.retrieval import BM25, ExactIndex
from bertkit.tasks.ranking import Judged, Ranking

DEPTH = 100         # wrong documents are drawn from so many that a search finds (Gao et al. 2021, section 4.1)


def bm25_search(collection: Collection, k: int) -> dict[str, dict[str, float]]:
    """Search a collection with `BM25`.

    Args:
        collection: The `Collection`.
        k: Documents for each query.

    Returns:
        {query: {document: score}}.
    """
    results = BM25(collection.documents).search(collection.queries.values(), k)
    return dict(zip(collection.queries, results, strict=True))


def vector_search(embed: Callable[[list[str]], Any]) -> Callable[[Collection, int], dict[str, dict[str, float]]]:
    """Make the search that compares vectors in an `ExactIndex`.

    Args:
        embed: A function of texts that returns vectors [N,D].

    Returns:
        A search, (collection, k) -> {query: {document: score}}.
    """
    def search(collection, k):
        index = ExactIndex(collection.documents, embed(list(collection.documents.values())))
        results = index.search(embed(list(collection.queries.values())), k)
        return dict(zip(collection.queries, results, strict=True))

    return search


@dataclass(frozen=True)
class Ranked:
    """A collection with the search that finds documents to put in order, and wrong documents to learn from.

    Args:
        collection: The `Collection`.
        search: (collection, k) -> {query: {document: score}}.
        candidates: Documents for each query that is scored.
        negatives: Wrong documents for each relevant one that is learned from.
        seed: The seed of the draws.
    """

    collection: Collection
    search: Callable[[Collection, int], dict[str, dict[str, float]]] = bm25_search
    candidates: int = Ranking.candidates
    negatives: int = 4
    seed: int = 0

    @classmethod
    def read(cls, path: str | Path, columns: Columns, reading: dict[str, Any]) -> Self:
        """Read the collection of a folder or file (see `read_collection`).

        Args:
            path: The folder or file.
            columns: Names of columns, for a file of rows.
            reading: "limit", "skip_bad_rows", and the other fields of this class.

        Returns:
            A `Ranked`.
        """
        options = {name: reading[name] for name in ("search", "candidates", "negatives", "seed") if name in reading}
        collection = read_collection(path, columns, reading.get("limit"), reading.get("skip_bad_rows", False))
        return cls(print_skipped(collection), **options)

    def reranking_inputs(self, candidates: int) -> tuple[Path, list[tuple[str, ...]], list[Judged], list[Any]]:
        """Return what is scored (see `reranking_inputs`).

        Args:
            candidates: Documents for each query.

        Returns:
            (path, inputs, [`Judged`], skipped).
        """
        inputs, judged = reranking_inputs(self.collection, self.search, candidates)
        return self.collection.path, inputs, judged, self.collection.skipped

    def contrastive_inputs(self) -> tuple[Path, list[tuple[str, ...]], np.ndarray, list[Any]]:
        """Return what is learned from (see the function `contrastive_inputs`).

        Returns:
            (path, groups, labels int32 [groups], skipped); the first document of each group is the relevant one.
        """
        groups = contrastive_inputs(self.collection, self.search, self.negatives, self.seed)
        return self.collection.path, groups, np.zeros(len(groups), "int32"), self.collection.skipped


def reranking_inputs(collection: Collection, search: Callable[..., dict[str, dict[str, float]]],
                     k: int) -> tuple[list[tuple[str, ...]], list[Judged]]:
    """Return for every judged query the documents that a reranker puts in order.

    These are the k best that `search` finds, or, where a file lists relevant and other documents for its queries,
    those.

    Args:
        collection: The `Collection`.
        search: (collection, k) -> {query: {document: score}}.
        k: Documents for each query.

    Returns:
        ([(query, document, ...)], [`Judged`]), texts and ids of the same documents.
    """
    if collection.listed:
        lists = {query: tuple(grades) for query, grades in collection.qrels.items()}
    else:
        lists = {query: tuple(scores) for query, scores in search(collection, k).items() if query in collection.qrels}
    inputs = [_group(collection, query, documents) for query, documents in lists.items()]
    return inputs, [Judged(documents, collection.qrels[query]) for query, documents in lists.items()]


def contrastive_inputs(collection: Collection, search: Callable[..., dict[str, dict[str, float]]], negatives: int,
                       seed: int) -> list[tuple[str, ...]]:
    """Return for every relevant judgement its query, its document and `negatives` wrong documents.

    Documents that are judged wrong come first, then the best that `search` finds, then any others; they are drawn
    without replacement as long as there are enough.

    Args:
        collection: The `Collection`.
        search: (collection, k) -> {query: {document: score}}.
        negatives: Wrong documents for each relevant one.
        seed: The seed of the draws.

    Returns:
        [(query, relevant document, wrong documents ...)], texts.

    Raises:
        Error: when `negatives` is below 1, when all documents are relevant to a query, and when no document is
            relevant.
    """
    if negatives < 1:
        raise Error(f"negatives={negatives} leaves nothing to tell a relevant document from; give 1 or more.")
    rng, results, groups = np.random.default_rng(seed), search(collection, DEPTH), []
    for query, grades in collection.qrels.items():
        relevant = [document for document, grade in grades.items() if grade > 0]
        pools = [[document for document, grade in grades.items() if grade <= 0], list(results[query]),
                 list(collection.documents)]
        for document in relevant:
            wrong = _draw_wrong(pools, set(relevant), negatives, rng)
            if not wrong:
                raise Error(f"{collection.path} has no document that is not relevant to the query {query!r}; add some.")
            groups.append(_group(collection, query, (document, *wrong)))
    if not groups:
        raise Error(f"{collection.path} judges no document relevant, with a grade above 0; give some to learn from.")
    return groups


def _draw_wrong(pools, relevant, count, rng):
    """Return `count` documents that are not relevant, from the first pool as far as it goes; [] where there is none."""
    wrong = []
    for pool in pools:
        if len(wrong) < count:
            left = [document for document in pool if document not in relevant and document not in wrong]
            wrong += [left[place] for place in rng.permutation(len(left))[:count - len(wrong)]]
    return [wrong[place % len(wrong)] for place in range(count)] if wrong else []


def _group(collection, query, documents):
    return collection.queries[query], *(collection.documents[document] for document in documents)

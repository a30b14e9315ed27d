"""From a collection to what a reranker learns from and is scored on: queries with the documents a search finds.

A search is a function (collection, k) -> {query: {document: score}}, the first stage of retrieval.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bertkit.data.inputs import said
from bertkit.data.trec import Collection, read_collection
from bertkit.errors import Error
from bertkit.retrieval import BM25, ExactIndex
from bertkit.tasks.ranking import Judged, Ranking

DEPTH = 100         # how far down what a search finds wrong documents are taken from (Gao et al. 2021, section 4.1)


def by_words(collection, k):
    """Search a collection with `BM25`."""
    found = BM25(collection.documents).search(collection.queries.values(), k)
    return dict(zip(collection.queries, found, strict=True))


def by_vectors(embed):
    """Return the search with an `ExactIndex` of what `embed` gives, texts -> vectors [N,D]."""
    def search(collection, k):
        index = ExactIndex(collection.documents, embed(list(collection.documents.values())))
        found = index.search(embed(list(collection.queries.values())), k)
        return dict(zip(collection.queries, found, strict=True))

    return search


@dataclass(frozen=True)
class Ranked:
    """A collection with the search that finds `candidates` to put in order and `negatives` to learn from."""

    collection: Collection
    search: Callable = by_words
    candidates: int = Ranking.candidates
    negatives: int = 4
    seed: int = 0

    @classmethod
    def read(cls, path, columns, reading):
        """Return the collection of a folder or file (see `read_collection`), the other fields from `reading`."""
        options = {name: reading[name] for name in ("search", "candidates", "negatives", "seed") if name in reading}
        read = read_collection(path, columns, reading.get("limit"), reading.get("skip_bad_rows", False))
        return cls(said(read), **options)

    def found(self, candidates):
        """Return (path, inputs, [`Judged`], skipped), to be scored on (see `reranked`)."""
        inputs, judged = reranked(self.collection, self.search, candidates)
        return self.collection.path, inputs, judged, self.collection.skipped

    def contrasted(self):
        """Return (path, groups, labels, skipped), to be trained on (see `contrasted`): the first document is right."""
        groups = contrasted(self.collection, self.search, self.negatives, self.seed)
        return self.collection.path, groups, np.zeros(len(groups), "int32"), self.collection.skipped


def reranked(collection, search, k):
    """Return ([(query, document, ...)], [`Judged`]) of every judged query: what a reranker puts in order.

    The documents are the k best that `search` finds. Where a file lists for its queries documents that are relevant
    and others that are not, it is these.
    """
    if collection.listed:
        found = {query: tuple(grades) for query, grades in collection.qrels.items()}
    else:
        found = {query: tuple(scores) for query, scores in search(collection, k).items() if query in collection.qrels}
    inputs = [_group(collection, query, documents) for query, documents in found.items()]
    return inputs, [Judged(documents, collection.qrels[query]) for query, documents in found.items()]


def contrasted(collection, search, negatives, seed):
    """Return [(query, relevant document, wrong ones ...)] for every relevant judgement, `negatives` wrong ones each.

    Wrong are first the documents judged so, then the best that `search` finds, then any other; drawn without
    replacement as far as they go. Raises `Error` where all documents are relevant to a query, and where none is to any.
    """
    if negatives < 1:
        raise Error(f"negatives={negatives} leaves nothing to tell a relevant document from; give 1 or more.")
    chance, found, groups = np.random.default_rng(seed), search(collection, DEPTH), []
    for query, grades in collection.qrels.items():
        relevant = [document for document, grade in grades.items() if grade > 0]
        pools = [[document for document, grade in grades.items() if grade <= 0], list(found[query]),
                 list(collection.documents)]
        for document in relevant:
            wrong = _drawn(pools, set(relevant), negatives, chance)
            if not wrong:
                raise Error(f"{collection.path} has no document that is not relevant to the query {query!r}; add some.")
            groups.append(_group(collection, query, (document, *wrong)))
    if not groups:
        raise Error(f"{collection.path} judges no document relevant, with a grade above 0; give some to learn from.")
    return groups


def _drawn(pools, relevant, count, chance):
    """Return `count` documents that are not relevant, from the first pool as far as it goes; [] where there is none."""
    wrong = []
    for pool in pools:
        if len(wrong) < count:
            left = [document for document in pool if document not in relevant and document not in wrong]
            wrong += [left[place] for place in chance.permutation(len(left))[:count - len(wrong)]]
    return [wrong[place % len(wrong)] for place in range(count)] if wrong else []


def _group(collection, query, documents):
    return collection.queries[query], *(collection.documents[document] for document in documents)

"""An index of the library faiss (Johnson et al. 2017, arXiv 1702.08734): faster at millions, exact or approximate."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.requirements import missing
from bertkit.retrieval.exact import check_documents, check_queries, unit_vectors


class FaissIndex:
    """The index searches like `ExactIndex`, by the library faiss.

    Args:
        ids: N document ids, different str.
        vectors: float [N, D], one row for each id.
        similarity: "cosine" or "dot".
        factory: faiss' description of an index. "Flat" compares all documents; others, such as "HNSW32" or
            "IVF256,Flat", find most of the nearest ones.

    Raises:
        Error: when faiss is not installed or cannot make the index, or the documents are not what `ExactIndex` takes.
    """

    kind = "faiss"

    def __init__(self, ids: Iterable[str], vectors: Any, similarity: str = "cosine", factory: str = "Flat"):
        ids, vectors = check_documents(ids, vectors, similarity)
        order = sorted(range(len(ids)), key=ids.__getitem__)
        self.ids, self.vectors = [ids[place] for place in order], vectors[order]
        self.similarity, self.factory = similarity, factory
        self._index = _built(factory, self._prepared(self.vectors))

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, queries: Any, k: int = 10) -> list[dict[str, float]]:
        """Return k near documents of each query.

        Args:
            queries: float [Q, D], the vectors of the queries.
            k: number of documents.

        Returns:
            A list of Q dicts {document id: score}, best first.

        Raises:
            Error: when k is below 1, or the vectors have another width or are not finite.
        """
        queries = check_queries(queries, k, self.vectors.shape[1]).astype("float32")
        scores, places = self._index.search(self._prepared(queries), min(k, len(self)))
        return [self._row(*row) for row in zip(scores, places, strict=True)]

    def _row(self, scores, places):
        """Return {id: score} in order; faiss gives the place -1 where it finds fewer documents."""
        ordered = sorted((-float(score), int(place)) for score, place in zip(scores, places, strict=True) if place >= 0)
        return {self.ids[place]: -score for score, place in ordered}

    def _prepared(self, vectors):
        return np.ascontiguousarray(unit_vectors(vectors) if self.similarity == "cosine" else vectors, "float32")


def _built(factory, vectors):
    try:
        import faiss
    except ImportError:
        raise missing("faiss-cpu", "An index of faiss", "take the exact index") from None
    try:
        index = faiss.index_factory(vectors.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        if not index.is_trained:
            index.train(vectors)
        index.add(vectors)
    except RuntimeError as error:
        raise Error(f"faiss makes no index {factory!r} of {len(vectors)} vectors ({str(error).splitlines()[-1]}); "
                    'give another factory, such as "Flat".') from None
    return index

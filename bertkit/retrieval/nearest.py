"""The same question put to faiss (Johnson et al. 2017, arXiv 1702.08734): faster at millions, exact or not."""

import numpy as np

from bertkit.errors import Error
from bertkit.requirements import missing
from bertkit.retrieval.exact import asked, checked, directions


class FaissIndex:
    """`ExactIndex` by the library faiss; `factory` is its description of an index, "Flat" compares all.

    Others, such as "HNSW32" or "IVF256,Flat", find most of the nearest. Raises `Error` without the library.
    """

    kind = "faiss"

    def __init__(self, ids, vectors, similarity="cosine", factory="Flat"):
        ids, vectors = checked(ids, vectors, similarity)
        order = sorted(range(len(ids)), key=ids.__getitem__)
        self.ids, self.vectors = [ids[place] for place in order], vectors[order]
        self.similarity, self.factory = similarity, factory
        self._index = _made(factory, self._seen(self.vectors))

    def __len__(self):
        return len(self.ids)

    def search(self, queries, k=10):
        """Return for each of the query vectors [Q,D] {id: score} of k near documents, best first."""
        queries = asked(queries, k, self.vectors.shape[1]).astype("float32")
        scores, places = self._index.search(self._seen(queries), min(k, len(self)))
        return [self._row(*found) for found in zip(scores, places, strict=True)]

    def _row(self, scores, places):
        """Return {id: score} in order; faiss fills up with the place -1 where it finds fewer."""
        found = sorted((-float(score), int(place)) for score, place in zip(scores, places, strict=True) if place >= 0)
        return {self.ids[place]: -score for score, place in found}

    def _seen(self, vectors):
        return np.ascontiguousarray(directions(vectors) if self.similarity == "cosine" else vectors, "float32")


def _made(factory, vectors):
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

"""The exact index: the vectors of all documents are compared with every query, which is slow at millions."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bertkit.errors import Error

SIMILARITIES = ("cosine", "dot")
ROWS = 256              # queries compared at once
BLOCK = 1 << 22         # numbers held at once, scores or vectors: 32 MiB as float64


class ExactIndex:
    """The index finds the k documents with the largest similarity to a query.

    The similarity is qᵀd, or the cosine qᵀd / (‖q‖ ‖d‖). Scores are computed in float64 and kept in float32, so equal
    vectors have equal scores wherever they stand.

    Args:
        ids: N document ids, different str.
        vectors: float [N, D], one row for each id.
        similarity: "cosine" or "dot".
        block: largest number of scores, or numbers of vectors, in memory at once.

    Raises:
        Error: when ids repeat or differ from the vectors in number, the similarity is unknown, or a vector is not
            finite.

    Example:
        >>> index = ExactIndex(["sea", "sun"], [[1.0, 0.0], [0.6, 0.8]])
        >>> index.search([[0.0, 2.0]], k=1)
        [{'sun': 0.800000011920929}]
    """

    kind = "exact"

    def __init__(self, ids: Iterable[str], vectors: Any, similarity: str = "cosine", block: int = BLOCK):
        ids, vectors = check_documents(ids, vectors, similarity)
        order = sorted(range(len(ids)), key=ids.__getitem__)        # so that ties are in the order of the ids
        self.ids, self.vectors = [ids[place] for place in order], vectors[order]
        self.similarity, self.block = similarity, block

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, queries: Any, k: int = 10) -> list[dict[str, float]]:
        """Return the k nearest documents of each query.

        Args:
            queries: float [Q, D], the vectors of the queries.
            k: number of documents.

        Returns:
            A list of Q dicts {document id: score}, best first.

        Raises:
            Error: when k is below 1, or the vectors have another width or are not finite.
        """
        queries = check_queries(queries, k, self.vectors.shape[1])
        if self.similarity == "cosine":
            queries = unit_vectors(queries)
        parts = (queries[start:start + ROWS] for start in range(0, len(queries), ROWS))
        return [result for part in parts for result in self._search(part, k)]

    def _search(self, queries, k):
        """Search the documents in blocks, and keep the best k (scores, places) of each query so far."""
        best = [(np.zeros(0, "float32"), np.zeros(0, "int64"))] * len(queries)
        width = max(1, self.block // max(queries.shape))
        for start in range(0, len(self), width):
            documents = self.vectors[start:start + width].astype("float64")
            if self.similarity == "cosine":
                documents = unit_vectors(documents)
            scores = (queries @ documents.T).astype("float32")
            places = np.arange(start, start + len(documents))
            best = [top_k(np.concatenate([kept, row]), np.concatenate([old, places]), k)
                    for (kept, old), row in zip(best, scores, strict=True)]
        return [{self.ids[place]: float(score) for score, place in zip(*result, strict=True)} for result in best]


def top_k(scores: np.ndarray, places: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k largest scores with their places, largest first, on ties in the given order.

    Args:
        scores: float [n].
        places: int [n], the place of each score.
        k: number of scores.

    Returns:
        The scores, float [min(k, n)], and their places, int [min(k, n)].

    Example:
        >>> [part.tolist() for part in top_k(np.array([0.5, 0.9, 0.5, 0.1]), np.arange(4), k=3)]
        [[0.9, 0.5, 0.5], [1, 0, 2]]
    """
    if k < len(scores):
        smallest = np.partition(scores, -k)[-k]
        keep = scores >= smallest
        scores, places = scores[keep], places[keep]
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], places[order]


def unit_vectors(vectors: np.ndarray) -> np.ndarray:
    """Return vectors scaled to length 1; zero vectors stay zero.

    Args:
        vectors: float [..., D].

    Returns:
        float [..., D].

    Example:
        >>> unit_vectors(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
        [[0.6, 0.8], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def check_documents(ids: Iterable[str], vectors: Any, similarity: str) -> tuple[list[str], np.ndarray]:
    """Check the documents of an index.

    Args:
        ids: N document ids, different str.
        vectors: float [N, D], one row for each id.
        similarity: "cosine" or "dot".

    Returns:
        The ids as a list, and the vectors as float32 [N, D].

    Raises:
        Error: when ids repeat or differ from the vectors in number, the similarity is unknown, or a vector is not
            finite.

    Example:
        >>> ids, vectors = check_documents(["sea", "sun"], [[1, 0], [0, 1]], "cosine")
        >>> ids, vectors.dtype
        (['sea', 'sun'], dtype('float32'))
    """
    ids, vectors = list(ids), np.asarray(vectors, "float32")
    if similarity not in SIMILARITIES:
        raise Error(f"similarity={similarity!r}; wanted one of {', '.join(SIMILARITIES)}.")
    if vectors.ndim != 2 or len(ids) != len(vectors):
        raise Error(f"{len(ids)} ids came with vectors of shape {vectors.shape}; wanted one row [D] for each id.")
    if len(set(ids)) < len(ids) or not all(isinstance(name, str) for name in ids):
        raise Error("Ids of documents repeat or are no text; give each document a name of its own.")
    if not np.isfinite(vectors).all():
        raise Error(f"The vector of {ids[int(np.argmin(np.isfinite(vectors).all(axis=1)))]!r} is not finite; "
                    "embed it again.")
    return ids, vectors


def check_queries(queries: Any, k: int, width: int) -> np.ndarray:
    """Check the queries of a search.

    Args:
        queries: float [Q, D], the vectors of the queries.
        k: number of documents.
        width: number D of features that the documents have.

    Returns:
        The vectors as float64 [Q, D].

    Raises:
        Error: when k is below 1, or the vectors have another width or are not finite.

    Example:
        >>> check_queries([[1.0, 2.0]], k=1, width=2).shape
        (1, 2)
    """
    queries = np.asarray(queries, "float64")
    if k < 1:
        raise Error(f"k={k} finds nothing; give 1 or more.")
    if queries.ndim != 2 or queries.shape[1] != width:
        raise Error(f"Queries of shape {queries.shape} came; wanted vectors [Q,{width}] as the documents have.")
    if not np.isfinite(queries).all():
        raise Error("A query's vector is not finite; embed it again.")
    return queries

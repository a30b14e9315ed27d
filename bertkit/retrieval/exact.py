"""The whole matrix of document vectors, compared with every query: slow at millions, and never wrong."""

import numpy as np

from bertkit.errors import Error

SIMILARITIES = ("cosine", "dot")
ROWS = 256              # queries compared at once
BLOCK = 1 << 22         # numbers held at once, scores or vectors: 32 MiB as float64


class ExactIndex:
    """Documents `ids` with `vectors` [N,D]; the k of largest qᵀd, or cosine qᵀd / (‖q‖ ‖d‖).

    Scores are computed in float64 and kept in float32, so that equal vectors have equal scores wherever they stand.
    At most `block` scores, or numbers of vectors, are held at once. Raises `Error` where ids repeat, differ from the
    vectors in number, or a vector is not finite.

    >>> index = ExactIndex(["sea", "sun"], [[1.0, 0.0], [0.6, 0.8]])
    >>> index.search([[0.0, 2.0]], k=1)
    [{'sun': 0.800000011920929}]
    """

    kind = "exact"

    def __init__(self, ids, vectors, similarity="cosine", block=BLOCK):
        ids, vectors = checked(ids, vectors, similarity)
        order = sorted(range(len(ids)), key=ids.__getitem__)        # so that an earlier place wins a tie
        self.ids, self.vectors = [ids[place] for place in order], vectors[order]
        self.similarity, self.block = similarity, block

    def __len__(self):
        return len(self.ids)

    def search(self, queries, k=10):
        """Return for each of the query vectors [Q,D] {id: score} of its k nearest documents, best first.

        Raises `Error` for k < 1 and vectors of another width.
        """
        queries = asked(queries, k, self.vectors.shape[1])
        if self.similarity == "cosine":
            queries = directions(queries)
        parts = (queries[start:start + ROWS] for start in range(0, len(queries), ROWS))
        return [found for part in parts for found in self._search(part, k)]

    def _search(self, queries, k):
        """Go through the documents in blocks; keep the best k so far of each query, (scores, places)."""
        best = [(np.zeros(0, "float32"), np.zeros(0, "int64"))] * len(queries)
        width = max(1, self.block // max(queries.shape))
        for start in range(0, len(self), width):
            documents = self.vectors[start:start + width].astype("float64")
            if self.similarity == "cosine":
                documents = directions(documents)
            scores = (queries @ documents.T).astype("float32")
            places = np.arange(start, start + len(documents))
            best = [largest(np.concatenate([kept, row]), np.concatenate([old, places]), k)
                    for (kept, old), row in zip(best, scores, strict=True)]
        return [{self.ids[place]: float(score) for score, place in zip(*found, strict=True)} for found in best]


def largest(scores, places, k):
    """Return the k largest of `scores` and their `places`, largest first, among equals those that come first."""
    if k < len(scores):
        least = np.partition(scores, -k)[-k]
        keep = scores >= least
        scores, places = scores[keep], places[keep]
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order], places[order]


def directions(vectors):
    """Return vectors [...,D] scaled to length 1; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def checked(ids, vectors, similarity):
    """Return ids as a list and vectors as float32 [N,D], having looked at them."""
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


def asked(queries, k, width):
    """Return query vectors as float64 [Q,width], having looked at them and at k."""
    queries = np.asarray(queries, "float64")
    if k < 1:
        raise Error(f"k={k} finds nothing; give 1 or more.")
    if queries.ndim != 2 or queries.shape[1] != width:
        raise Error(f"Queries of shape {queries.shape} came; wanted vectors [Q,{width}] as the documents have.")
    if not np.isfinite(queries).all():
        raise Error("A query's vector is not finite; embed it again.")
    return queries

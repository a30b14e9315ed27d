"""Finding the documents that are nearest to a query: by vectors, exactly or with faiss, or by words (BM25).

Every index has the same method `search(queries, k)`. For each query it returns {document id: score}, best first, ties
in the order of the ids, so `dict(zip(query_ids, results))` is the run that `metrics.ranking` and `data.trec` take.
"""

from bertkit.retrieval.bm25 import BM25
from bertkit.retrieval.exact import ExactIndex
from bertkit.retrieval.nearest import FaissIndex
from bertkit.retrieval.stored import load, save

__all__ = ["BM25", "ExactIndex", "FaissIndex", "load", "save"]

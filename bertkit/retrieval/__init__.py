"""Which of many documents are nearest to a query: by vectors, exactly or with faiss, or by words (BM25).

Every index is asked alike: `search(queries, k)` gives for each query {document id: score}, best first, ties in the
order of the ids, so that `dict(zip(query_ids, found))` is the run that `metrics.ranking` and `data.trec` take.
"""

from bertkit.retrieval.bm25 import BM25
from bertkit.retrieval.exact import ExactIndex
from bertkit.retrieval.nearest import FaissIndex
from bertkit.retrieval.stored import load, save

__all__ = ["BM25", "ExactIndex", "FaissIndex", "load", "save"]

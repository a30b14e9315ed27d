"""BM25: documents are scored by the words that they share with a query; this first stage needs no model."""

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np

from bertkit.errors import Error
from bertkit.retrieval.exact import top_k

WORD = re.compile(r"\w+")


class BM25:
    """The index scores documents by weighted words in common with a query.

    score(q, d) = Σ over the words of q of idf · f (k₁+1) / (f + k₁ (1 − b + b |d| / mean |d|)), with f the count of the
    word in d, and idf = log(1 + (N − n + ½) / (n + ½)), where n of N documents have the word. Source: Robertson &
    Zaragoza 2009, section 3.4; idf as in Lucene, never negative. A word is a run of letters, digits and underscores, in
    lower case. Documents without any word of the query score 0 and are found last.

    Args:
        documents: dict {document id: text}.
        k1: k₁, how slowly the score saturates as a word is repeated.
        b: how much long documents are penalised, from 0 to 1.

    Example:
        >>> BM25({"a": "the sea", "b": "the sun"}).search(["sun"], k=1)
        [{'b': 0.6931471824645996}]
    """

    def __init__(self, documents: dict[str, str], k1: float = 1.2, b: float = 0.75):
        self.ids = sorted(documents)
        self.postings: dict[str, list[tuple[int, int]]] = {}
        sizes = np.zeros(len(self.ids))
        for place, name in enumerate(self.ids):
            words = WORD.findall(documents[name].lower())
            sizes[place] = len(words)
            for word, count in Counter(words).items():
                self.postings.setdefault(word, []).append((place, count))
        self.k1, self.norm = k1, k1 * (1 - b + b * sizes / max(sizes.mean() if len(sizes) else 0, 1e-9))

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, queries: Iterable[str], k: int = 10) -> list[dict[str, float]]:
        """Return the k best documents of each query.

        Args:
            queries: texts.
            k: number of documents.

        Returns:
            A list of dicts {document id: score}, best first.

        Raises:
            Error: when k is below 1.
        """
        if k < 1:
            raise Error(f"k={k} finds nothing; give 1 or more.")
        return [self._search(query, k) for query in queries]

    def _search(self, query, k):
        scores = np.zeros(len(self))
        for word, times in Counter(WORD.findall(query.lower())).items():
            if word in self.postings:
                places, counts = np.array(self.postings[word]).T
                idf = np.log(1 + (len(self) - len(places) + 0.5) / (len(places) + 0.5))
                scores[places] += times * idf * counts * (self.k1 + 1) / (counts + self.norm[places])
        best, places = top_k(scores.astype("float32"), np.arange(len(self)), k)
        return {self.ids[place]: float(score) for score, place in zip(best, places, strict=True)}

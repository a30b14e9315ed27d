"""Words in common, weighted: the first stage that needs no model."""

import re
from collections import Counter

import numpy as np

from bertkit.errors import Error
from bertkit.retrieval.exact import largest

WORD = re.compile(r"\w+")


class BM25:
    """Σ over the query's words of idf · f (k₁+1) / (f + k₁ (1 − b + b |d| / mean |d|)), f the word's count in d.

    idf = log(1 + (N − n + ½) / (n + ½)), n documents of N have the word. Robertson & Zaragoza 2009, section 3.4; idf
    as in Lucene, never negative. A word is a run of letters, digits and underscores, in lower case. Documents
    without any of the query's words score 0 and are found last.

    >>> BM25({"a": "the sea", "b": "the sun"}).search(["sun"], k=1)
    [{'b': 0.6931471824645996}]
    """

    def __init__(self, documents, k1=1.2, b=0.75):
        self.ids = sorted(documents)
        self.postings, sizes = {}, np.zeros(len(self.ids))
        for place, name in enumerate(self.ids):
            words = WORD.findall(documents[name].lower())
            sizes[place] = len(words)
            for word, count in Counter(words).items():
                self.postings.setdefault(word, []).append((place, count))
        self.k1, self.norm = k1, k1 * (1 - b + b * sizes / max(sizes.mean() if len(sizes) else 0, 1e-9))

    def __len__(self):
        return len(self.ids)

    def search(self, queries, k=10):
        """Return for each of the queries, texts, {id: score} of its k best documents, best first."""
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
        best, places = largest(scores.astype("float32"), np.arange(len(self)), k)
        return {self.ids[place]: float(score) for score, place in zip(best, places, strict=True)}

"""BM25 against its equation, word by word."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.retrieval import BM25

TEXTS = st.lists(st.sampled_from(["sea", "sun", "Sea", "sand", "the"]), max_size=6).map(" ".join)


def score(query, documents, name, k1=1.2, b=0.75):
    words = {each: text.lower().split() for each, text in documents.items()}
    mean, total = sum(map(len, words.values())) / len(words), 0
    for word in query.lower().split():
        having, count = sum(word in text for text in words.values()), words[name].count(word)
        idf = math.log(1 + (len(words) - having + 0.5) / (having + 0.5))
        total += idf * count * (k1 + 1) / (count + k1 * (1 - b + b * len(words[name]) / mean)) if count else 0
    return total


@given(texts=st.lists(TEXTS, min_size=1, max_size=5), query=TEXTS, k=st.integers(1, 6))
def test_scores_are_the_equations(texts, query, k):
    documents = {f"d{number}": text for number, text in enumerate(texts)}
    (found,) = BM25(documents).search([query], k)
    wanted = {name: score(query, documents, name) for name in documents}
    assert len(found) == min(k, len(documents))
    assert found == pytest.approx({name: wanted[name] for name in found}, abs=1e-5)
    assert min(found.values()) >= max((wanted[name] for name in wanted if name not in found), default=-1) - 1e-5


def test_ties_are_in_the_order_of_the_ids():
    assert list(BM25({"b": "sea", "a": "sea", "c": "sun"}).search(["sea"], 3)[0]) == ["a", "b", "c"]


def test_none_is_refused():
    with pytest.raises(Error, match="k=0 finds nothing"):
        BM25({"a": "sea"}).search(["sea"], 0)


def test_its_ranking_of_medline(shared):
    from bertkit import metrics
    from bertkit.data.candidates import bm25_search
    from bertkit.data.trec import read_collection
    collection = read_collection(shared("data/ir/medline"))
    assert 0.48 < metrics.ranking(collection.qrels, bm25_search(collection, 1000))["map"] < 0.52

"""The exact index against brute force and scikit-learn, in blocks of every size, and with ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.retrieval import ExactIndex
from bertkit.retrieval.exact import top_k


@pytest.fixture(scope="module")
def cosine_similarity():
    return pytest.importorskip("sklearn.metrics.pairwise").cosine_similarity


# Few different numbers: many documents are alike, and many scores equal.
VECTOR = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=3, max_size=3)


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(VECTOR, min_size=1, max_size=12), queries=st.lists(VECTOR, min_size=1, max_size=4),
       k=st.integers(1, 14), block=st.integers(1, 30))
def test_it_finds_what_sorting_all_scores_finds(documents, queries, k, block):
    ids = [f"d{number}" for number in np.random.default_rng(0).permutation(len(documents))]
    found = ExactIndex(ids, documents, "dot", block).search(queries, k)
    for row, scores in zip(found, np.array(queries) @ np.array(documents).T, strict=True):      # exact: few bits
        order = sorted(range(len(ids)), key=lambda place: (-scores[place], ids[place]))[:k]
        assert list(row.items()) == [(ids[place], scores[place]) for place in order]


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(VECTOR, min_size=1, max_size=12), query=VECTOR, k=st.integers(1, 14),
       block=st.integers(1, 30))
def test_cosines_are_scikit_learns_and_equal_ones_come_in_the_order_of_their_ids(cosine_similarity, documents, query, k,
                                                                                 block):
    ids = [f"d{number:02}" for number in range(len(documents))]
    (found,) = ExactIndex(ids[::-1], documents[::-1], block=block).search([query], k)
    cosines = cosine_similarity([query], documents)[0]
    assert list(found.values()) == pytest.approx(np.sort(cosines)[::-1][:k].tolist(), abs=1e-6)
    places = {name: rank for rank, name in enumerate(found)}
    for name, score in found.items():
        place = ids.index(name)
        assert score == pytest.approx(cosines[place], abs=1e-6)
        equal = [ids[other] for other in range(place) if documents[other] == documents[place]]
        assert all(places[other] < places[name] for other in equal)


def test_it_equals_scikit_learn_on_many_vectors(cosine_similarity):
    chance = np.random.default_rng(1)
    documents, queries = chance.normal(size=(700, 24)), chance.normal(size=(300, 24))
    ids = [f"{number:03}" for number in range(700)]
    found = ExactIndex(ids, documents, block=5000).search(queries, 5)
    scores = cosine_similarity(queries, documents.astype("float32"))
    for row, wanted in zip(found, scores, strict=True):
        assert list(row) == [ids[place] for place in np.argsort(-wanted)[:5]]


@given(scores=st.lists(st.integers(0, 3), max_size=20), k=st.integers(1, 25))
def test_the_largest_are_those_of_a_stable_sort(scores, k):
    scores = np.array(scores, "float32")
    found, places = top_k(scores, np.arange(len(scores)), k)
    order = np.argsort(-scores, kind="stable")[:k]
    assert places.tolist() == order.tolist() and found.tolist() == scores[order].tolist()


@pytest.mark.parametrize("ids, vectors, wrong", [
    (["a"], [[1.0], [2.0]], "1 ids came with vectors of shape"), (["a"], [1.0], "wanted one row"),
    (["a", "a"], [[1.0], [2.0]], "repeat"), ([1], [[1.0]], "no text"), (["a"], [[np.nan]], "'a' is not finite")])
def test_documents_that_do_not_fit_are_named(ids, vectors, wrong):
    with pytest.raises(Error, match=wrong):
        ExactIndex(ids, vectors)


@pytest.mark.parametrize("queries, k, wrong", [
    ([[1.0]], 0, "k=0 finds nothing"), ([[1.0, 2.0]], 1, r"wanted vectors \[Q,1\]"), ([1.0], 1, "wanted vectors"),
    ([[np.inf]], 1, "not finite")])
def test_queries_that_do_not_fit_are_named(queries, k, wrong):
    with pytest.raises(Error, match=wrong):
        ExactIndex(["a"], [[1.0]]).search(queries, k)


def test_another_similarity_is_refused():
    with pytest.raises(Error, match="similarity='l2'; wanted one of cosine, dot"):
        ExactIndex(["a"], [[1.0]], "l2")

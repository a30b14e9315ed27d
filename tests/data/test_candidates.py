"""What a reranker learns from and is scored on."""

from pathlib import Path

import numpy as np
import pytest

from bertkit.data.candidates import bm25_search, contrastive_inputs, reranking_inputs, vector_search
from bertkit.data.trec import Collection
from bertkit.errors import Error

DOCUMENTS = {"d1": "the deep sea", "d2": "the warm sun", "d3": "sea and sun", "d4": "sand"}


def collection(qrels, path="."):
    return Collection(Path(path), {"q1": "deep sea", "q2": "sun", "q3": "sand"}, DOCUMENTS, qrels, 1, [])


def test_words_find_the_documents_that_hold_them():
    found = bm25_search(collection({}), 2)
    assert [list(scores) for scores in found.values()] == [["d1", "d3"], ["d2", "d3"], ["d4", "d1"]]


def test_vectors_find_the_documents_that_are_near():
    def embed(texts):
        return np.array([[word in text for word in ("sea", "sun", "sand")] for text in texts], float)

    found = vector_search(embed)(collection({}), 1)
    assert [list(scores) for scores in found.values()] == [["d1"], ["d2"], ["d4"]]


def test_candidates_are_what_the_search_finds():
    inputs, judged = reranking_inputs(collection({"q1": {"d4": 1}, "q3": {"d4": 1, "d2": 0}}), bm25_search, 2)
    assert inputs == [("deep sea", "the deep sea", "sea and sun"), ("sand", "sand", "the deep sea")]
    assert judged[0] == (("d1", "d3"), {"d4": 1})


def test_candidates_of_a_file_are_those_it_lists(tmp_path):
    inputs, judged = reranking_inputs(collection({"q1": {"d4": 1, "d2": 0}}, tmp_path / "rows.tsv"), bm25_search, 1)
    assert inputs == [("deep sea", "sand", "the warm sun")] and judged[0].candidates == ("d4", "d2")


def test_a_file_of_relevant_documents_alone_is_searched(tmp_path):
    inputs, _ = reranking_inputs(collection({"q1": {"d4": 1}}, tmp_path / "rows.tsv"), bm25_search, 1)
    assert inputs == [("deep sea", "the deep sea")]


def test_wrong_documents_are_those_judged_so_then_those_found():
    qrels = {"q1": {"d1": 1, "d4": 0}, "q2": {"d2": 2, "d3": 1}}
    groups = contrastive_inputs(collection(qrels), bm25_search, 2, seed=0)
    assert [group[:2] for group in groups] == [("deep sea", "the deep sea"), ("sun", "the warm sun"),
                                               ("sun", "sea and sun")]
    assert groups[0][2] == "sand" and groups[0][3] in ("sea and sun", "the warm sun")
    for group in groups[1:]:
        assert set(group[2:]) == {"the deep sea", "sand"}


def test_few_wrong_documents_come_again_and_none_is_refused():
    few = collection({"q1": {"d1": 1, "d2": 1, "d3": 1}})
    assert contrastive_inputs(few, bm25_search, 3, 0)[0][2:] == ("sand",) * 3
    with pytest.raises(Error, match="no document that is not relevant to the query 'q1'"):
        contrastive_inputs(collection({"q1": dict.fromkeys(DOCUMENTS, 1)}), bm25_search, 1, 0)
    with pytest.raises(Error, match="judges no document relevant"):
        contrastive_inputs(collection({"q1": {"d1": 0}}), bm25_search, 1, 0)
    with pytest.raises(Error, match="negatives=0"):
        contrastive_inputs(few, bm25_search, 0, 0)


def test_the_seed_decides_what_is_drawn():
    drawn = [contrastive_inputs(collection({"q1": {"d1": 1}}), bm25_search, 1, seed)[0]
             for seed in (*range(20), *range(20))]
    assert len(set(drawn)) > 1 and drawn[:20] == drawn[20:]

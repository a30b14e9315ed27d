"""Ranking scores, against recorded values of trec_eval and a plain form of the definitions."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error

NAMES = st.sampled_from(["d1", "d10", "d2", "D3", "é", "x", "y"])
GRADES = st.dictionaries(NAMES, st.integers(-2, 3), min_size=1)
RUN = st.dictionaries(NAMES, st.integers(-3, 3).map(lambda score: score / 3), min_size=1)
QUERIES = st.lists(st.tuples(GRADES, RUN), min_size=1, max_size=4)


def test_recorded_values(recorded):
    for case in recorded["ranking"]:
        names, values = metrics.ranking_queries(case["qrels"], case["run"], at=(1, 5, 10))
        assert values.dtype == np.float64
        for query, row in zip(case["qrels"], values, strict=True):
            assert dict(zip(names, row, strict=True)) == pytest.approx(case["queries"][query], abs=1e-9), query


def test_recorded_values_of_the_shared_checks(shared):
    for case in json.loads(shared("acceptance/golden_metrics.json").read_text())["ranking"]:
        found = metrics.ranking(case["qrels"], case["run"], at=(3, 10))
        assert {name: found[name] for name in case["scores"]} == pytest.approx(case["scores"], abs=1e-9)


def plain(grades, scores, k):
    """The five scores of one query again, rank by rank."""
    order = sorted(sorted(scores, reverse=True), key=lambda name: -scores[name])
    rel = [grades.get(name, 0) for name in order]
    relevant = sum(grade > 0 for grade in grades.values())
    precisions = [sum(grade > 0 for grade in rel[:i + 1]) / (i + 1) for i in range(len(rel))]
    hits = [i for i, grade in enumerate(rel) if grade > 0]
    best = sorted(grades.values(), reverse=True)
    gains = [sum(max(grade, 0) / math.log2(i + 2) for i, grade in enumerate(side[:k])) for side in (rel, best)]
    return [sum(precisions[i] for i in hits) / relevant, 1 / (hits[0] + 1) if hits else 0, gains[0] / gains[1],
            sum(i < k for i in hits) / k, sum(i < k for i in hits) / relevant]


@given(queries=QUERIES, k=st.integers(1, 9))
def test_scores_equal_the_plain_form(queries, k):
    qrels = {str(i): grades for i, (grades, _) in enumerate(queries)}
    run = {str(i): scores for i, (_, scores) in enumerate(queries)}
    scored = [query for query, grades in qrels.items() if max(grades.values()) > 0]
    if not scored:
        with pytest.raises(Error):
            metrics.ranking(qrels, run)
        return
    names, values = metrics.ranking_queries(qrels, run, at=(k,))
    assert names == ("map", "mrr", f"ndcg@{k}", f"p@{k}", f"recall@{k}")
    assert values == pytest.approx(np.array([plain(qrels[query], run[query], k) for query in scored]))
    means = metrics.ranking(qrels, run, at=(k,))
    assert [means[name] for name in names] == pytest.approx(values.mean(axis=0).tolist())
    assert (means["queries"], means["left_out"]) == (len(scored), len(qrels) - len(scored))


def test_a_query_by_hand():
    found = metrics.ranking({"q": {"a": 2, "b": 0, "c": 1}}, {"q": {"b": 3.0, "a": 2.0, "z": 1.0, "c": 0.5}}, at=(2, 9))
    wanted = {"map": (1 / 2 + 2 / 4) / 2, "mrr": 1 / 2, "p@2": 1 / 2, "recall@2": 1 / 2, "p@9": 2 / 9, "recall@9": 1,
              "ndcg@2": (2 / math.log2(3)) / (2 + 1 / math.log2(3)),
              "ndcg@9": (2 / math.log2(3) + 1 / math.log2(5)) / (2 + 1 / math.log2(3)), "queries": 1, "left_out": 0}
    assert found == pytest.approx(wanted)


def test_ties_go_by_document_from_last_to_first():
    run = {"q": {"d1": 1.0, "d10": 1.0, "d2": 1.0}}
    mrr = [metrics.ranking({"q": {name: 1}}, run)["mrr"] for name in ("d2", "d10", "d1")]
    assert mrr == pytest.approx([1, 1 / 2, 1 / 3])


def test_scores_are_read_in_single_precision():
    run = {"q": {"a": 1.0 + 1e-12, "b": 1.0}}                   # one number as float32, so a tie
    assert metrics.ranking({"q": {"a": 1}}, run)["mrr"] == 0.5


def test_which_queries_count():
    qrels = {"both": {"x": 1}, "empty run": {"x": 1}, "no run": {"x": 1}, "none relevant": {"x": 0}}
    run = {"both": {"x": 1.0}, "empty run": {}, "none relevant": {"x": 1.0}, "unjudged": {"x": 1.0}}
    found = metrics.ranking(qrels, run)
    assert (found["queries"], found["left_out"]) == (2, 3)
    assert found["map"] == found["mrr"] == found["recall@10"] == 0.5


def test_rows_can_be_resampled():
    chance = np.random.default_rng(0)
    qrels = {str(i): {"a": 1, "b": 0} for i in range(100)}
    run = {str(i): dict(zip("ab", chance.random(2).tolist(), strict=True)) for i in range(100)}
    names, values = metrics.ranking_queries(qrels, run)
    low, high = metrics.bootstrap(lambda rows: rows[:, names.index("mrr")].mean(), values, samples=200)
    assert low < metrics.ranking(qrels, run)["mrr"] < high


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.ranking({}, {}), "None of 0"),
    (lambda: metrics.ranking({"q": {"a": 1}}, {"p": {"a": 1.0}}), "same ids"),
    (lambda: metrics.ranking({"q": {"a": 1}}, {"q": {"a": math.nan}}), "'q' is nan"),
    (lambda: metrics.ranking({"q": {"a": 1}}, {"q": {"a": 1.0}}, at=()), r"at=\(\)"),
    (lambda: metrics.ranking({"q": {"a": 1}}, {"q": {"a": 1.0}}, at=(0,)), r"at=\(0,\)"),
])
def test_errors_say_what_came(call, words):
    with pytest.raises(Error, match=words):
        call()

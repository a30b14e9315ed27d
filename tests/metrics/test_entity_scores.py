"""Entities and their scores, against seqeval and its recorded values."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error

MODES = ("default", "strict")


@pytest.fixture(scope="module")
def seqeval():
    """Return the library's scores and its schemes."""
    return pytest.importorskip("seqeval.metrics"), pytest.importorskip("seqeval.scheme")


def corpora(prefixes, types=("A", "B-c")):
    """Return pairs of the same sentences tagged twice."""
    tag = st.sampled_from(["O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in types)])
    sentence = st.lists(st.tuples(tag, tag), min_size=1, max_size=9)
    return st.lists(sentence, min_size=1, max_size=5).map(
        lambda rows: tuple([[pair[side] for pair in row] for row in rows] for side in (0, 1)))


def test_recorded_values(recorded):
    for case in recorded["entities"]:
        found = metrics.entity_scores(case["labels"], case["predictions"], case["mode"])
        for name in ("precision", "recall", "f1"):
            assert found[name] == pytest.approx(case["micro"][name], abs=1e-12)
        assert found["by_type"].keys() == case["by_type"].keys()
        for kind, row in case["by_type"].items():
            assert found["by_type"][kind] == pytest.approx(row, abs=1e-12)


def test_recorded_values_of_the_shared_checks(shared):
    cases = json.loads(shared("acceptance/golden_metrics.json").read_text())["entities"]
    for case in cases:
        found = metrics.entity_scores(case["labels"], case["predictions"], case["mode"])
        for name in ("precision", "recall", "f1"):
            assert found[name] == pytest.approx(case[name], abs=1e-12), (case["name"], name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("prefixes, scheme", [("BI", None), ("BIES", None), ("I", None), ("E", None),
                                              ("BI", "IOB2"), ("BIES", "IOBES")])
@given(data=st.data())
def test_scores_equal_seqeval(seqeval, prefixes, scheme, data):
    scores, schemes = seqeval
    knobs = {"mode": "strict", "scheme": getattr(schemes, scheme)} if scheme else {}
    gold, found = data.draw(corpora(prefixes))
    # seqeval cannot score a corpus without entities.
    gold, found = [*gold, [f"{prefixes[0]}-A"]], [*found, [f"{prefixes[0]}-A"]]
    ours = metrics.entity_scores(gold, found, scheme or "default")
    for name in ("precision", "recall", "f1"):
        wanted = getattr(scores, f"{name}_score")(gold, found, zero_division=0, **knobs)
        assert ours[name] == pytest.approx(wanted)


@given(gold=corpora("BI"))
def test_counts_are_those_of_the_sets(gold):
    labels, predictions = gold
    for mode in MODES:
        counts = metrics.entity_counts(labels, predictions, mode)
        sets = [[set(metrics.entities(tags, mode)) for tags in pair] for pair in zip(labels, predictions, strict=True)]
        assert counts.tolist() == [[len(a & b), len(b), len(a)] for a, b in sets]
        scores = metrics.entity_scores(labels, predictions, mode)
        assert scores["precision"] == metrics.precision_of(counts)
        assert scores["recall"] == metrics.recall_of(counts)
        assert scores["f1"] == metrics.f1_of(counts)


@given(sides=corpora("BI"))
def test_strict_entities_are_among_the_others(sides):
    for tags in sides[0]:
        assert set(metrics.entities(tags, "strict")) <= set(metrics.entities(tags))


@pytest.mark.parametrize("tags, mode, wanted", [
    (["O", "O"], "default", []),
    ([], "default", []),
    (["I-A", "I-A", "B-A", "O", "I-B"], "default", [("A", 0, 2), ("A", 2, 3), ("B", 4, 5)]),       # IOB1
    (["B-A", "I-B", "I-B"], "strict", [("A", 0, 1)]),
    (["B-A", "I-A", "O", "S-A"], "strict", [("A", 3, 4)]),                                          # a B without E
    (["B-A", "I-A", "O", "S-A"], "default", [("A", 0, 2), ("A", 3, 4)]),
    (["B-A", "I-A", "E-A", "E-A"], "IOBES", [("A", 0, 3)]),
    (["B", "I", "I-"], "default", [("_", 0, 3)]),
    (["B-A-b", "I-A-b", "I-A"], "default", [("A-b", 0, 2), ("A", 2, 3)]),
])
def test_entities_by_hand(tags, mode, wanted):
    assert metrics.entities(tags, mode) == wanted


def test_iobes_is_told_by_the_whole_corpus():
    labels = [["B-A", "I-A"], ["S-A", "O"]]                     # in IOBES the first is no entity
    assert metrics.entity_counts(labels, labels, "strict")[:, 2].tolist() == [0, 1]
    assert metrics.entity_counts(labels[:1], labels[:1], "strict")[:, 2].tolist() == [1]


def test_nothing_is_0_and_not_an_error():
    nothing = [["O", "O"], ["O"]]
    scores = metrics.entity_scores(nothing, nothing)
    assert scores == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "by_type": {}}


def test_counts_resample_as_sentences_do():
    chance = np.random.default_rng(3)
    tags = [[chance.choice(["O", "B-A", "I-A"], 6).tolist() for _ in range(60)] for _ in range(2)]
    whole = metrics.bootstrap(lambda y, p: metrics.entity_scores(y.tolist(), p.tolist())["f1"], *tags, samples=50)
    assert metrics.bootstrap(metrics.f1_of, metrics.entity_counts(*tags), samples=50) == pytest.approx(whole)


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.entity_scores([], []), "at least 1"),
    (lambda: metrics.entity_scores([["O"]], [["O"], ["O"]]), "1 labelled and 2 predicted"),
    (lambda: metrics.entity_scores([["O"], ["O"]], [["O"], ["O", "O"]]), "Sentence 1"),
    (lambda: metrics.entity_scores([["LOC"]], [["O"]]), "'LOC' is no tag"),
    (lambda: metrics.entity_scores([[""]], [["O"]]), "'' is no tag"),
    (lambda: metrics.entity_scores([[3]], [["O"]]), "'3' is no tag"),
    (lambda: metrics.entities(["O"], "loose"), "mode='loose'"),
    (lambda: metrics.entities(["S-A"], "IOB2"), "IOB2 does not have"),
])
def test_errors_say_what_came(call, words):
    with pytest.raises(Error, match=words):
        call()

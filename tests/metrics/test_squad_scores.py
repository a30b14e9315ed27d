"""SQuAD's scores, against recorded values of the official scripts and by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error

WORDS = st.sampled_from(["", "red", "red fox", "The fox!", "a", "blue-red", "fox red red"])
QUESTION = st.tuples(st.lists(WORDS, max_size=3), WORDS, st.integers(0, 1000))


def dataset(*golds):
    """Return a data set of questions "0", "1" ... with these answers."""
    qas = [{"id": str(i), "question": "?", "answers": [{"text": text, "answer_start": 0} for text in texts]}
           for i, texts in enumerate(golds)]
    return {"version": "x", "data": [{"title": "", "paragraphs": [{"context": "", "qas": qas}]}]}


def test_recorded_values_of_the_official_scripts(recorded):
    for case in recorded["squad"]:
        knobs = {"null_scores": case["null_scores"], "threshold": case["threshold"]}
        found = metrics.squad(case["references"], case["predictions"], case["version"], **knobs)
        assert {name: found[name] for name in case["scores"]} == pytest.approx(case["scores"], abs=1e-9)
        assert set(found) - set(case["scores"]) <= {"total", "missing"}
        assert found["missing"] == 0


@pytest.mark.parametrize("text, wanted", [
    ("The  Theatre, a band", "theatre band"), ("a-b", "ab"), ("the.", ""), ("An\u00a0\tapple!", "apple"),
    ("\u201cquoted\u201d", "\u201cquoted\u201d"), ("CAF\u00c9", "caf\u00e9"), ("1,000.5", "10005"), ("a the an", ""),
])
def test_normalization_by_hand(text, wanted):
    assert metrics.normalize_answer(text) == wanted


@given(text=st.text(max_size=30))
def test_normalized_text_has_no_capital_article_or_double_blank(text):
    found = metrics.normalize_answer(text)
    assert found == found.strip() and "  " not in found
    assert not {"a", "an", "the"} & set(found.split())


@pytest.mark.parametrize("version, golds, answer, wanted", [
    ("1.1", ["the"], "The", (1, 0)),            # equal, and no word in common
    ("2.0", ["The"], "a", (1, 1)),
    ("2.0", ["the", "word"], "word", (1, 1)),
    ("2.0", ["the", "word"], "", (0, 0)),
    ("2.0", [], ".", (1, 1)),
    ("1.1", ["red", "blue sky"], "blue", (0, 2 / 3)),
    ("1.1", ["x y z"], "z y x", (0, 1)),
])
def test_a_question_by_hand(version, golds, answer, wanted):
    assert metrics.squad_questions(dataset(golds), {"0": answer}, version)["0"] == pytest.approx(wanted)


def test_missing_predictions_are_0_in_one_version_and_left_out_in_the_other():
    references = dataset(["x"], ["y"], ["z"])
    predictions = {"0": "x", "1": "y", "of another file": "z"}
    one = metrics.squad(references, predictions, "1.1")
    assert one == {"exact": pytest.approx(200 / 3), "f1": pytest.approx(200 / 3), "total": 3, "missing": 1}
    two = metrics.squad(references, predictions, "2.0")
    assert (two["exact"], two["total"], two["missing"], two["HasAns_total"]) == (100, 2, 1, 2)
    assert "NoAns_exact" not in two


@given(rows=st.lists(QUESTION, min_size=1, max_size=12, unique_by=lambda row: row[2]))
def test_the_best_threshold_is_the_best_of_all(rows):
    """Each threshold by itself; articles alone are an answer to the walk and none to the score."""
    references = dataset(*(golds for golds, _, _ in rows))
    predictions = {str(i): "dog" if answer == "a" else answer for i, (_, answer, _) in enumerate(rows)}
    nulls = {str(i): float(null) for i, (_, _, null) in enumerate(rows)}
    best = metrics.squad(references, predictions, "2.0", nulls)
    every = [metrics.squad(references, predictions, "2.0", nulls, threshold=threshold)
             for threshold in (-1.0, *nulls.values())]
    for name in ("exact", "f1"):
        assert best[f"best_{name}"] == pytest.approx(max(scores[name] for scores in every))
        if best[f"best_{name}_thresh"] > 0:
            chosen = metrics.squad(references, predictions, "2.0", nulls, threshold=best[f"best_{name}_thresh"])
            assert chosen[name] == pytest.approx(best[f"best_{name}"])


def test_missing_predictions_do_not_lift_the_best_score():
    scores = metrics.squad(dataset([], [], ["x"]), {"0": "", "2": "x"}, "2.0", {"0": 0.9, "2": 0.1})
    assert scores["best_exact"] == scores["best_f1"] == 100


@given(rows=st.lists(QUESTION, min_size=1, max_size=8))
def test_the_parts_make_the_whole(rows):
    references = dataset(*(golds for golds, _, _ in rows))
    scores = metrics.squad(references, {str(i): row[1] for i, row in enumerate(rows)}, "2.0")
    for name in ("exact", "f1"):
        parts = [scores.get(f"{part}_{name}", 0) * scores.get(f"{part}_total", 0) for part in ("HasAns", "NoAns")]
        assert sum(parts) / scores["total"] == pytest.approx(scores[name])
        assert 0 <= scores[name] <= 100


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.squad(dataset(["x"]), {"0": "x"}, "3"), "version='3'"),
    (lambda: metrics.squad(dataset([]), {"0": "x"}, "1.1"), "version='2.0'"),
    (lambda: metrics.squad(dataset(["x"]), {"0": "x"}, "1.1", {"0": 0.5}), "null_scores"),
    (lambda: metrics.squad(dataset(["x"]), {"0": "x"}, "2.0", {}), "lack question '0'"),
    (lambda: metrics.squad(dataset(["x"]), {}, "2.0"), "No question"),
    (lambda: metrics.squad(dataset(["x"]), {"0": None}), "'0' is None"),
    (lambda: metrics.squad([], {}), "not SQuAD JSON"),
    (lambda: metrics.squad({"data": [{}]}, {}), "it lacks 'paragraphs'"),
    (lambda: metrics.squad({"data": []}, {}), "no question"),
    (lambda: metrics.squad({"data": dataset(["x"])["data"] * 2}, {"0": "x"}), "'0' occurs twice"),
])
def test_errors_say_what_came(call, words):
    with pytest.raises(Error, match=words):
        call()

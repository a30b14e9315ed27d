"""Answers and scores from numbers: the one post-processing."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from scipy.special import softmax as reference

from bertkit.errors import Error
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification, sigmoid, softmax
from bertkit.tasks.registry import metadata, task
from bertkit.tasks.regression import Regression
from tests import tiny

LOGITS = arrays("float32", (4, 3), elements=st.floats(-1e4, 1e4, width=32))
MOODS = Classification(("bad", "good", "so-so"))
TOPICS = Classification(("art", "war", "sea"), multi_label=True)


@given(LOGITS)
def test_probabilities_are_those_of_scipy(logits):
    np.testing.assert_allclose(softmax(logits), reference(logits.astype("float64"), axis=-1), atol=1e-6)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(sigmoid(logits), expit(logits.astype("float64")), atol=1e-6)


@given(LOGITS)
def test_the_label_is_the_most_probable_one(logits):
    for row, answer in zip(softmax(logits), MOODS.answers([""] * 4, softmax(logits)), strict=True):
        assert answer["probabilities"][answer["label"]] == row.max()
        assert list(answer["probabilities"]) == list(MOODS.labels)


def test_several_labels_are_those_above_a_half():
    answers = TOPICS.answers(["", ""], np.array([[0.9, 0.5, 0.51], [0.1, 0.2, 0.3]]))
    assert [answer["labels"] for answer in answers] == [["art", "sea"], []]


def test_scores_and_their_intervals():
    targets = np.array([0, 1, 2, 1])
    probabilities = np.eye(3)[[0, 1, 2, 2]]
    assert MOODS.scores(targets, probabilities)["accuracy"] == 0.75
    found = MOODS.intervals(targets, probabilities)["accuracy"]
    assert found["low"] <= found["score"] == 0.75 <= found["high"]
    assert list(TOPICS.metrics) == ["accuracy", "f1"]


@pytest.mark.parametrize("kind", [MOODS, TOPICS, Classification(("a", "b"), pairs=True), Regression(False, 2.0, 3.0),
                                  Choosing()])
def test_facts_make_the_task_again(kind):
    assert task(json.loads(json.dumps(metadata(kind)))) == kind


def test_facts_of_no_task_are_an_error():
    with pytest.raises(Error, match="'sing'"):
        task({"name": "sing"})
    with pytest.raises(Error, match="task choose: tune is unknown, wanted nothing"):
        task({"name": "choose", "tune": 1})


def test_lines_and_inputs_are_texts_or_tuples_of_them():
    pairs = Classification(("a", "b"), pairs=True)
    assert MOODS.input("a\tb") == "a\tb" and pairs.input("a\tb") == ("a", "b")
    assert Choosing().input("he\tran\tfell\tsat") == ("he", "ran", "fell", "sat")
    for kind, line in ((pairs, "a"), (pairs, "a\tb\tc"), (Choosing(), "he\tran")):
        with pytest.raises(Error, match=f"has {line.count(chr(9))} tabs; this model reads"):
            kind.input(line)
    assert pairs.input("") == ("", "") and Choosing().input("") == ("", "", "") and MOODS.input("") == ""
    assert pairs.check_inputs([["a", "b"]]) == [("a", "b")]
    for kind, wrong in ((MOODS, ("a",)), (pairs, "ab"), (Choosing(), ("he", "ran")), (MOODS, None)):
        with pytest.raises(Error, match="Row 1 is"):
            kind.check_inputs([wrong])


def test_a_score_is_in_the_units_of_its_file():
    kind = Regression.of([0.0, 5.0, 10.0], pairs=True)
    packed = kind.pack(tiny.tokenizer(), [("a", "b")] * 3, 8, [0.0, 5.0, 10.0])
    np.testing.assert_allclose([packed.labels.mean(), packed.labels.std()], [0, 1], atol=1e-6)
    back = kind.predictions([kind.outputs(label[None]) for label in packed.labels])
    np.testing.assert_allclose(back, [0, 5, 10], atol=1e-5)
    assert Regression.of([3.0, 3.0], pairs=False).spread == 1.0


def test_a_score_is_answered_and_scored():
    kind = Regression(False)
    assert kind.answers(["a"], [2.5]) == [{"score": 2.5}]
    assert kind.scores([1, 2, 3], [1, 2, 3]) == pytest.approx({"pearson": 1.0, "spearman": 1.0, "mse": 0.0})
    assert kind.agreement([np.array([1.0]), np.array([2.0])], [np.array([1.01]), np.array([3.0])]) == 0.5


def test_choices_go_in_groups_and_come_back_by_input():
    kind, tokenizer = Choosing(), tiny.tokenizer()
    inputs = [("it was", "good", "bad"), ("the", "film", "story", "scene")]
    packed = kind.pack(tokenizer, inputs, 12)
    assert len(packed.rows) == 5 and packed.group == 1
    assert packed.rows[3] == tokenizer.pack_ids(*tokenizer.ids(["the", "story"]), 12)
    found = kind.predictions([np.array([z]) for z in (0.0, 1.0, 5.0, 1.0, 1.0)], packed)
    assert [len(row) for row in found] == [2, 3] and kind.answers(inputs, found)[1]["choice"] == 0
    np.testing.assert_allclose(found[0], softmax([0.0, 1.0]), atol=1e-6)
    assert kind.scores([1, 2], found) == {"accuracy": 0.5}
    assert kind.loss([1, 0], found) == pytest.approx(-np.log([found[0][1], found[1][0]]).mean())
    with pytest.raises(Error, match="Rows of 2 and of 3 endings"):
        kind.pack(tokenizer, inputs, 12, [0, 1])
    assert kind.pack(tokenizer, inputs[:1] * 3, 12, [0, 1, 0]).group == 2
    assert kind.predictions([], kind.pack(tokenizer, [], 12)) == []

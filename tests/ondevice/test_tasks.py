"""Answers and scores from numbers: the one post-processing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from scipy.special import softmax as reference

from bertkit.errors import Error
from bertkit.ondevice.tasks import Classification, sigmoid, softmax, task

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
    for row, answer in zip(softmax(logits), MOODS.answers(softmax(logits)), strict=True):
        assert answer["probabilities"][answer["label"]] == row.max()
        assert list(answer["probabilities"]) == list(MOODS.labels)


def test_several_labels_are_those_above_a_half():
    answers = TOPICS.answers(np.array([[0.9, 0.5, 0.51], [0.1, 0.2, 0.3]]))
    assert [answer["labels"] for answer in answers] == [["art", "sea"], []]


def test_scores_and_their_intervals():
    targets = np.array([0, 1, 2, 1])
    probabilities = np.eye(3)[[0, 1, 2, 2]]
    assert MOODS.scores(targets, probabilities)["accuracy"] == 0.75
    found = MOODS.intervals(targets, probabilities)["accuracy"]
    assert found["low"] <= found["score"] == 0.75 <= found["high"]
    assert list(TOPICS.metrics) == ["accuracy", "f1"]


def test_facts_make_a_task_or_an_error():
    assert task({"task": "classify", "labels": ["a", "b"], "multi_label": True}).multi_label
    with pytest.raises(Error, match="'sing'"):
        task({"task": "sing"})

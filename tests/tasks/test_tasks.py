"""Answers and scores from numbers: the one post-processing."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from scipy.special import softmax as reference
from sklearn.metrics import f1_score, matthews_corrcoef

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


@pytest.mark.parametrize(("labels", "given", "wanted"), [
    (("fraud", "legit"), None, "fraud"), (("ok", "phishing"), None, "phishing"), (("0", "1"), None, "1"),
    (("No", "Yes"), None, "Yes"), (("apple", "zebra"), None, "zebra"), (("spam", "yes"), None, "yes"),
    (("fraud", "legit"), "legit", "legit")])
def test_f1_of_two_classes_names_its_class(labels, given, wanted):
    """Expected from scikit-learn, which is told the class."""
    kind = Classification(labels).with_positive(given)
    targets, said = np.array([0] * 10 + [1] * 90), np.eye(2)[[0] * 2 + [1] * 96 + [0] * 2]
    names = [np.array(labels)[side] for side in (targets, said.argmax(axis=1))]
    scores = kind.scores(targets, said)
    assert scores["positive"] == wanted == kind.intervals(targets, said)["f1"]["positive"]
    assert scores["f1"] == pytest.approx(f1_score(*names, pos_label=wanted))


def test_the_named_class_must_be_one_of_two():
    with pytest.raises(Error, match="positive='x' names one of two classes, and the classes are a, b; give one"):
        Classification(("a", "b")).with_positive("x")
    for kind in (MOODS, TOPICS, Choosing()):
        with pytest.raises(Error, match="positive='art' names one of two classes"):
            kind.with_positive("art")
        assert kind.with_positive(None) == kind and "positive" not in getattr(kind, "labels", ())


CHANCES = st.lists(st.tuples(st.integers(1, 63).map(lambda n: n / 64), st.booleans()), min_size=2, max_size=30)


@given(CHANCES, st.sampled_from(["f1", "accuracy", "matthews"]), st.sampled_from(["a", "b"]))
def test_no_threshold_of_two_classes_is_better_than_the_chosen_one(rows, metric, positive):
    p = np.array([chance for chance, _ in rows], "float32")
    kind = Classification(("a", "b"), positive=positive)
    probabilities = np.stack([1 - p, p] if positive == "b" else [p, 1 - p], axis=1)
    targets = np.array([yes == (positive == "b") for _, yes in rows], int)
    found = kind.thresholded(metric, targets, probabilities)
    score = metrics_of_sklearn[metric](positive)
    every = [score(targets == (positive == "b"), p > threshold) for threshold in [0, *p]]
    assert found.scores(targets, probabilities)[metric] == pytest.approx(max(every))
    other = found.with_positive("a" if positive == "b" else "b")
    assert other.predicted_classes(probabilities).tolist() == found.predicted_classes(probabilities).tolist()


metrics_of_sklearn = {
    "f1": lambda _: lambda targets, said: f1_score(targets, said, zero_division=0),
    "accuracy": lambda _: lambda targets, said: float(np.mean(targets == said)),
    "matthews": lambda _: matthews_corrcoef}


@given(st.lists(st.lists(st.integers(0, 64).map(lambda n: n / 64), min_size=2, max_size=2), min_size=1, max_size=12),
       st.data())
def test_the_threshold_of_several_labels_lies_halfway_between_two_rows(p, data):
    p = np.array(p)
    targets = np.array(data.draw(st.lists(st.lists(st.integers(0, 1), min_size=2, max_size=2), min_size=len(p),
                                          max_size=len(p))))
    kind = Classification(("a", "b"), multi_label=True)
    found = kind.thresholded("f1", targets, p)
    every = [f1_score(targets, p > threshold, average="macro", zero_division=0) for threshold in [0, *np.ravel(p)]]
    assert found.scores(targets, p)["f1"] == pytest.approx(max(every))
    ends = np.unique([0, *np.ravel(p), 1])
    assert found.threshold in (ends[:-1] + ends[1:]) / 2


def test_a_chosen_threshold_decides_answers_and_is_said():
    kind = Classification(("bad", "good"), threshold=0.25)
    assert [row["label"] for row in kind.answers(["", ""], np.array([[0.7, 0.3], [0.8, 0.2]]))] == ["good", "bad"]
    assert kind.decision([]) == "The class 'good' is given where its probability is above 0.2500, which dev chose."
    several = Classification(("a", "b", "c"), True, threshold=0.25)
    assert several.answers([""], np.array([[0.2, 0.3, 0.9]]))[0]["labels"] == ["b", "c"]
    assert task(json.loads(json.dumps(metadata(kind)))) == kind != Classification(("bad", "good"))


@pytest.mark.parametrize(("kind", "metric", "message"), [
    (MOODS, "f1", "there are 3 classes"), (TOPICS, "matthews", "threshold=matthews is no metric; .* accuracy, f1"),
    (Choosing(), "accuracy", "the task choose has neither")])
def test_what_has_no_threshold_says_so(kind, metric, message):
    with pytest.raises(Error, match=message):
        kind.check_threshold(metric)
    kind.check_threshold(None)
    with pytest.raises(Error, match="threshold=0.3 does not fit 3 classes"):
        Classification(("a", "b", "c"), threshold=0.3)


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

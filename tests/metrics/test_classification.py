"""Accuracy, F1, Matthews and the confusion matrix, against scikit-learn and recorded values."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error

ROWS = st.lists(st.tuples(st.integers(-2, 3), st.integers(-2, 3)), min_size=1, max_size=40)
BINARY = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def sklearn_metrics():
    return pytest.importorskip("sklearn.metrics")


def test_recorded_values(shared):
    cases = json.loads(shared("acceptance/golden_metrics.json").read_text())["classification"]
    for case in cases:
        sides = case["labels"], case["predictions"]
        for name in ("accuracy", "f1", "matthews"):
            if case[name] is not None:
                found = getattr(metrics, name)(*sides)
                assert found == pytest.approx(case[name], abs=1e-12), (case["name"], name)


@pytest.mark.filterwarnings("ignore")
@given(rows=ROWS)
def test_many_classes_equal_scikit_learn(sklearn_metrics, rows):
    y, p = zip(*rows, strict=True)
    assert metrics.accuracy(y, p) == pytest.approx(sklearn_metrics.accuracy_score(y, p))
    assert metrics.matthews(y, p) == pytest.approx(sklearn_metrics.matthews_corrcoef(y, p))
    assert (metrics.confusion(y, p) == sklearn_metrics.confusion_matrix(y, p)).all()
    for average in ("macro", "micro"):
        wanted = sklearn_metrics.f1_score(y, p, average=average)
        assert metrics.f1(y, p, average) == pytest.approx(wanted)


@given(rows=BINARY)
def test_binary_f1_equals_scikit_learn_for_numbers_and_names(sklearn_metrics, rows):
    y, p = zip(*rows, strict=True)
    wanted = sklearn_metrics.f1_score(y, p, zero_division=0)
    assert metrics.f1(y, p) == pytest.approx(wanted)
    texts = [list(map(str, side)) for side in (y, p)]
    assert metrics.f1(*texts) == pytest.approx(wanted)
    names = [[["no", "yes"][value] for value in side] for side in (y, p)]
    assert metrics.f1(*names, positive="yes") == pytest.approx(wanted)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("density", [0.0, 0.1, 0.6])
def test_multi_label_equals_scikit_learn(sklearn_metrics, seed, density):
    y, p = (np.random.default_rng(seed).random((2, 30, 6)) < density).astype(int)
    assert metrics.accuracy(y, p) == pytest.approx(sklearn_metrics.accuracy_score(y, p))
    for average in ("macro", "micro"):
        wanted = sklearn_metrics.f1_score(y, p, average=average, zero_division=0)
        assert metrics.f1(y, p, average) == pytest.approx(wanted)


@pytest.mark.parametrize("labels, predictions", [([1, 0, 1], [1, 1, 1]), ([2, 2], [0, 1])])
def test_matthews_is_zero_where_undefined(labels, predictions):
    assert metrics.matthews(labels, predictions) == 0.0


def test_matthews_of_a_million_rows_does_not_overflow():
    y = np.arange(1_000_000) % 3
    assert metrics.matthews(y, y) == pytest.approx(1.0)
    assert metrics.matthews(y, (y + 1) % 3) == pytest.approx(-0.5)


def test_confusion_keeps_the_order_given():
    table = metrics.confusion(["b", "a", "b"], ["b", "b", "b"], classes=["c", "b", "a"])
    assert table.tolist() == [[0, 0, 0], [0, 2, 0], [0, 1, 0]]


@pytest.mark.filterwarnings("ignore")
@given(rows=ROWS)
def test_by_class_equals_scikit_learn(sklearn_metrics, rows):
    y, p = zip(*rows, strict=True)
    columns = sklearn_metrics.precision_recall_fscore_support(y, p, zero_division=0)
    found = metrics.by_class(y, p)
    assert list(found) == sorted({*y, *p})
    for row, wanted in zip(found.values(), zip(*columns, strict=True), strict=True):
        assert list(row.values()) == pytest.approx(list(wanted))
    assert np.mean([row["f1"] for row in found.values()]) == pytest.approx(metrics.f1(y, p, "macro"))


def test_by_class_of_many_labels_and_of_a_class_never_predicted():
    assert metrics.by_class([[1, 0], [1, 0]], [[1, 1], [0, 0]]) == {
        0: {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2},
        1: {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}}
    assert metrics.by_class(["a", "b"], ["a", "a"])["b"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


def test_arrays_of_objects_are_read_as_what_they_hold():
    assert metrics.accuracy(np.array(["a", "b"], object), ["a", "a"]) == 0.5
    assert metrics.f1(np.array([1, 0], object), [1, 1]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.accuracy([], []), "no rows"),
    (lambda: metrics.accuracy([1, 0], [1]), r"\(2,\)"),
    (lambda: metrics.accuracy(["1"], [1]), "strings"),
    (lambda: metrics.accuracy([[1], [0, 1]], [[1], [0, 1]]), "unequal length"),
    (lambda: metrics.f1([0, 1, 2], [0, 1, 1]), "average='macro'"),
    (lambda: metrics.f1([[0, 1]], [[1, 1]]), "average='macro'"),
    (lambda: metrics.f1(["yes", "no"], ["no", "no"]), "which one is positive"),
    (lambda: metrics.f1([0, 1], [0, 1], average="weighted"), "'weighted' is unknown"),
    (lambda: metrics.f1([[0, 2]], [[1, 1]], average="macro"), "0 and 1"),
    (lambda: metrics.matthews([[0, 1]], [[1, 1]]), "one class a row"),
    (lambda: metrics.confusion([0, 3], [0, 1], classes=[0, 1]), r"\[3\]"),
])
def test_errors_say_what_came(call, words):
    with pytest.raises(Error, match=words):
        call()

"""Agreement of annotators, against recorded values, scikit-learn, krippendorff, and published examples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error

LEVELS = ("nominal", "ordinal", "interval")
# The worked example usually given for Fleiss' kappa: ten items, fourteen annotators, counts by class.
COUNTS = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
          [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]
# Krippendorff 2011, part C: four observers, twelve units.
SHEET = [[1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
         [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, None, 3, None]]
RATINGS = st.lists(st.lists(st.sampled_from([None, 1, 2, 3, 7]), min_size=3, max_size=3), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def sklearn_metrics():
    return pytest.importorskip("sklearn.metrics")


@pytest.fixture(scope="module")
def krippendorff():
    return pytest.importorskip("krippendorff")


def test_recorded_values(recorded):
    case = recorded["agreement"]
    first, second = (np.array(case["ratings"])[:, side] for side in (0, 1))
    for weights, wanted in case["cohen"].items():
        assert metrics.cohen_kappa(first, second, None if weights == "None" else weights) == pytest.approx(wanted)
    assert metrics.fleiss_kappa(case["ratings"]) == pytest.approx(case["fleiss"])
    for level, wanted in case["krippendorff"].items():
        assert metrics.krippendorff_alpha(case["gaps"], level) == pytest.approx(wanted)


def test_published_examples():
    sheet = [np.repeat(np.arange(5), row).tolist() for row in COUNTS]
    assert metrics.fleiss_kappa(sheet) == pytest.approx(0.20993, abs=1e-5)
    found = [metrics.krippendorff_alpha(SHEET, level) for level in LEVELS]
    assert found == pytest.approx([0.743, 0.815, 0.849], abs=5e-4)


@pytest.mark.filterwarnings("ignore")
@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_cohen_equals_scikit_learn(sklearn_metrics, rows):
    reference = sklearn_metrics.cohen_kappa_score
    first, second = zip(*rows, strict=True)
    for weights in (None, "linear", "quadratic"):
        for classes in (None, [0, 1, 2, 3]):
            found = metrics.cohen_kappa(first, second, weights, classes)
            if first == second and len({*first}) == 1:
                assert math.isnan(found)
            else:
                assert found == pytest.approx(reference(first, second, labels=classes, weights=weights))


@pytest.mark.filterwarnings("ignore")
@given(ratings=RATINGS)
def test_alpha_equals_krippendorff(krippendorff, ratings):
    several = [row for row in ratings if sum(value is not None for value in row) > 1]
    if len({value for row in several for value in row if value is not None}) < 2:
        return                                          # the library raises where α is undefined
    table = np.array(ratings, float).T
    for level in LEVELS:
        wanted = krippendorff.alpha(table, level_of_measurement=level)
        assert metrics.krippendorff_alpha(ratings, level) == pytest.approx(wanted)


@given(ratings=st.lists(st.lists(st.sampled_from("abc"), min_size=3, max_size=3), min_size=2, max_size=10))
def test_fleiss_is_pairwise_agreement_beyond_chance(ratings):
    pairs = [np.mean([row[i] == row[j] for i in range(3) for j in range(3) if i != j]) for row in ratings]
    flat = sum(ratings, [])
    chance = sum((flat.count(name) / len(flat)) ** 2 for name in "abc")
    found = metrics.fleiss_kappa(ratings)
    assert found == pytest.approx((np.mean(pairs) - chance) / (1 - chance)) if len({*flat}) > 1 else math.isnan(found)


def test_order_matters_to_weights_only():
    first, second = ["low", "mid", "high", "mid"], ["low", "high", "high", "mid"]
    order = ["low", "mid", "high"]
    assert metrics.cohen_kappa(first, second) == pytest.approx(metrics.cohen_kappa(first, second, classes=order))
    assert metrics.cohen_kappa(first, second, "linear", order) != metrics.cohen_kappa(first, second, "linear")


def test_one_value_throughout_is_undefined():
    assert math.isnan(metrics.cohen_kappa(["a", "a"], ["a", "a"]))
    assert math.isnan(metrics.fleiss_kappa([["a", "a"], ["a", "a"]]))
    assert all(math.isnan(metrics.krippendorff_alpha([[2, 2], [2, None]], level)) for level in LEVELS)


def test_agreement_ends():
    assert metrics.cohen_kappa([0, 1, 0, 1], [0, 1, 0, 1], "quadratic") == 1
    assert metrics.cohen_kappa([0, 1, 0, 1], [1, 0, 1, 0]) == -1
    assert metrics.krippendorff_alpha([["a", "a", None], ["b", float("nan"), "b"]]) == 1


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.cohen_kappa([0, 1], [0, 1], "cubic"), "weights='cubic'"),
    (lambda: metrics.cohen_kappa([0, 1], [0]), "cannot be compared"),
    (lambda: metrics.cohen_kappa([0, 3], [0, 1], classes=[0, 1]), r"\[3\]"),
    (lambda: metrics.fleiss_kappa([["a", "b"], ["a"]]), r"\[1, 2\]"),
    (lambda: metrics.fleiss_kappa([["a"], ["a"]]), "at least 2"),
    (lambda: metrics.fleiss_kappa([["a", "b"], [None, None]]), r"\[0, 2\]"),
    (lambda: metrics.krippendorff_alpha([]), "no ratings"),
    (lambda: metrics.krippendorff_alpha([[1, None], [None, 2]]), "no item has two"),
    (lambda: metrics.krippendorff_alpha([[1, 2]], "ratio"), "level='ratio'"),
    (lambda: metrics.krippendorff_alpha([["low", "high"]], "ordinal"), "'high' came"),
    (lambda: metrics.krippendorff_alpha([["1", 1]]), "one kind"),
])
def test_errors_say_what_came(call, words):
    with pytest.raises(Error, match=words):
        call()

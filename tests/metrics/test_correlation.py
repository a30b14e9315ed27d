"""Pearson, Spearman, Kendall and the squared error, against scipy, recorded values and plain forms."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error

BOTH = (metrics.pearson, metrics.spearman)
EVERY = (*BOTH, metrics.kendall)
PAIRS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=30)


def test_recorded_values(shared):
    cases = json.loads(shared("acceptance/golden_metrics.json").read_text())["correlation"]
    for case in cases:
        for function in BOTH:
            found = function(case["labels"], case["predictions"])
            assert found == pytest.approx(case[function.__name__], abs=1e-9), case["name"]


@given(rows=PAIRS)
@pytest.mark.filterwarnings("ignore")
def test_ties_equal_scipy(rows):
    stats = pytest.importorskip("scipy.stats")
    x, y = zip(*rows, strict=True)
    for function, reference in zip(EVERY, (stats.pearsonr, stats.spearmanr, stats.kendalltau), strict=True):
        wanted = reference(x, y).statistic
        assert function(x, y) == pytest.approx(wanted, abs=1e-12, nan_ok=True)


@given(rows=PAIRS)
def test_kendall_counts_pairs(rows):
    x, y = (np.array(side) for side in zip(*rows, strict=True))
    signs = [np.sign(side[:, None] - side) for side in (x, y)]
    ordered = [np.count_nonzero(sign) for sign in signs]
    wanted = (signs[0] * signs[1]).sum() / math.sqrt(ordered[0] * ordered[1]) if all(ordered) else math.nan
    assert metrics.kendall(x, y) == pytest.approx(wanted, abs=1e-12, nan_ok=True)


def test_kendall_of_many_rows_equals_scipy():
    stats = pytest.importorskip("scipy.stats")
    x = np.random.default_rng(4).normal(size=100_000)
    y = (x + np.random.default_rng(5).normal(size=len(x))).round(2)
    assert metrics.kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


def test_mse_by_hand():
    assert metrics.mse(["1.0", "2.0", "5.0"], [2, 2, 2]) == pytest.approx(10 / 3)
    assert math.isnan(metrics.mse([1.0, math.nan], [1, 2]))


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_any_scale_equals_scipy(scale, shift):
    stats = pytest.importorskip("scipy.stats")
    x, y = np.random.default_rng(7).normal(size=(2, 50))
    for function, reference in zip(BOTH, (stats.pearsonr, stats.spearmanr), strict=True):
        found = function((x + shift) * scale, y)
        assert found == pytest.approx(reference(x + shift, y).statistic, abs=1e-8)


@pytest.mark.parametrize("function", EVERY)
def test_a_constant_side_is_nan(function):
    assert math.isnan(function([0.1] * 5, [1, 2, 3, 4, 5]))
    assert math.isnan(function([0.1] * 3, [1, 2, 4]))  # their rounded mean is not 0.1
    assert math.isnan(function([1, 2, 3], [2, 2, 2]))
    assert math.isnan(function([1], [2]))


@pytest.mark.parametrize("function", EVERY)
def test_nan_stays_nan(function):
    assert math.isnan(function([1.0, math.nan, 2.0, math.nan], [1, 2, 3, 4]))


@pytest.mark.parametrize("function", EVERY)
def test_numbers_may_come_as_text(function):
    assert function(["5.000", "3.75", "0"], [5, 4, 1]) == function([5, 3.75, 0], [5, 4, 1])


@pytest.mark.parametrize("function", EVERY)
@pytest.mark.parametrize("sides, words", [
    ((["a", "b"], [1, 2]), "are no numbers"),
    (([1, 2], [1, 2, 3]), "cannot be compared"),
    (([[1, 2]], [[1, 2]]), "one score a row"),
    (([], []), "no rows"),
])
def test_errors_say_what_came(function, sides, words):
    with pytest.raises(Error, match=words):
        function(*sides)

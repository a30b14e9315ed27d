"""Reliability bins and the expected calibration error, against a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error


def plain(labels, probabilities, bins):
    """Return the error bin by bin, with the bins' ends as fractions."""
    total = 0.0
    for m in range(1, bins + 1):
        rows = [(max(p), y == p.index(max(p))) for y, p in zip(labels, probabilities, strict=True)
                if (m - 1) / bins < max(p) <= m / bins]
        if rows:
            total += abs(sum(right for _, right in rows) - sum(confidence for confidence, _ in rows))
    return total / len(labels)


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 60), classes=st.integers(1, 4),
       bins=st.sampled_from([1, 2, 10, 15]))
def test_error_equals_a_plain_loop(seed, rows, classes, bins):
    chance = np.random.default_rng(seed)
    probabilities = chance.dirichlet(np.full(classes, 0.5), rows)
    labels = chance.integers(0, classes, rows)
    found = metrics.calibration_error(labels, probabilities, bins)
    assert found == pytest.approx(plain(labels.tolist(), probabilities.tolist(), bins))
    table = metrics.reliability(labels, probabilities, bins)
    assert len(table) == bins
    assert sum(row["rows"] for row in table) == rows
    for row in table:
        assert (row["confidence"] is None) == (row["accuracy"] is None) == (row["rows"] == 0)


def test_a_calibrated_model_has_a_small_error_and_a_boaster_a_large_one():
    chance = np.random.default_rng(0)
    sure = chance.uniform(0.5, 1.0, 20_000)
    labels = (chance.random(len(sure)) > sure).astype(int)      # class 0 with probability `sure`
    assert metrics.calibration_error(labels, np.stack([sure, 1 - sure], axis=1)) < 0.02
    boast = np.broadcast_to([0.99, 0.01], (len(sure), 2))
    assert metrics.calibration_error(labels, boast) == pytest.approx(0.24, abs=0.01)


def test_edges_belong_to_the_bin_below():
    table = metrics.reliability([0, 0, 1], [[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]], bins=4)
    assert [row["rows"] for row in table] == [0, 1, 1, 1]
    assert metrics.reliability([0], [[0.0, 0.0]], bins=4)[0]["rows"] == 1


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.reliability([0], [0.5]), r"\(1,\)"),
    (lambda: metrics.reliability([0, 1], [[0.5, 0.5]]), r"\(2,\)"),
    (lambda: metrics.reliability([], np.zeros((0, 2))), r"\(0, 2\)"),
    (lambda: metrics.reliability([0], [[2.0, -1.0]]), "not logits"),
    (lambda: metrics.reliability([0], [[np.nan, 0.5]]), "not logits"),
    (lambda: metrics.reliability([2], [[0.5, 0.5]]), "from 0 to 1"),
    (lambda: metrics.reliability(["1"], [[0.5, 0.5]]), "from 0 to 1"),
    (lambda: metrics.calibration_error([0], [[0.5, 0.5]], bins=0), "bins=0"),
])
def test_errors_say_what_came(call, words):
    with pytest.raises(Error, match=words):
        call()

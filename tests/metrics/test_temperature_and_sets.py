"""Temperatures, abstaining and sets of classes, against brute force and what their papers promise."""

import numpy as np
import pytest

from bertkit import metrics
from bertkit.errors import Error


def loss(labels, logits, temperature):
    z = logits / temperature
    z = z - z.max(1, keepdims=True)
    return float(-(z - np.log(np.exp(z).sum(1, keepdims=True)))[np.arange(len(labels)), labels].mean())


@pytest.mark.parametrize("scale", [0.2, 1.0, 6.0])
def test_temperature_has_the_least_loss_of_a_fine_grid(scale):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(400, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([rng.choice(3, p=row) for row in p])
    found = metrics.best_temperature(labels, scale * logits)
    grid = np.geomspace(0.05, 20, 4000)
    best = grid[np.argmin([loss(labels, scale * logits, t) for t in grid])]
    assert found == pytest.approx(best, rel=2e-3) and found == pytest.approx(scale, rel=0.3)
    assert loss(labels, scale * logits, found) <= loss(labels, scale * logits, 1.0)


def test_temperature_of_several_labels_is_that_of_each_alone():
    rng = np.random.default_rng(1)
    logits = 3 * rng.normal(size=(200, 4))
    labels = (rng.random((200, 4)) < 1 / (1 + np.exp(-logits / 3))).astype("int32")
    two = np.stack([np.zeros(800), logits.reshape(-1)], 1)
    found = metrics.best_temperature(labels, logits)
    assert found == pytest.approx(metrics.best_temperature(labels.reshape(-1), two)) and 2 < found < 4.5


def test_where_no_temperature_is_best_it_is_1_and_bounds_hold():
    assert metrics.best_temperature([0, 1], [[2.0, 0.0], [0.0, 1.0]]) == 1
    assert metrics.best_temperature([1, 0], [[2.0, 0.0], [0.0, 1.0]]) == pytest.approx(100)
    with pytest.raises(Error, match="not finite"):
        metrics.best_temperature([0, 1], [[np.nan, 0.0], [0.0, 1.0]])
    with pytest.raises(Error, match="class numbers from 0 to 1"):
        metrics.best_temperature([0, 2], [[2.0, 0.0], [0.0, 1.0]])


def test_risk_and_coverage_against_counting():
    rng = np.random.default_rng(2)
    confidence = rng.integers(0, 12, 60) / 12
    right = rng.random(60) < 0.3 + 0.7 * confidence
    shares, risks = metrics.risk_coverage(right, confidence)
    for level, share, risk in zip(np.unique(confidence)[::-1], shares, risks, strict=True):
        kept = confidence >= level
        assert share == pytest.approx(kept.mean()) and risk == pytest.approx((~right[kept]).mean())
    for wanted in (0.0, 0.1, 0.2, 0.5, 1.0):
        limit = metrics.risk_threshold(right, confidence, wanted)
        fits = [level for level in np.unique(confidence) if (~right[confidence >= level]).mean() <= wanted]
        assert (limit is None) == (not fits)
        if fits:
            assert (confidence >= limit).sum() == (confidence >= min(fits)).sum()


def test_sets_hold_the_right_class_as_often_as_promised():
    """Over many draws of the rows that choose, the share of new rows is at least the promised one, and hardly more."""
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(300):
        logits = 1.5 * rng.normal(size=(1099, 3))
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        labels = (p.cumsum(1) > rng.random((len(p), 1))).argmax(1)          # drawn from p
        limit = metrics.set_threshold(labels[:99], p[:99], 0.9)
        shares.append((p[99:][np.arange(1000), labels[99:]] >= limit).mean())
    assert 0.895 < np.mean(shares) < 0.925
    assert metrics.set_threshold(labels[:8], p[:8], 0.9) == 0                # 9 rows are the fewest for 0.9
    assert metrics.set_threshold(labels[:9], p[:9], 0.9) > 0

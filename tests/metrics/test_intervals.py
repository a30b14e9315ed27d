"""Bootstrap intervals: they cover what they promise, and pairing narrows them."""

import numpy as np
import pytest

from bertkit import metrics
from bertkit.errors import Error


def simulated(chance, rows, skill):
    """Labels, and predictions right with probability `skill`."""
    labels = chance.integers(0, 2, rows)
    return labels, np.where(chance.random(rows) < skill, labels, 1 - labels)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_coverage_is_near_nominal(level):
    chance, trials, covered = np.random.default_rng(5), 400, 0
    for trial in range(trials):
        sides = simulated(chance, 200, 0.8)
        low, high = metrics.bootstrap(
            metrics.accuracy, *sides, samples=200, level=level, seed=trial)
        covered += low <= 0.8 <= high
    # Four standard errors of a binomial share, and 0.02 for the percentile method's own bias.
    slack = 4 * np.sqrt(level * (1 - level) / trials) + 0.02
    assert covered / trials == pytest.approx(level, abs=slack)


def test_width_is_that_of_the_binomial():
    labels, predictions = simulated(np.random.default_rng(3), 872, 0.9)
    share = metrics.accuracy(labels, predictions)
    low, high = metrics.bootstrap(metrics.accuracy, labels, predictions, samples=4000)
    assert low < share < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / 872), rel=0.08)


def test_the_seed_decides():
    sides = simulated(np.random.default_rng(0), 50, 0.7)
    one, again, other = (metrics.bootstrap(metrics.f1, *sides, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_the_same_predictions_drop_by_nothing():
    labels, predictions = simulated(np.random.default_rng(1), 100, 0.7)
    drop = metrics.paired_drop(metrics.matthews, (labels, predictions), (labels, predictions.copy()))
    assert drop == (0.0, 0.0, 0.0)


def test_pairing_narrows_the_interval():
    labels, predictions = simulated(np.random.default_rng(2), 872, 0.9)
    others = predictions.copy()
    others[:9] = 1 - labels[:9]
    difference, low, high = metrics.paired_drop(metrics.accuracy, (labels, predictions), (labels, others))
    assert difference == pytest.approx(
        metrics.accuracy(labels, predictions) - metrics.accuracy(labels, others))
    assert 0 <= low <= difference <= high
    alone = metrics.bootstrap(metrics.accuracy, labels, predictions)
    assert high - low < (alone[1] - alone[0]) / 2


def test_rows_may_be_lists_of_tags():
    def exact(labels, predictions):
        return float(np.mean([y == p for y, p in zip(labels, predictions, strict=True)]))

    labels = [["O"], ["B-PER", "O"], ["O", "O", "O"]] * 10
    predictions = [["O"], ["O", "O"], ["O", "O", "O"]] * 10
    low, high = metrics.bootstrap(exact, labels, predictions)
    assert 0.4 < low < 2 / 3 < high < 0.9


def test_any_number_of_sides_is_resampled_alike():
    values = np.random.default_rng(4).normal(1.0, 1.0, (400, 3))
    low, high = metrics.bootstrap(lambda rows: rows.mean(), values)
    assert low < values.mean() < high

    def aligned(*sides):
        assert all((side == sides[0]).all() for side in sides)
        return 1.0

    assert metrics.bootstrap(aligned, np.arange(30), np.arange(30), np.arange(30), samples=20) == (1.0, 1.0)
    assert metrics.paired_drop(aligned, (np.arange(30),), (np.arange(30),) * 2, samples=20) == (0.0, 0.0, 0.0)


def test_pairing_of_one_side():
    one = np.random.default_rng(6).normal(size=500)
    drop, low, high = metrics.paired_drop(np.mean, (one,), (one - 0.25,))
    assert (drop, low, high) == pytest.approx((0.25, 0.25, 0.25))


def test_a_metric_that_is_undefined_somewhere_gives_nan():
    assert np.isnan(metrics.bootstrap(metrics.pearson, [1, 2], [1, 2], samples=50)).all()


@pytest.mark.parametrize("changes, words", [
    ({"samples": 0}, "samples=0"),
    ({"level": 95}, "level=95"),
    ({"labels": [1]}, r"\[1, 2\]"),
    ({"labels": [], "predictions": []}, r"\[0, 0\]"),
])
def test_errors_say_what_came(changes, words):
    knobs = {"labels": [0, 1], "predictions": [0, 1], **changes}
    sides = knobs.pop("labels"), knobs.pop("predictions")
    with pytest.raises(Error, match=words):
        metrics.bootstrap(metrics.accuracy, *sides, **knobs)
    with pytest.raises(Error, match=words.replace(r"\[1, 2\]", "1, 2").replace(r"\[0, 0\]", "0, 0")):
        metrics.paired_drop(metrics.accuracy, sides, sides, **knobs)


def test_no_sides_is_an_error():
    with pytest.raises(Error, match="sides of"):
        metrics.bootstrap(lambda: 1.0)

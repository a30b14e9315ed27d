"""The proof: what differs is counted, what surely loses too much is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.export import parity
from bertkit.tasks.classification import FLOOR, Classification
from bertkit.tasks.packed import Packed

TASK = Classification(("no", "yes"))


def answers(rows, wrong=0, sure=0.9):
    """Return (targets, probabilities) of a model that is wrong in the first `wrong` of `rows`."""
    targets = np.arange(rows) % 2
    says = np.where(np.arange(rows) < wrong, 1 - targets, targets)
    return targets, np.where(says[:, None] == [0, 1], sure, 1 - sure).astype("float32")


def sides(*outputs):
    return [parity.Side(side, Packed([])) for side in outputs]


@given(st.integers(1, 50), st.data())
def test_agreement_and_drift_see_what_was_changed(rows, data):
    _, model = answers(rows)
    changed = data.draw(st.sets(st.integers(0, rows - 1)))
    file = model.copy()
    file[list(changed)] = file[list(changed), ::-1]
    found = parity.compare(TASK, model, file)
    assert found["agreement"] == pytest.approx(1 - len(changed) / rows)
    assert found["largest_drift"] == pytest.approx(np.log(9) if changed else 0, abs=1e-5)


def test_drift_stays_finite_where_integers_say_zero():
    found = parity.compare(TASK, np.array([[1e-3, 0.999]]), np.array([[0.0, 1.0]]))
    assert found["largest_drift"] == pytest.approx(np.log(1e-3 / FLOOR))


def test_multi_label_rows_agree_throughout_or_not():
    task = Classification(("a", "b"), multi_label=True)
    model, file = np.array([[0.9, 0.1], [0.9, 0.9]]), np.array([[0.9, 0.1], [0.9, 0.4]])
    assert parity.compare(task, model, file)["agreement"] == 0.5


@pytest.mark.parametrize(("rows", "wrong", "precision", "says"), [
    (400, 0, "int8", "Within the 1 points allowed: accuracy goes from 100.00 of the model as trained to 100.00"),
    (400, 3, "int8", "Not surely above"),
    (199, 90, "int8", "cannot be judged on fewer than 200 rows"),
])
def test_what_a_score_allows_to_say(rows, wrong, precision, says):
    targets, model = answers(rows)
    scored = parity.score(TASK, targets, *sides(model, answers(rows, wrong)[1]))
    assert says in parity.verdict(scored, precision, max_drop=1.0)
    assert scored["drop_points"]["drop"] == pytest.approx(100 * wrong / rows, abs=1e-3)


@pytest.mark.parametrize(("precision", "better"), [
    ("int8-full", "--precision int8"), ("int8", "--precision dynamic"), ("dynamic", "--precision float16"),
    ("float16", "--precision float32"), ("float32", "report it")])
def test_a_sure_loss_is_refused_with_the_next_rung(precision, better):
    targets, model = answers(400)
    scored = parity.score(TASK, targets, *sides(model, answers(400, 20)[1]))
    with pytest.raises(Error, match=f"from 100.00 .* to 95.00 of the file on 400 rows.*{better}"):
        parity.verdict(scored, precision, max_drop=1.0)
    assert "Within" in parity.verdict(scored, precision, max_drop=10)


def test_where_rows_are_cut_a_sure_loss_is_laid_at_the_length():
    targets, model = answers(400)
    scored = parity.score(TASK, targets, *sides(model, answers(400, 20)[1]))
    cut = {"rows": 30, "of": 400, "length": 8, "trained_length": 128}
    with pytest.raises(Error, match="30 of 400 rows are cut at 8 tokens, give a larger --length"):
        parity.verdict(scored, "int8", 1.0, cut)
    with pytest.raises(Error, match="take --precision dynamic"):
        parity.verdict(scored, "int8", 1.0, cut | {"length": 128})


def test_a_file_without_weights_is_seen():
    same = {"largest_drift": 0.0}
    parity.check_file(4_100, 1_000, "float32", same)
    with pytest.raises(Error, match="83000 bytes.*lost them"):
        parity.check_file(83_000, 22_000_000, "int8", same)


@pytest.mark.parametrize("drift", [0.01, float("nan")])
def test_a_float_file_that_computes_something_else_is_seen(drift):
    with pytest.raises(Error, match="something else"):
        parity.check_file(10 ** 6, 1_000, "float32", {"largest_drift": drift})

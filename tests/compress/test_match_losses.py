"""The losses of matches: against values that torch computed, against numpy under padding, and with planted faults."""

import numpy as np
import pytest

from bertkit.compress.match_losses import (
           attention_divergence,
           hidden_cosine,
           hidden_error,
           relation_divergence,
           score_error,
           scores,
)
from bertkit.compress.soft_targets import divergence_of_classes, divergence_of_cosines

REAL = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], "float32")


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape).astype("float32")


@pytest.fixture(scope="module")
def recorded(shared):
    """Return what the papers' formulas gave in torch, in double precision."""
    with np.load(shared("checkpoints/objectives.npz")) as file:
        return {name: file[name].astype("float32") if file[name].dtype.kind == "f" else file[name]
                for name in file.files}


def test_distilberts_losses_are_those_of_torch(recorded):
    real = recorded["mask"].astype("float32")
    apart = np.asarray(divergence_of_classes(recorded["teacher_logits"], recorded["student_logits"], 2.0))
    assert (apart * real).sum() / real.sum() == pytest.approx(float(recorded["exp/distilbert_ce"]), rel=1e-5)
    assert float(hidden_cosine(recorded["teacher_hidden"], recorded["student_hidden"], real)) == pytest.approx(
        float(recorded["exp/distilbert_cos"]), rel=1e-5)


def test_tinyberts_losses_are_those_of_torch(recorded):
    every = np.ones((3, 7), "float32")
    weight, bias = recorded["tiny_fit_dense_weight"], recorded["tiny_fit_dense_bias"]
    hidden = sum(float(hidden_error(recorded[f"tiny_teacher_rep.{2 * m}"],
                                    recorded[f"tiny_student_rep.{m}"] @ weight.T + bias, every)) for m in range(3))
    assert hidden == pytest.approx(float(recorded["exp/tinybert_rep"]), rel=1e-5)


def test_minilms_losses_are_those_of_torch(recorded):
    every = np.ones((3, 7), "float32")
    sides = [softmax(np.asarray(scores(recorded[f"mini_{side}q"], recorded[f"mini_{side}k"]))) for side in "ts"]
    assert float(attention_divergence(*sides, every)) == pytest.approx(
        float(recorded["exp/minilm_attention_nomask"]), rel=1e-4)
    assert float(relation_divergence(recorded["mini_tv"], recorded["mini_sv"], every, heads=2)) == pytest.approx(
        float(recorded["exp/minilm_value_nomask"]), rel=1e-4)


def alone(function, *sides):
    """Return the weighted mean over rows that a function gives each row without its padding."""
    return [(float(function(*(side[i:i + 1, :, :n] if side.ndim == 4 else side[i:i + 1, :n] for side in sides),
                             np.ones((1, n), "float32"))), n) for i, n in enumerate((3, 2))]


@pytest.mark.parametrize("function, shape", [(hidden_error, (2, 4, 5)), (hidden_cosine, (2, 4, 5)),
                                             (lambda t, s, r: relation_divergence(t, s, r, 3), (2, 3, 4, 6))])
def test_padding_changes_nothing(function, shape):
    teacher, student = drawn(*shape), drawn(*shape, seed=1)
    wanted = sum(loss * n for loss, n in alone(function, teacher, student)) / 5
    assert float(function(teacher, student, REAL)) == pytest.approx(wanted, rel=1e-4)
    assert float(function(teacher, student, np.ones_like(REAL))) != pytest.approx(wanted, rel=1e-3)
    assert float(function(teacher, teacher, REAL)) == pytest.approx(0, abs=1e-5)


def test_scores_of_padding_do_not_count():
    one, other = drawn(2, 3, 4, 4), drawn(2, 3, 4, 4, seed=1)
    squares = ((one - other) ** 2).mean(axis=1)
    wanted = (squares[0, :3, :3].sum() + squares[1, :2, :2].sum()) / 13
    assert float(score_error(one, other, REAL)) == pytest.approx(wanted, rel=1e-5)


def test_tinyberts_scores_are_those_of_its_code(recorded):
    """Its code sets scores of -100 and less, which are masked, to 0 on both sides and takes the mean over all."""
    every, total = np.ones((3, 7), "float32"), 0.0
    for m in range(2):
        sides = [np.where(x <= -100, 0, x) for x in (recorded[f"tiny_teacher_att.{2 * m + 1}"],
                                                     recorded[f"tiny_student_att.{m}"])]
        total += float(score_error(*sides, every))
    assert total == pytest.approx(float(recorded["exp/tinybert_att"]), rel=1e-5)


def test_attention_under_padding_against_numpy():
    logits = [drawn(2, 3, 4, 4, seed=seed) - 1e9 * (1 - REAL[:, None, None]) for seed in (0, 1)]
    p, q = map(softmax, logits)
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = np.where(p > 0, p * np.log(p / q), 0).sum(-1).mean(1)
    assert float(attention_divergence(p, q, REAL)) == pytest.approx(float((rows * REAL).sum() / 5), rel=1e-4)


def test_relations_split_features_anew():
    """Two heads of six features, or six of two, as four heads of three: the features end to end, cut in four."""
    teacher, student, every = drawn(1, 2, 5, 6), drawn(1, 6, 5, 2, seed=1), np.ones((1, 5), "float32")

    def relations(x):
        x = x.transpose(0, 2, 1, 3).reshape(1, 5, 4, 3).transpose(0, 2, 1, 3)
        return softmax(x @ x.swapaxes(-1, -2) / np.sqrt(3))

    p, q = relations(teacher), relations(student)
    assert float(relation_divergence(teacher, student, every, heads=4)) == pytest.approx(
        (p * np.log(p / q)).sum(-1).mean(), rel=1e-4)


def test_vectors_of_other_widths_are_compared_by_their_cosines():
    teacher, student = drawn(3, 2, 5), drawn(3, 2, 4, seed=1)

    def cosines(x):
        x = x.reshape(6, -1)
        x = x / np.linalg.norm(x, axis=-1, keepdims=True)
        return x @ x.T

    wanted = ((cosines(teacher) - cosines(student)) ** 2).mean(-1).reshape(3, 2)
    np.testing.assert_allclose(divergence_of_cosines(teacher, student), wanted, rtol=1e-4)

"""The losses of embeddings against loops over plain numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.data.features import Features
from bertkit.errors import Error
from bertkit.training.contrastive import CosineError, InfoNCE, Triplet, contrastive_loss


def vectors(batch, group, seed, width=5):
    return np.random.default_rng(seed).normal(size=(batch, group, width)).astype("float32")


def cosine(one, other):
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def info_nce(labels, given, scale):
    """Return −log of the softmax, query by query, over the candidates that may count."""
    losses = []
    for i, group in enumerate(given):
        right = scale * cosine(group[0], group[1])
        wrong = [scale * cosine(group[0], other[1]) for j, other in enumerate(given)
                 if labels[j][0] != labels[i][0] and labels[j][1] not in labels[i]]
        hard = [scale * cosine(group[0], text) for other in given for text in other[2:]]
        losses.append(np.log(np.sum(np.exp([right, *wrong, *hard]))) - right)
    return np.mean(losses)


@settings(max_examples=12, deadline=None)
@given(batch=st.integers(1, 5), group=st.integers(2, 4), seed=st.integers(0, 99), scale=st.sampled_from([1.0, 20.0]),
       texts=st.sampled_from([3, 1000]))
def test_info_nce_is_the_loop(batch, group, seed, scale, texts):
    labels, given = np.random.default_rng(seed).integers(0, texts, (batch, 2)), vectors(batch, group, seed)
    assert float(InfoNCE(scale)(labels, given)) == pytest.approx(info_nce(labels, given, scale), rel=1e-4, abs=1e-5)


def test_symmetric_info_nce_asks_both_ways():
    given, labels = vectors(4, 2, 0), np.array([[0, 1], [2, 3], [4, 1], [5, 6]])
    both = (info_nce(labels, given, 20) + info_nce(labels[:, ::-1], given[:, ::-1], 20)) / 2
    assert float(InfoNCE(symmetric=True)(labels, given)) == pytest.approx(both, rel=1e-4)


@pytest.mark.parametrize("related", [[[0, 1], [2, 1]], [[0, 1], [0, 2]], [[0, 1], [1, 0]]],
                         ids=["one positive", "one query", "turned round"])
def test_a_text_that_is_known_to_fit_is_no_negative(related):
    given = vectors(3, 2, 1)
    given[1, 1] = given[0, 1]
    apart, together = InfoNCE()(np.arange(6).reshape(3, 2), given), InfoNCE()(np.array([*related, [8, 9]]), given)
    assert float(together) < float(apart) - 0.1


def test_cosine_error_and_triplet_are_their_equations():
    given, scores = vectors(6, 3, 2), np.linspace(0, 1, 6).astype("float32")
    wanted = np.mean([(cosine(one, two) - score) ** 2 for (one, two, _), score in zip(given, scores, strict=True)])
    assert float(CosineError()(scores, given[:, :2])) == pytest.approx(wanted, rel=1e-5)
    distance = np.linalg.norm
    wanted = np.mean([max(distance(a - p) - distance(a - n) + 0.5, 0) for a, p, n in given])
    assert float(Triplet(margin=0.5)(np.zeros(6), given)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("loss", [InfoNCE(), InfoNCE(symmetric=True), CosineError(), Triplet()])
@pytest.mark.parametrize("given", [np.zeros((2, 3, 4)), np.ones((2, 3, 4))], ids=["zero", "equal"])
def test_gradients_are_finite_where_vectors_have_no_direction_or_distance(loss, given):
    given = tf.constant(given, "float32")
    with tf.GradientTape() as tape:
        tape.watch(given)
        labels = tf.constant([[0, 1], [2, 3]] if isinstance(loss, InfoNCE) else [0, 1])
        value = loss(tf.cast(labels, "float32"), given)
    assert np.isfinite(float(value)) and np.isfinite(tape.gradient(value, given)).all()


def rows(group, labels):
    return Features(np.zeros(0, "int32"), np.zeros(0, "int32"), np.zeros(1, "int64"), labels=labels, group=group)


def test_the_objective_is_what_the_rows_are_for():
    numbers, scores = np.zeros(2, "int32"), np.zeros(2, "float32")
    assert isinstance(contrastive_loss(rows(2, scores)), CosineError)
    assert isinstance(contrastive_loss(rows(2, numbers)), InfoNCE)
    assert isinstance(contrastive_loss(rows(3, numbers)), InfoNCE)
    assert isinstance(contrastive_loss(rows(3, numbers), "triplet"), Triplet)
    for group, labels, name in ((2, numbers, "triplet"), (2, numbers, "cosine"), (2, scores, "contrastive")):
        with pytest.raises(Error, match=f"loss={name} does not fit rows of 2 texts"):
            contrastive_loss(rows(group, labels), name)


def test_a_loss_is_one_that_keras_takes():
    assert isinstance(InfoNCE(), keras.losses.Loss)
    assert InfoNCE()(np.arange(6).reshape(3, 2), vectors(3, 2, 0)).shape == ()

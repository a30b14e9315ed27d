"""One block: against numpy in double precision, and its gradients against small differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import erf

from bertkit.config import EncoderConfig
from bertkit.layers.block import Block

CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=6, intermediate_dim=10)
X = np.random.default_rng(1).standard_normal((2, 4, 6))
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]])
CONTEXT = {"padding_mask": MASK}


@pytest.fixture
def block():
    """Return a block in double precision whose every weight is drawn."""
    layer = Block(CONFIG, dtype="float64", name="block")
    layer.build((None, None, 6))
    rng = np.random.default_rng(2)
    for weight in layer.weights:
        if weight.trainable:
            weight.assign(0.5 * rng.standard_normal(weight.shape) + (weight.name == "gamma"))
    return layer


def named(block):
    return {weight.path.removeprefix("block/"): np.asarray(weight) for weight in block.trainable_weights}


def by_numpy(w, x, mask, epsilon=1e-12):
    """Return the block's output, written from the papers' equations."""
    def dense(name, x):
        return x @ w[f"{name}/kernel"] + w[f"{name}/bias"]

    def norm(name, x):
        deviation = np.sqrt(x.var(-1, keepdims=True) + epsilon)
        return (x - x.mean(-1, keepdims=True)) / deviation * w[f"{name}/gamma"] + w[f"{name}/beta"]

    merged = np.zeros_like(x)
    for head in range(2):
        part = slice(3 * head, 3 * head + 3)
        query, key, value = (dense(f"attention/{name}", x)[..., part] for name in ("query", "key", "value"))
        scores = query @ key.swapaxes(1, 2) / np.sqrt(3)
        weights = np.exp(scores) * mask[:, None]
        merged[..., part] = weights / weights.sum(-1, keepdims=True) @ value
    a = norm("attention_norm", x + dense("attention/output", merged))
    inner = dense("inner", a)
    return norm("output_norm", a + dense("outer", inner / 2 * (1 + erf(inner / np.sqrt(2)))))


def test_equals_numpy_in_double_precision(block):
    np.testing.assert_allclose(block(X, context=CONTEXT), by_numpy(named(block), X, MASK), atol=1e-12)


@pytest.mark.parametrize("fault", [
    lambda w: by_numpy(w, X, np.ones_like(MASK)), lambda w: by_numpy(w, X, MASK, epsilon=1e-5),
    lambda w: by_numpy({**w, "attention_norm/gamma": w["output_norm/gamma"]}, X, MASK),
    lambda w: by_numpy({**w, "attention/query/bias": 0 * w["attention/query/bias"]}, X, MASK)],
    ids=["no mask", "epsilon", "norms swapped", "no bias"])
def test_a_planted_fault_is_seen(block, fault):
    assert np.abs(np.asarray(block(X, context=CONTEXT)) - fault(named(block))).max() > 1e-6


def test_the_gradient_of_every_weight_is_that_of_small_differences(block):
    """Along one drawn direction for each weight and for the input."""
    rng = np.random.default_rng(4)
    x, towards = tf.Variable(X), rng.standard_normal(X.shape)
    weights = [x, *(weight.value for weight in block.trainable_weights)]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(block(x, context=CONTEXT) * towards)
    for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
        direction, start, ends = rng.standard_normal(weight.shape), weight.numpy(), []
        for step in (1e-6, -1e-6):
            weight.assign(start + step * direction)
            ends.append(float(tf.reduce_sum(block(x, context=CONTEXT) * towards)))
        weight.assign(start)
        numerical = (ends[0] - ends[1]) / 2e-6
        assert abs(numerical - np.sum(gradient * direction)) < 1e-7 * max(1, abs(numerical)), weight.name


def test_the_gradient_of_the_layer_normalisation_is_that_of_small_differences():
    """With the epsilon of the paper, also where the input hardly varies."""
    norm = Block(CONFIG, dtype="float64").attention_norm
    norm.build((None, 6))
    towards = np.random.default_rng(5).standard_normal((2, 6))
    x = tf.Variable(np.stack([X[0, 0], 1 + 1e-3 * X[0, 1]]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(norm(x) * towards)
    gradient, start = tape.gradient(loss, x).numpy(), x.numpy()
    for place in np.ndindex(2, 6):
        ends = []
        for step in (1e-8, -1e-8):
            moved = start.copy()
            moved[place] += step
            ends.append(float(tf.reduce_sum(norm(moved) * towards)))
        assert abs((ends[0] - ends[1]) / 2e-8 - gradient[place]) < 1e-5 * np.abs(gradient).max()


def test_dropout_acts_on_both_residual_branches_with_the_phase(block):
    seen = []
    block.drop = lambda x, training: seen.append(training) or keras.ops.zeros_like(x)
    kept = np.asarray(block(X, context=CONTEXT, training=True))
    assert seen == [True, True]
    w = named(block)
    silent = {name: 0 * w[name] for name in w if name.startswith(("attention/output", "outer"))}
    np.testing.assert_allclose(kept, by_numpy({**w, **silent}, X, MASK), atol=1e-12)

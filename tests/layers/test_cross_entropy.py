"""Cross entropy by the fast form is Keras', and its gradient too."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.layers.cross_entropy import cross_entropy, keras_cross_entropy


def both(logits, labels, weights):
    """Return [(losses, gradient of the weighted sum)] of the fast and of the plain form."""
    found = []
    for form in (cross_entropy, keras_cross_entropy):
        x = tf.Variable(logits)
        with tf.GradientTape() as tape:
            losses = form(x.value(), labels)
            loss = tf.reduce_sum(losses * weights)
        found.append((losses.numpy(), tf.convert_to_tensor(tape.gradient(loss, x)).numpy()))
    return found


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 70), st.floats(0.1, 60), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_values_and_gradients_are_keras(shape, size, scale, seed):
    rng = np.random.default_rng(seed)
    logits = (scale * rng.normal(size=(*shape, size))).astype("float32")
    labels, weights = rng.integers(0, size, shape), rng.random(shape).astype("float32")
    (fast, gradient), (slow, wanted) = both(logits, labels, weights)
    assert fast.shape == tuple(shape)
    np.testing.assert_allclose(fast, slow, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("logits", [[[1e30, 0.0, -1e30]], [[-1e4, -1e4, -1e4]], [[0.0, -np.inf, 1.0]]])
def test_large_and_missing_logits_overflow_nothing(logits):
    (fast, gradient), (slow, wanted) = both(np.array(logits, "float32"), np.array([0]), np.ones(1, "float32"))
    np.testing.assert_allclose(fast, slow, rtol=1e-5)
    np.testing.assert_allclose(gradient, wanted, atol=1e-6)


def test_half_precision_is_summed_in_float32():
    logits = np.random.default_rng(0).normal(size=(3, 4000)).astype("float32")
    half = tf.cast(logits, tf.bfloat16)
    found = cross_entropy(half, np.array([1, 2, 3]))
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, keras_cross_entropy(tf.cast(half, tf.float32), np.array([1, 2, 3])), rtol=1e-5)


def test_rows_of_any_number_in_a_graph():
    step = tf.function(lambda x, y: tf.reduce_sum(cross_entropy(x, y)), input_signature=[
        tf.TensorSpec((None, None, 11)), tf.TensorSpec((None, None), tf.int32)])
    for shape in ((2, 3), (1, 5), (4, 1)):
        x, y = tf.random.normal((*shape, 11)), tf.zeros(shape, tf.int32)
        assert float(step(x, y)) == pytest.approx(float(tf.reduce_sum(keras_cross_entropy(x, y))), rel=1e-5)

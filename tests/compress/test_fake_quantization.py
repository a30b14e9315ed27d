"""Rounding with gradients, against plain numpy in double precision and against TensorFlow's own operation."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st

from bertkit.compress.fake_quantization import fake_quantize, round_blocks, round_channels

ENDS = st.floats(0.0625, 64, width=32)


def levels(low, high):
    """Return the scale and the zero point of a range."""
    scale = (high - low) / 255
    return scale, np.round(-low / scale)


def by_hand(x, low, high):
    scale, zero = levels(low, high)
    return scale * (np.clip(np.round(x / scale) + zero, 0, 255) - zero)


@given(ENDS, ENDS, st.integers(0, 2**32 - 1))
def test_it_is_the_equation_and_what_the_converter_reads(below, above, seed):
    assume(abs((below / (below + above) * 255) % 1 - 0.5) > 1e-3)       # a zero point between two levels
    x = np.random.default_rng(seed).normal(size=200).astype("float32") * (below + above)
    found = np.asarray(fake_quantize(x, np.float32(-below), np.float32(above)))
    scale, _ = levels(-below, above)
    away = np.abs((x / scale) % 1 - 0.5) > 1e-2          # where float32 rounds to the other side, both are right
    np.testing.assert_allclose(found[away], by_hand(x.astype("float64"), -below, above)[away], atol=1e-4 * scale + 1e-6)
    theirs = tf.quantization.fake_quant_with_min_max_vars(x, -below, above).numpy()
    np.testing.assert_allclose(found[away], theirs[away], atol=1e-4 * scale + 1e-6)
    assert 0 in np.asarray(fake_quantize(np.zeros(1, "float32"), np.float32(-below), np.float32(above)))


def test_gradients_are_those_of_the_papers():
    x, low, high = np.array([-9.0, -0.93, 0.0, 0.41, 2.2, 7.0]), -1.3, 2.9
    given_x, ends = tf.constant(x, "float32"), tf.constant([low, high], "float32")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([given_x, ends])
        y = [fake_quantize(given_x[i], ends[0], ends[1]) for i in range(len(x))]
    inside = (low < x) & (x < high)
    np.testing.assert_allclose([tape.gradient(part, given_x)[i] for i, part in enumerate(y)], inside, atol=1e-5)
    scale, zero = levels(low, high)
    at = np.clip(np.round(x / scale) + zero, 0, 255) - zero
    # LSQ: dy/ds is round(v) - v inside, the clipped level outside; z = -low / s moves with both ends, straight through.
    of_scale = np.where(inside, np.round(x / scale) - x / scale, at)
    of_zero = np.where(inside, 0, -scale)
    wanted = np.stack([of_scale * -1 / 255 + of_zero * (-1 / scale + low / scale**2 * -1 / 255),
                       of_scale / 255 + of_zero * (low / scale**2 / 255)], axis=1)
    found = np.array([tape.gradient(part, ends) for part in y])
    np.testing.assert_allclose(found, wanted, atol=2e-4)
    assert np.abs(wanted[0, 0] - 1) < 0.01 and abs(wanted[5, 1] - 1) < 0.01      # beyond an end y is that end


@pytest.mark.parametrize(("bits", "largest"), [(8, 127), (4, 7)])
def test_a_matrix_has_a_scale_for_each_output(bits, largest):
    kernel = np.random.default_rng(0).normal(size=(40, 6)).astype("float32") * np.arange(1, 7, dtype="float32")
    scale = np.abs(kernel).max(axis=0) / largest
    np.testing.assert_allclose(round_channels(kernel, bits), np.round(kernel / scale) * scale, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("width", [64, 40])
def test_rows_have_a_scale_for_each_32_numbers_or_one(width):
    rows = np.random.default_rng(0).normal(size=(3, 5, width)).astype("float32")
    size = 32 if width == 64 else width
    blocks = rows.reshape(3, 5, -1, size)
    scale = np.abs(blocks).max(axis=-1, keepdims=True) / 7
    np.testing.assert_allclose(round_blocks(rows), (np.round(blocks / scale) * scale).reshape(rows.shape), rtol=1e-5,
                               atol=1e-6)


def test_weights_get_their_gradient_straight_through():
    kernel = tf.constant(np.random.default_rng(0).normal(size=(8, 4)), "float32")
    weights = tf.constant(np.random.default_rng(1).normal(size=(8, 4)), "float32")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(kernel)
        one, other = tf.reduce_sum(weights * round_channels(kernel)), tf.reduce_sum(weights * round_blocks(kernel))
    np.testing.assert_allclose(tape.gradient(one, kernel), weights, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(other, kernel), weights, atol=1e-6)


def test_zeros_stay_zeros_and_finite():
    assert not np.asarray(round_channels(np.zeros((4, 2), "float32"))).any()
    assert np.isfinite(np.asarray(fake_quantize(np.ones(3, "float32"), 0.0, 0.0))).all()

"""Rotary attention: against numpy with complex numbers, its blocks against all pairs, and what turning means."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Rotary
from bertkit.layers.rotary_attention import RotaryAttention, rotary_angles, rotate
from tests.layers.drawn import dense, drawn, named

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16)
FULL, NEAR = Rotary(base=50.0), Rotary(base=10.0, window=2)
X = np.random.default_rng(1).standard_normal((2, 7, 8))
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 0, 0, 0]])
PLACES = np.array([[3, 4, 5, 9, 10, 11, 30], [0, 0, 1, 2, 3, 4, 5]])


def layer(kind, dtype="float64", **changes):
    return drawn(RotaryAttention(CONFIG.but(**changes), kind, dtype=dtype, name="attention"), (None, None, 8))


def by_numpy(w, kind, x, mask=None, places=None):
    """Return (output, probabilities): pairs of features (k, k + 2) are complex numbers, turning multiplies them."""
    rows, length, _ = x.shape
    mask = np.ones((rows, length)) if mask is None else mask
    places = np.broadcast_to(np.arange(length), (rows, length)) if places is None else places
    fused = dense(w, "qkv", x)
    merged, probabilities = np.zeros(x.shape), np.zeros((rows, 2, length, length))
    for head in range(2):
        query, key, value = (fused[..., start + 4 * head:start + 4 * head + 4] for start in (0, 8, 16))
        query, key = ((z[..., :2] + 1j * z[..., 2:]) * np.exp(1j * places[..., None] * kind.base ** -np.array([0, 0.5]))
                      for z in (query, key))
        for row in range(rows):
            for i in range(length):
                seen = [j for j in range(length) if mask[row, j] and (kind.window is None or abs(i - j) <= kind.window)]
                if seen:
                    scores = np.array([(query[row, i].conj() @ key[row, j]).real / 2 for j in seen])
                    weights = np.exp(scores) / np.exp(scores).sum()
                    probabilities[row, head, i, seen] = weights
                    merged[row, i, 4 * head:4 * head + 4] = weights @ value[row, seen]
    return dense(w, "output", merged), probabilities


@pytest.mark.parametrize("kind", [FULL, NEAR], ids=["all", "window"])
@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("places", [None, PLACES], ids=["counted", "given"])
def test_equals_numpy_in_double_precision(kind, biased, places):
    attention = layer(kind, qkv_bias=biased)
    context = {"padding_mask": MASK} if places is None else {"padding_mask": MASK, "position_ids": places}
    found, real = attention(X, context=context, trace=True), MASK > 0
    for ours, theirs in zip(found, by_numpy(named(attention), kind, X, MASK, places), strict=True):
        ours = np.asarray(ours)
        ours, theirs = (each.swapaxes(1, 2) if each.ndim == 4 else each for each in (ours, theirs))
        np.testing.assert_allclose(ours[real], theirs[real], atol=1e-6)     # angles are float32
    assert ("qkv/bias" in named(attention)) == ("output/bias" in named(attention)) == biased


@pytest.mark.parametrize("fault", [
    lambda w: by_numpy(w, Rotary(50.0, 2), X, MASK), lambda w: by_numpy(w, Rotary(10.0, 1), X, MASK),
    lambda w: by_numpy(w, NEAR, X), lambda w: by_numpy(w, NEAR, X, MASK, 2 * PLACES)],
    ids=["base", "window", "no mask", "positions"])
def test_a_planted_fault_is_seen(fault):
    attention = layer(NEAR)
    found = np.asarray(attention(X, context={"padding_mask": MASK}))
    assert np.abs(found - fault(named(attention))[0])[MASK > 0].max() > 1e-3


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(2, 150), window=st.integers(0, 40))
def test_blocks_equal_all_pairs(seed, length, window):
    """Untraced, attention goes by blocks as soon as that is less work; tokens that see none weigh all alike."""
    rng, attention = np.random.default_rng(seed), layer(Rotary(window=window))
    x, mask = rng.standard_normal((2, length, 8)), (rng.random((2, length)) < 0.7).astype("int32")
    pairs, _ = attention(x, context={"padding_mask": mask}, trace=True)
    np.testing.assert_allclose(attention(x, context={"padding_mask": mask}), pairs, atol=1e-12)


def test_blocks_where_the_length_is_not_known_beforehand():
    attention = layer(Rotary(window=5), "float32")
    graph = tf.function(lambda x: attention(x, context={}), input_signature=[tf.TensorSpec((None, None, 8))])
    for length in (1, 16, 45):
        x = np.random.default_rng(length).standard_normal((2, length, 8)).astype("float32")
        np.testing.assert_allclose(graph(x), attention(x, context={}, trace=True)[0], atol=2e-6)


def test_gradients_of_blocks_equal_those_of_all_pairs():
    attention, rng = layer(Rotary(window=5)), np.random.default_rng(5)
    x, towards = tf.constant(rng.standard_normal((2, 70, 8))), rng.standard_normal((2, 70, 8))
    gradients = []
    for trace in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = attention(x, context={}, trace=trace)
            loss = tf.reduce_sum((found[0] if trace else found) * towards)
        gradients.append(tape.gradient(loss, [x, *(weight.value for weight in attention.weights)]))
    for blocks, pairs in zip(*gradients, strict=True):
        assert np.isfinite(blocks).all() and np.abs(pairs).max() > 1e-3
        np.testing.assert_allclose(blocks, pairs, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(shift=st.integers(0, 500), kind=st.sampled_from([FULL, NEAR]))
def test_only_distances_count(shift, kind):
    """Su et al. 2021, equation 11: scores depend on positions by their difference alone."""
    attention = layer(kind)
    one, two = (attention(X, context={"position_ids": PLACES + more}) for more in (0, shift))
    np.testing.assert_allclose(one, two, atol=2e-4)


@pytest.mark.parametrize("kind", [FULL, NEAR, Rotary(window=20)], ids=["all", "window", "blocks"])
def test_padding_never_reaches_a_real_token(kind):
    rng, attention = np.random.default_rng(3), layer(kind, "float32")
    mask = np.ones((1, 90), "int32")
    mask[0, 50:] = 0
    x = rng.standard_normal((1, 90, 8)).astype("float32")
    other = np.where(mask[..., None] > 0, x, 100 * rng.standard_normal(x.shape)).astype("float32")
    found = [np.asarray(attention(each, context={"padding_mask": mask}))[:, :50] for each in (x, other)]
    np.testing.assert_array_equal(*found)
    np.testing.assert_allclose(attention(x[:, :50], context={}), found[0], atol=2e-6)


def test_turning_keeps_lengths_and_far_positions_apart():
    x = np.random.default_rng(0).standard_normal((1, 1, 2, 64)).astype("float32")
    places = np.array([[8190, 8191]])
    found = np.asarray(rotate(x, rotary_angles(places, 2, 64, 160_000.0)))
    exact = (x[..., :32] + 1j * x[..., 32:]) * np.exp(1j * places[0][:, None] * 160_000.0 ** -(np.arange(32) / 32))
    np.testing.assert_allclose(found, np.concatenate([exact.real, exact.imag], axis=-1), atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-5)
    half = rotate(keras.ops.cast(x, "bfloat16"), rotary_angles(places, 2, 64, 160_000.0))
    assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"
    np.testing.assert_allclose(keras.ops.cast(half, "float32"), found, atol=0.05)


def test_a_head_of_an_odd_number_of_features_is_refused():
    with pytest.raises(Error, match="a head has 3 of them; give an even number"):
        RotaryAttention(CONFIG.but(head_size=3), FULL)


def test_untraced_rows_of_a_window_keep_no_table_of_all_pairs():
    attention = layer(Rotary(window=16), "float32")
    graph = tf.function(lambda x: attention(x, context={})).get_concrete_function(tf.TensorSpec((1, 512, 8))).graph
    assert max(np.prod(output.shape) for operation in graph.get_operations() for output in operation.outputs
               if output.shape.rank) <= 2 * 512 * 3 * 16

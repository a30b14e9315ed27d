"""The equation of attention: against numpy in double precision, small differences, and at its edges."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.kinds import Full
from bertkit.layers import attention
from bertkit.layers.attention import SelfAttention, attend

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16,
                       attention_dropout=0.3)


def heads(seed=0, batch=2, heads=2, queries=3, keys=5, features=4, dtype="float32"):
    """Return query, key, value and bias of standard normal numbers."""
    rng = np.random.default_rng(seed)
    shapes = [(queries, features), (keys, features), (keys, features), (queries, keys)]
    return [rng.standard_normal((batch, heads, *shape)).astype(dtype) for shape in shapes]


def by_numpy(query, key, value, mask, bias):
    """Return attention in double precision, one query at a time."""
    output = np.zeros((*query.shape[:3], value.shape[3]))
    probabilities = np.zeros((*query.shape[:3], key.shape[2]))
    for place in np.ndindex(*query.shape[:3]):
        row, head, i = place
        scores = key[row, head].astype("float64") @ query[place] / np.sqrt(query.shape[3]) + bias[place]
        seen = mask[row, 0, min(i, mask.shape[2] - 1)].astype(bool)
        weights = np.where(seen, np.exp(scores - scores[seen].max()), 0)
        probabilities[place] = weights / weights.sum()
        output[place] = probabilities[place] @ value[row, head]
    return output, probabilities


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), queries=st.integers(1, 5), keys=st.integers(1, 6),
       features=st.integers(1, 5), every_query=st.booleans())
def test_equals_numpy_in_double_precision(seed, queries, keys, features, every_query):
    query, key, value, bias = heads(seed, 2, 2, queries, keys, features)
    mask = np.random.default_rng(seed).integers(0, 2, (2, 1, queries if every_query else 1, keys))
    mask[..., 0] = 1                                    # every query sees something
    found = attend(query, key, value, mask, bias)
    for ours, theirs in zip(found, by_numpy(query, key, value, mask, bias), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.parametrize("fault", ["mask", "bias", "scale"])
def test_a_planted_fault_is_seen(fault):
    query, key, value, bias = heads()
    mask = np.array([1, 1, 0, 1, 0]).reshape(1, 1, 1, 5) * np.ones((2, 1, 1, 1), int)
    wanted, _ = by_numpy(query, key, value, mask, bias)
    found, _ = attend(query * (2 if fault == "scale" else 1), key, value, None if fault == "mask" else mask,
                      None if fault == "bias" else bias)
    assert np.abs(found - wanted).max() > 1e-3


def test_a_padded_key_has_probability_zero_and_a_row_sums_to_one():
    query, key, value, _ = heads()
    mask = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 1]])
    _, probabilities = attend(100 * query, key, value, mask[:, None, None])
    probabilities = np.asarray(probabilities)
    assert (probabilities[np.broadcast_to(mask[:, None, None] == 0, probabilities.shape)] == 0).all()
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-6)


def test_a_row_that_may_see_nothing_is_uniform():
    query, key, value, _ = heads()
    output, probabilities = attend(query, key, value, np.zeros((2, 1, 1, 5), int))
    probabilities = np.asarray(probabilities)
    np.testing.assert_array_equal(probabilities, np.broadcast_to(probabilities[..., :1], (2, 2, 3, 5)))
    np.testing.assert_allclose(probabilities, 0.2, rtol=1e-6)               # 5 · 0.2 is 1, save for the last bit
    np.testing.assert_allclose(output, np.broadcast_to(value.mean(2, keepdims=True), output.shape), atol=1e-6)


def test_a_small_mask_constant_lets_a_padded_key_in():
    """Which is why export measures the scores before it chooses one."""
    query, key, value, _ = heads()
    mask = np.array([1, 0, 1, 1, 0])[None, None, None]
    _, exact = attend(query, key, value, mask)
    _, leaking = attend(query, key, value, mask, masked_score=-5.0)
    assert np.asarray(exact)[..., 1].max() == 0 < np.asarray(leaking)[..., 1].max() < 0.1


def test_scores_and_softmax_are_whole_precision_under_half(monkeypatch):
    seen = []

    def softmax(scores, axis):
        seen.append(keras.backend.standardize_dtype(scores.dtype))
        return keras.activations.softmax(scores, axis=axis)

    monkeypatch.setattr(attention.ops, "softmax", softmax)
    layer = SelfAttention(CONFIG, Full(), dtype="mixed_bfloat16")
    y, probabilities = layer(np.ones((2, 3, 8), "float32"), trace=True,
                             context={"padding_mask": np.ones((2, 3), "int32")})
    attend(*heads(dtype="float64")[:3])
    assert seen == ["float32", "float64"]
    assert {keras.backend.standardize_dtype(each.dtype) for each in (y, probabilities)} == {"bfloat16"}


def test_the_gradient_is_that_of_small_differences():
    arrays = heads(batch=1, queries=2, keys=3, features=2, dtype="float64")
    mask = np.array([1, 1, 0])[None, None, None]
    direction = np.random.default_rng(3).standard_normal((1, 2, 2, 2))

    def loss(query, key, value, bias):
        return tf.reduce_sum(attend(query, key, value, mask, bias)[0] * direction)

    inputs = [tf.constant(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = loss(*inputs)
    for i, gradient in enumerate(tape.gradient(value, inputs)):
        numerical = np.zeros_like(arrays[i])
        for place in np.ndindex(*numerical.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [array.copy() for array in arrays]
                moved[i][place] += step
                ends.append(float(loss(*moved)))
            numerical[place] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(gradient, numerical, atol=1e-8)
        assert np.abs(numerical).max() > 1e-2


def test_the_expected_share_of_probabilities_is_dropped_in_training():
    """With the identity for values, attention returns the probabilities that dropout left."""
    layer = SelfAttention(CONFIG, Full())
    query, key, _, _ = heads(batch=20, queries=30, keys=30)
    identity = np.broadcast_to(np.eye(30, dtype="float32"), (20, 2, 30, 30))
    left, probabilities = attend(query, key, identity, drop=lambda p: layer.drop(p, training=True))
    left, probabilities = np.asarray(left), np.asarray(probabilities)
    dropped = left == 0
    assert abs(dropped.mean() - 0.3) < 5 * np.sqrt(0.21 / dropped.size)
    np.testing.assert_allclose(left[~dropped], probabilities[~dropped] / 0.7, rtol=1e-5)


def test_dropout_is_called_on_the_probabilities_with_the_phase():
    layer, seen = SelfAttention(CONFIG, Full()), []
    layer.drop = lambda probabilities, training: seen.append((probabilities.shape, training)) or probabilities
    for phase in (True, False):
        layer(np.ones((1, 3, 8), "float32"), context={}, training=phase)
    assert seen == [((1, 2, 3, 3), True), ((1, 2, 3, 3), False)]


def test_heads_are_neighbouring_features():
    """Output feature h·H + j of a projection is feature j of head h (family-spec 1.2)."""
    x = np.arange(2 * 3 * 8, dtype="float32").reshape(2, 3, 8)
    layer = SelfAttention(CONFIG, Full())
    split = np.asarray(layer.split(x))
    np.testing.assert_array_equal(split[:, 1], x[:, :, 4:])
    np.testing.assert_array_equal(layer.merge(split), x)


@pytest.mark.parametrize("padding", [None, [[1, 1, 0, 1], [0, 1, 1, 1]]])
def test_causal_attention_sees_what_came_before_and_is_real(padding):
    layer = SelfAttention(CONFIG, Full(causal=True))
    context = {} if padding is None else {"padding_mask": np.array(padding)}
    x = np.random.default_rng(0).standard_normal((2, 4, 8)).astype("float32")
    _, probabilities = layer(x, context=context, trace=True)
    allowed = np.tril(np.ones((4, 4)))[None] * (1 if padding is None else np.array(padding)[:, None])
    probabilities, someone = np.asarray(probabilities), allowed.any(-1, keepdims=True)
    assert (probabilities[:, 0][np.broadcast_to(someone * (1 - allowed) > 0, (2, 4, 4))] == 0).all()
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-6)

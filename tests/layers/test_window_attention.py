"""Attention to near and global tokens: its blocks and its definition against numpy, pair by pair."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.kinds import Window
from bertkit.layers.blocked import from_blocks, gather_vectors, to_blocks, with_neighbours
from bertkit.layers.window_attention import LEAST, WindowAttention
from tests.layers.drawn import dense, drawn, named

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16)


def layer(size, dtype="float64", **changes):
    return drawn(WindowAttention(CONFIG.but(**changes), Window(size), dtype=dtype, name="attention"), (None, None, 8))


def rows(length, seed=0, padded=0.3, chosen=0.2):
    """Return (x, context) of two rows: padding and global tokens anywhere, padding that is marked global too."""
    rng = np.random.default_rng(seed)
    masks = {"padding_mask": rng.random((2, length)) >= padded, "global_mask": rng.random((2, length)) < chosen}
    return rng.standard_normal((2, length, 8)), {name: mask.astype("int32") for name, mask in masks.items()}


def by_numpy(w, size, x, padding_mask=None, global_mask=None):
    """Return (output, probabilities), one query at a time (family-spec, section 3.2: the dense form)."""
    shape = x.shape[:2]
    real = np.ones(shape, bool) if padding_mask is None else padding_mask > 0
    chosen = np.zeros(shape, bool) if global_mask is None else (global_mask > 0) & real
    local, far = ([dense(w, prefix + name, x) for name in ("query", "key", "value")] for prefix in ("", "global_"))
    merged, probabilities = np.zeros(x.shape), np.zeros((shape[0], 2, shape[1], shape[1]))
    for row, head, i in np.ndindex(shape[0], 2, shape[1]):
        if not real[row, i]:
            continue
        query, key, value = (each[row, :, 4 * head:4 * head + 4] for each in (far if chosen[row, i] else local))
        seen = [j for j in range(shape[1]) if real[row, j] and (
            chosen[row, i] or chosen[row, j] or abs(i - j) <= size // 2)]
        weights = np.exp(key[seen] @ query[i] / 2)
        probabilities[row, head, i, seen] = weights / weights.sum()
        merged[row, i, 4 * head:4 * head + 4] = probabilities[row, head, i] @ value
    return dense(w, "output", merged), probabilities


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 60), size=st.integers(2, 50),
       chosen=st.sampled_from([0, 0.1, 0.9]))
def test_blocks_and_definition_equal_numpy(seed, length, size, chosen):
    attention, (x, context) = layer(size), rows(length, seed, chosen=chosen)
    wanted, real = by_numpy(named(attention), size, x, **context), context["padding_mask"] > 0
    np.testing.assert_allclose(attention(x, context=context)[real], wanted[0][real], atol=1e-11)
    traced, probabilities = map(np.asarray, attention(x, context=context, trace=True))
    np.testing.assert_allclose(traced[real], wanted[0][real], atol=1e-11)
    np.testing.assert_allclose(probabilities.swapaxes(1, 2)[real], wanted[1].swapaxes(1, 2)[real], atol=1e-11)


@pytest.mark.parametrize("size", [2, 3, 10, 40])
@pytest.mark.parametrize("given", [(), ("padding_mask",), ("global_mask",)], ids=["nothing", "padding", "globals"])
def test_masks_may_be_left_out(size, given):
    attention, (x, context) = layer(size), rows(37)
    context = {name: context[name] for name in given}
    wanted, _ = by_numpy(named(attention), size, x, **context)
    real = context.get("padding_mask", np.ones((2, 37))) > 0
    np.testing.assert_allclose(attention(x, context=context)[real], wanted[real], atol=1e-11)


@pytest.mark.parametrize("fault", ["window", "globals", "padding", "weights"])
def test_a_planted_fault_is_seen(fault):
    attention, (x, context) = layer(6 if fault == "window" else 4), rows(40)
    wanted, _ = by_numpy(named(attention), 4, x, **context)
    if fault == "weights":
        attention.global_key.kernel.assign(attention.global_key.kernel * 1.01)
    context.pop({"globals": "global_mask", "padding": "padding_mask"}.get(fault), None)
    found = np.asarray(attention(x, context=context))
    assert np.abs(found - wanted)[rows(40)[1]["padding_mask"] > 0].max() > 1e-3


def test_padding_is_not_seen_and_mixes_to_nothing():
    attention, (x, context) = layer(8), rows(50)
    real = context["padding_mask"] > 0
    noise = np.where(real[..., None], x, 1e3)
    found, wanted = (np.asarray(attention(each, context=context)) for each in (noise, x))
    np.testing.assert_array_equal(found[real], wanted[real])
    np.testing.assert_allclose(found[~real], np.broadcast_to(attention.output_dense.bias, found[~real].shape))


def test_no_token_of_a_batch_need_be_global():
    attention, (x, context) = layer(8), rows(50)
    none = {**context, "global_mask": np.zeros_like(context["global_mask"])}
    alone = {"padding_mask": context["padding_mask"]}
    np.testing.assert_array_equal(attention(x, context=none), attention(x, context=alone))


@pytest.mark.parametrize("chosen", [0, 0.2])
def test_lengths_may_be_known_only_when_the_graph_runs(chosen):
    attention = layer(10)
    names = ("padding_mask", "global_mask")
    graph = tf.function(lambda x, context: attention(x, context=context), input_signature=[
        tf.TensorSpec([None, None, 8], "float64"), {name: tf.TensorSpec([None, None], "int32") for name in names}])
    for length in (1, 5, LEAST, 40):
        x, context = rows(length, chosen=chosen)
        found = graph(x, {name: tf.constant(context[name]) for name in names})
        np.testing.assert_allclose(found, attention(x, context=context), atol=1e-12)


def gradients(attention, x, context, trace):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = attention(x, context=context, trace=trace)
        y = (found[0] if trace else found) * tf.cast(context["padding_mask"], "float64")[:, :, None]
        loss = tf.reduce_sum(y * np.random.default_rng(1).standard_normal(y.shape))
    return tape.gradient(loss, [x, *attention.trainable_variables])


@pytest.mark.parametrize("chosen", [0, 0.2])
def test_gradients_of_blocks_and_definition_are_the_same(chosen):
    attention, (x, context) = layer(6), rows(40, chosen=chosen)
    for ours, theirs in zip(*(gradients(attention, x, context, trace) for trace in (False, True)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)
        assert chosen == 0 or np.abs(theirs).max() > 0


def growth(attention, trace):
    """Return how many times as large the largest tensor of a graph is for twice as many tokens."""
    largest = []
    for length in (200, 400):
        x = tf.zeros((1, length, 8), "float64")
        graph = tf.function(lambda x=x: attention(x, context={}, trace=trace)).get_concrete_function().graph
        largest.append(max(out.shape.num_elements() or 0 for op in graph.get_operations() for out in op.outputs))
    return largest[1] / largest[0]


def test_memory_is_linear_in_the_length():
    assert growth(layer(40), trace=False) == 2 and growth(layer(40), trace=True) == 4


def test_probabilities_are_dropped_in_training_alone():
    attention, (x, context) = layer(8, attention_dropout=0.5), rows(40)
    still, moved = (np.asarray(attention(x, context=context, training=training)) for training in (False, True))
    np.testing.assert_array_equal(still, attention(x, context=context))
    assert np.abs(still - moved).max() > 0.1


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_comes_near(policy):
    x, context = rows(40)
    half, whole = (np.asarray(keras.ops.cast(layer(8, dtype)(x, context=context), "float64"))
                   for dtype in (policy, "float64"))
    assert 0 < np.abs(half - whole)[context["padding_mask"] > 0].max() < 0.05 * np.abs(whole).max()


def test_blocks_are_cut_joined_and_laid_beside_each_other():
    x = np.arange(1, 8).reshape(1, 1, 7, 1)
    cut = to_blocks(x, 3, 3)
    assert np.asarray(cut)[0, 0, :, :, 0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 0, 0]]
    assert np.asarray(with_neighbours(cut))[0, 0, :, :, 0].tolist() == [
        [0, 0, 0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7, 0, 0], [4, 5, 6, 7, 0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(from_blocks(cut, 7), x)


def test_vectors_are_found_by_their_places():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 4))
    places = np.array([[4, 0], [1, 1]])
    found = np.asarray(gather_vectors(x, places[:, None]))
    for row, head, k in np.ndindex(2, 3, 2):
        np.testing.assert_array_equal(found[row, head, k], x[row, head, places[row, k]])
    np.testing.assert_array_equal(gather_vectors(x[:, 0], places), found[:, 0])

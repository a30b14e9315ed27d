"""Attention by blocks: against numpy from the lists of the paper's code, its random blocks against what they may be."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Sparse
from bertkit.layers.attention import SelfAttention
from bertkit.layers.sparse_attention import SparseAttention
from bertkit.layers.sparse_attention import draw_random_blocks as drawn_blocks
from tests.layers.drawn import dense, drawn, named
from tests.layers.test_window_attention import gradients, growth

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16,
                       attention_dropout=0.0)


def layer(size, random, dtype="float64", **changes):
    attention = SparseAttention(CONFIG.but(**changes), Sparse(size, random), dtype=dtype, name="attention")
    return drawn(attention, (None, None, 8))


def rows(length, seed=0):
    """Return (x, context) of two rows, padding anywhere."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((2, length, 8)), {"padding_mask": (rng.random((2, length)) < 0.7).astype("int32")}


def lists(blocks, others):
    """Return the blocks that each block attends to (family-spec, section 3.3); `others` [blocks−2,R] are random."""
    last, found = blocks - 1, {0: range(blocks), blocks - 1: range(blocks)}
    for q in range(1, last):
        found[q] = {1: [0, 1, 2, last], last - 1: [0, last - 2, last - 1, last]}.get(q, [0, q - 1, q, q + 1, last])
        found[q] = [*(found[q] if last > 2 else [0, 1, 2]), *others[q - 1]]
    return found


def by_numpy(w, size, x, mask, others):
    """Return the output: each query over the list of its keys, those listed twice twice; others [N,blocks−2,R]."""
    query, key, value = (dense(w, name, x) for name in ("query", "key", "value"))
    length, merged = x.shape[1], np.zeros(x.shape)
    blocks = -(-length // size)
    for row, head, i in np.ndindex(x.shape[0], 2, length):
        features = slice(4 * head, 4 * head + 4)
        seen = [j for block in lists(blocks, others[head])[i // size] for j in range(block * size, (block + 1) * size)
                if j < length and mask[row, j]]
        if mask[row, i]:
            weights = np.exp(key[row, seen, features] @ query[row, i, features] / 2)
            merged[row, i, features] = weights / weights.sum() @ value[row, seen, features]
    return dense(w, "output", merged)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 5), random=st.integers(0, 3), more=st.integers(1, 20),
       own=st.booleans())
def test_blocks_and_definition_equal_numpy(seed, size, random, more, own):
    length = (5 + 2 * random) * size + more
    attention, (x, context) = layer(size, random), rows(length, seed)
    blocks, real = -(-length // size), context["padding_mask"] > 0
    others = np.random.default_rng(seed).integers(0, blocks if own else 1, (2, blocks - 2, random))
    context |= {"random_blocks": others} if own else {}
    wanted = by_numpy(named(attention), size, x, context["padding_mask"], others)
    np.testing.assert_allclose(attention(x, context=context)[real], wanted[real], atol=2e-7)    # log (1 + R) is float32
    traced, probabilities = attention(x, context=context, trace=True)
    np.testing.assert_allclose(np.asarray(traced)[real], wanted[real], atol=2e-7)
    assert probabilities.shape == (2, 2, length, length)
    np.testing.assert_allclose(np.asarray(probabilities).sum(-1).swapaxes(1, 2)[real], 1)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 20, 21])
def test_short_rows_attend_in_full(length):
    """Up to (5 + 2 · 1) · 3 = 21 tokens, also in training, whatever blocks are drawn or given."""
    attention, (x, context) = layer(3, 1), rows(length)
    full = drawn(SelfAttention(CONFIG, None, dtype="float64", name="attention"), (None, None, 8))
    full.kind = type("Bidirectional", (), {"causal": False})
    wanted, real = np.asarray(full(x, context=context)), context["padding_mask"] > 0
    for options in ({}, {"training": True}):
        np.testing.assert_allclose(np.asarray(attention(x, context=context, **options))[real], wanted[real], atol=1e-12)
    traced, _ = attention(x, context=context | {"random_blocks": np.ones((2, 5, 1), int)}, trace=True)
    np.testing.assert_allclose(np.asarray(traced)[real], wanted[real], atol=1e-12)
    x, context = rows(22)
    real = context["padding_mask"] > 0
    assert np.abs(np.asarray(attention(x, context=context)) - full(x, context=context))[real].max() > 1e-3


@pytest.mark.parametrize("fault", ["list", "times", "padding"])
def test_a_planted_fault_is_seen(fault):
    attention, (x, context) = layer(3, 1), rows(40)
    others = np.zeros((2, 12, 1), int)
    if fault == "list":
        others[0, 5] = 9
    if fault == "times":
        others = others[..., :0]
    wanted, real = by_numpy(named(attention), 3, x, context["padding_mask"], others), context["padding_mask"] > 0
    found = np.asarray(attention(x, context={} if fault == "padding" else context))
    assert np.abs(found - wanted)[real].max() > 1e-3


@settings(max_examples=20, deadline=None)
@given(heads=st.integers(1, 4), random=st.integers(1, 5), more=st.integers(1, 20), seed=st.integers(0, 20))
def test_random_blocks_are_what_the_papers_code_allows(heads, random, more, seed):
    first = 2 * random + 5                              # candidates are blocks 1 to first − 2, for all rows
    found = drawn_blocks(heads, first + more - 2, random, seed)
    assert found.shape == (heads, first + more - 2, random)
    for head, i in np.ndindex(found.shape[:2]):
        row, others = i + 1, set(found[head, i].tolist())
        assert len(others) == random and others <= set(range(1, first - 1)) - {row - 1, row, row + 1}
        assert not (row == 1 and first - 2 in others) and not (row == first - 2 and 1 in others)
    np.testing.assert_array_equal(found[:, :4], drawn_blocks(heads, 4, random, seed))


@pytest.mark.parametrize("case, heads, random", [("bigbird", 3, 2), ("bigbird_r3", 2, 4)])
def test_random_blocks_are_those_of_the_reference(shared, case, heads, random):
    recorded = np.load(shared(f"checkpoints/{case}/base/ref_train_random.npz"))
    for index in range(2):
        wanted = recorded[f"aux/rand_attn.layer{index}"]
        np.testing.assert_array_equal(drawn_blocks(heads, wanted.shape[1], random, index), wanted)


def test_training_draws_blocks_by_the_layers_number():
    attention, (x, context) = layer(3, 2), rows(60)
    still, first = (np.asarray(attention(x, context=context, training=training)) for training in (False, True))
    attention.index = 1
    second = np.asarray(attention(x, context=context, training=True))
    own = attention(x, context=context | {"random_blocks": drawn_blocks(2, 18, 2, 1)})
    np.testing.assert_array_equal(second, own)
    assert min(np.abs(still - first).max(), np.abs(first - second).max()) > 1e-3


@pytest.mark.parametrize("shape", [(2, 11, 1), (3, 12, 1), (2, 13, 1)])
def test_random_blocks_of_another_shape_are_refused(shape):
    attention, (x, _) = layer(3, 1), rows(40)
    with pytest.raises(Error, match=r"random_blocks has the shape .* wanted \[2,12,any\]"):
        attention(x, context={"random_blocks": np.zeros(shape, int)})


def test_padding_is_not_seen_and_mixes_to_nothing():
    attention, (x, context) = layer(3, 1), rows(50)
    real = context["padding_mask"] > 0
    found, wanted = (np.asarray(attention(each, context=context)) for each in (np.where(real[..., None], x, 1e3), x))
    np.testing.assert_array_equal(found[real], wanted[real])
    np.testing.assert_allclose(found[~real], np.broadcast_to(attention.output_dense.bias, found[~real].shape))


@pytest.mark.parametrize("training", [False, True])
def test_lengths_may_be_known_only_when_the_graph_runs(training):
    """Short and long ones through one graph."""
    attention = layer(3, 2)
    shapes = [tf.TensorSpec([None, None, 8], "float64"), tf.TensorSpec([None, None], "int32")]
    graph = tf.function(lambda x, mask: attention(x, context={"padding_mask": mask}, training=training), shapes)
    for length in (1, 5, 27, 28, 50):
        x, context = rows(length)
        found, wanted = graph(x, context["padding_mask"]), attention(x, context=context, training=training)
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_gradients_of_blocks_and_definition_are_the_same():
    attention, (x, context) = layer(3, 1), rows(40)
    context["random_blocks"] = drawn_blocks(2, 12, 1, 0)
    for ours, theirs in zip(*(gradients(attention, x, context, trace) for trace in (False, True)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)
        assert np.isfinite(theirs).all()


def test_memory_is_linear_in_the_length():
    assert growth(layer(5, 1), trace=False) < 2.1 and growth(layer(5, 1), trace=True) == 4

"""Two streams through the same blocks: what a query may know, and what one segment hands to the next."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.kinds import Bare, Relative, TwoStream
from bertkit.layers.block import Block
from bertkit.layers.two_stream import TwoStreamBlock, new_memory
from tests.layers.drawn import drawn

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
ROWS, LENGTH, WIDTH = 2, 5, 6
CONFIG = EncoderConfig(vocabulary_size=20, num_layers=2, num_heads=2, hidden_dim=WIDTH, intermediate_dim=8,
                       num_segments=0, attention=Relative(), positions=None, inputs=Bare(), block=TwoStream(),
                       pooler=None)


def encoder(seed=0, **changes):
    """Return an encoder whose every weight is drawn."""
    made, rng = Encoder(CONFIG.but(**changes)), np.random.default_rng(seed)
    for weight in made.trainable_weights:
        weight.assign(0.5 * rng.standard_normal(weight.shape) + (weight.name == "gamma"))
    return made


def batch(seed=0, order=None, targets=None):
    """Return ids, and the masks of a factorization order: of each row token order[-1] is predicted last."""
    ids = np.random.default_rng(seed).integers(0, 20, (ROWS, LENGTH))
    found = {"token_ids": ids}
    if order is not None:
        rank = np.argsort(order)
        found["permutation_mask"] = np.tile(rank[None, :] >= rank[:, None], (ROWS, 1, 1)).astype(int)
    if targets is not None:
        found["target_mapping"] = np.tile(np.eye(LENGTH)[list(targets)], (ROWS, 1, 1))
    return found


# ------------------------------------------------------------------------------------------- streams


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(LENGTH)))
@pytest.mark.slow
def test_a_query_knows_what_comes_before_it_in_the_order_and_nothing_else(order):
    """Yang et al. 2019, equation 4: the k-th of an order sees its first k − 1 tokens (the first, nothing: uniform)."""
    model, first = encoder(), batch(order=order, targets=order[1:])
    wanted = np.asarray(model(first)["sequence"])
    for rank, place in enumerate(order):
        changed = {**first, "token_ids": first["token_ids"].copy()}
        changed["token_ids"][:, place] += np.where(changed["token_ids"][:, place] > 9, -7, 7)
        moved = np.abs(np.asarray(model(changed)["sequence"]) - wanted).max(axis=(0, 2)) > 1e-6
        assert moved.tolist() == [other > rank for other in range(1, LENGTH)]


def test_the_content_stream_does_not_know_of_queries():
    model = encoder()
    plain, asked = (model(each, trace=True) for each in (batch(order=range(LENGTH)), batch(0, range(LENGTH), [3, 1])))
    for name, array in plain["trace"].items():
        np.testing.assert_array_equal(asked["trace"][name], array)
    assert asked["sequence"].shape == (ROWS, 2, WIDTH) and plain["sequence"].shape == (ROWS, LENGTH, WIDTH)
    assert plain["trace"]["attention/2"].shape == (ROWS, 2, LENGTH, LENGTH)


def test_both_streams_pass_the_same_block():
    """A query stream that holds the content, at its places, and sees what it sees, is the content."""
    block = TwoStreamBlock(CONFIG, name="block")
    drawn(block, (None, None, WIDTH))
    x = np.random.default_rng(1).standard_normal((ROWS, LENGTH, WIDTH)).astype("float32")
    mapping = np.tile(np.eye(LENGTH, dtype="float32"), (ROWS, 1, 1))
    state = block({"hidden": x, "mems": (), "query": x}, context={"target_mapping": mapping})
    np.testing.assert_allclose(state["query"], state["hidden"], atol=1e-6)
    plain = drawn(Block(CONFIG, name="block"), (None, None, WIDTH))
    np.testing.assert_allclose(state["hidden"], plain(x, context={}), atol=1e-6)


def test_targets_begin_with_one_learned_vector_and_tell_it_gradients():
    model, rows = encoder(dropout=0.0, attention_dropout=0.0), batch(0, range(LENGTH), [2])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(rows, training=True)["sequence"] ** 2)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights],
                              unconnected_gradients="zero")
    norms = {weight.path: float(tf.norm(gradient)) for weight, gradient in
             zip(model.trainable_weights, gradients, strict=True)}
    assert all(np.isfinite(list(norms.values()))) and norms["encoder/beginning/target"] > 1e-3


def test_dropout_falls_inside_the_feed_forward_network_too():
    block = drawn(TwoStreamBlock(CONFIG.but(dropout=0.5), name="block"), (None, None, WIDTH))
    a = np.ones((1, 1, WIDTH), "float32")
    found = np.stack([np.asarray(block.feed(a, training=True)) for _ in range(8)])
    assert np.ptp(found, axis=0).max() > 0
    np.testing.assert_array_equal(block.feed(a), Block.feed(block, a))


# -------------------------------------------------------------------------------------------- memory


@pytest.mark.parametrize("memory, reuse, before, kept", [
    (0, None, 0, range(5)), (0, None, 3, range(-3, 5)), (3, None, 0, range(2, 5)), (3, 2, 0, range(2)),
    (4, 2, 3, range(-2, 2)), (9, None, 3, range(-3, 5)), (1, 1, 3, range(1))])
def test_what_is_remembered(memory, reuse, before, kept):
    """Places of this segment count from 0, the remembered ones end at −1."""
    both = np.random.default_rng(2).standard_normal((ROWS, before + 5, 3)).astype("float32")
    (found,) = new_memory(Relative(memory=memory, reuse=reuse), both[:, before:], both[:, :before] if before else None)
    np.testing.assert_array_equal(found, both[:, [place + before for place in kept]])


def test_nothing_is_remembered_unless_the_kind_does():
    assert new_memory(Relative(), np.zeros((1, 2, 3)), None) == ()
    assert set(encoder()(batch())) == {"sequence"}


@settings(max_examples=8, deadline=None)
@given(st.integers(1, LENGTH - 1), st.integers(0, 100))
def test_reading_on_equals_reading_at_once(cut, seed):
    """Dai et al. 2019, section 3.2: with all of the past remembered, nothing of it is lost to what follows."""
    model, ids = encoder(seed, attention=Relative(causal=True, memory=0)), batch(seed)["token_ids"]
    whole, first = model({"token_ids": ids}), model({"token_ids": ids[:, :cut]})
    second = model({"token_ids": ids[:, cut:], "mems": first["mems"]})
    np.testing.assert_allclose(second["sequence"], whole["sequence"][:, cut:], atol=1e-5)
    for part, all_of_it in zip(second["mems"], whole["mems"], strict=True):
        np.testing.assert_allclose(part, all_of_it, atol=1e-5)


def test_lengths_may_differ_in_a_graph():
    model = encoder(attention=Relative(memory=2))
    signature = {"token_ids": tf.TensorSpec((None, None), "int32"),
                 "mems": [tf.TensorSpec((None, None, WIDTH))] * CONFIG.num_layers}
    call = tf.function(lambda rows: model(rows), input_signature=[signature])
    for length in (1, 4):
        rows = {"token_ids": batch()["token_ids"][:, :length].astype("int32")}
        rows["mems"] = [np.asarray(part) for part in model(rows)["mems"]]
        found, wanted = call(rows), model(rows)
        np.testing.assert_allclose(found["sequence"], wanted["sequence"], atol=1e-5)
        np.testing.assert_allclose(found["mems"], wanted["mems"], atol=1e-5)


# -------------------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize("entries, words", [
    ({"permutation_mask": np.zeros((2, 5, 4))}, r"permutation_mask has shape \(2, 5, 4\); wanted \[B,T,T\]"),
    ({"permutation_mask": np.zeros((2, 3, 5))}, r"permutation_mask has shape \(2, 3, 5\); wanted \[B,T,T\]"),
    ({"target_mapping": np.zeros((1, 2, 5))}, r"target_mapping has shape \(1, 2, 5\); wanted \[B,M,T\]"),
    ({"target_mapping": np.zeros(5)}, r"target_mapping has shape \(5,\)"),
    ({"target_mapping": [["x"]]}, "target_mapping is no table of numbers"),
    ({"mems": [np.zeros((2, 3, 6))]}, r"mems holds 1 arrays, .*; wanted one \[2,S,6\] for each of 2 layers"),
    ({"mems": [np.zeros((2, 3, 6)), np.zeros((2, 4, 6))]}, "mems holds 2 arrays, of shapes"),
    ({"mems": 2 * [np.zeros((2, 3, 5))]}, "mems holds 2 arrays")])
def test_entries_of_a_wrong_shape_are_named(entries, words):
    with pytest.raises(Error, match=words):
        encoder()({**batch(), **entries})

"""Attention by content, distance and segment: against its equation, pair by pair of tokens, in double precision."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Relative
from bertkit.layers.relative_attention import RelativeAttention, relative_shift
from tests.layers.drawn import drawn, named

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
WIDTH = 6


def layer(kind=Relative(), heads=2, head_size=3, seed=2):  # noqa: B008
    config = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=heads, hidden_dim=WIDTH, intermediate_dim=8,
                           head_size=head_size, attention=kind)
    return drawn(RelativeAttention(config, kind, name="attention"), (None, None, WIDTH), seed=seed)


def batch(rng, rows=2, length=4, before=0, targets=None, entries=()):
    """Return (x, context) of standard normal vectors and of the `entries` that are asked for."""
    context = {}
    if "segment_ids" in entries:
        context["segment_ids"] = rng.integers(0, 4, (rows, length)).astype("int32")
    if "padding_mask" in entries:
        context["padding_mask"] = rng.integers(0, 2, (rows, length)).astype("int32")
    if "permutation_mask" in entries:
        context["permutation_mask"] = rng.integers(0, 2, (rows, length, length)).astype("float32")
    if before:
        context["mems"] = rng.standard_normal((rows, before, WIDTH)).astype("float32")
    x = rng.standard_normal((rows, length, WIDTH)).astype("float32")
    if targets is None:
        return x, context
    places = rng.permuted(np.tile(np.arange(length), (rows, 1)), axis=1)[:, :targets]
    context |= {"content": x, "target_mapping": np.eye(length, dtype="float32")[places]}
    return rng.standard_normal((rows, targets, WIDTH)).astype("float32"), context


def hidden(kind, context, row, i, j, before, itself):
    """Return whether token i may not see key j, counted from the first memory on (family-spec 3.1)."""
    length = (context["content"] if "content" in context else context["x"]).shape[1]
    causal = kind.causal and (j > before + i or kind.same_length and j < i and j < length)
    token = j - before
    if token < 0 or itself and token == i:
        return causal
    masks = context.get("padding_mask"), context.get("permutation_mask")
    return bool(causal or masks[0] is not None and not masks[0][row, token]
                or masks[1] is not None and masks[1][row, i, token])


def distance(kind, rows, row, delta):
    """Return the vector of a distance."""
    if kind.clamp > 0:
        delta = max(-kind.clamp, min(kind.clamp, delta))
    if kind.mirrored and row >= rows // 2:
        delta = -delta
    angles = [delta / 10000 ** (2 * k / WIDTH) for k in range(WIDTH // 2)]
    return np.array([*map(np.sin, angles), *map(np.cos, angles)])


def by_numpy(attention, x, context):
    """Return attention, one row, head, query and key at a time."""
    w, kind, given = named(attention), attention.kind, context.get("content", x)
    context = {**context, "x": x}
    keys = given if "mems" not in context else np.concatenate([context["mems"], given], axis=1)
    rows, length, before = len(x), given.shape[1], keys.shape[1] - given.shape[1]
    places = np.arange(x.shape[1])[None].repeat(rows, 0)
    if "content" in context:
        places = context["target_mapping"].argmax(-1)
    heads, size = w["content_bias"].shape
    found, shares = np.zeros(x.shape), np.zeros((rows, heads, length, keys.shape[1]))
    for row, n, m in np.ndindex(rows, heads, x.shape[1]):
        i, q = places[row, m], x[row, m].astype("float64") @ w["query/kernel"][:, n]
        scores = np.zeros(keys.shape[1])
        for j in range(keys.shape[1]):
            far = distance(kind, rows, row, before + i - j) @ w["place/kernel"][:, n]
            scores[j] = (q + w["content_bias"][n]) @ (keys[row, j] @ w["key/kernel"][:, n])
            scores[j] += (q + w["place_bias"][n]) @ far
            if "segment_ids" in context:
                segments = [0] * before + list(context["segment_ids"][row])
                other = int(segments[before + i] != segments[j])
                scores[j] += (q + w["segment_bias"][n]) @ w["segments"][other, n]
        seen = np.array([not hidden(kind, context, row, i, j, before, "content" not in context)
                         for j in range(keys.shape[1])])
        scores = np.where(seen, scores / np.sqrt(size), -np.inf) if seen.any() else np.zeros(len(seen))
        share = np.exp(scores - scores.max())
        shares[row, n, i] = share / share.sum()
        found[row, m] += w["output/kernel"][:, n] @ (shares[row, n, i] @ (keys[row] @ w["value/kernel"][:, n]))
    return found, shares


KINDS = [Relative(), Relative(causal=True), Relative(causal=True, same_length=True), Relative(clamp=2),
         Relative(mirrored=True), Relative(causal=True, clamp=1, mirrored=True)]
ENTRIES = ("segment_ids", "padding_mask", "permutation_mask")


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32), rows=st.integers(1, 3), length=st.integers(1, 4),
       before=st.integers(0, 3), heads=st.integers(1, 2), queries=st.none() | st.integers(1, 4),
       entries=st.sets(st.sampled_from(ENTRIES)))
def test_equals_the_equation(kind, seed, rows, length, before, heads, queries, entries):
    """One head is a case of its own: see `content_scores`."""
    attention = layer(kind, heads)
    queries = None if queries is None else min(queries, length)
    x, context = batch(np.random.default_rng(seed), rows, length, before, queries, entries)
    found, shares = attention(x, context=context, trace=True)
    wanted, wanted_shares = by_numpy(attention, x, context)
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    if queries is None:
        np.testing.assert_allclose(shares, wanted_shares, atol=2e-5)


@pytest.mark.parametrize("fault", ["content_bias", "place_bias", "segment_bias", "segments", "place/kernel", "mems"])
def test_a_planted_fault_is_seen(fault):
    attention = layer()
    x, context = batch(np.random.default_rng(0), before=2, entries=ENTRIES[:1])
    wanted, _ = by_numpy(attention, x, context)
    if fault == "mems":
        context["mems"] = context["mems"][:, ::-1]
    else:
        weight = next(weight for weight in attention.weights if fault in weight.path)
        weight.assign(weight * 1.5)
    assert np.abs(np.asarray(attention(x, context=context)) - wanted).max() > 1e-3


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(0, 4), st.integers(0, 2**32))
def test_the_slide_takes_each_row_at_its_distance(length, before, seed):
    both = before + 2 * length
    x = np.random.default_rng(seed).standard_normal((2, 3, length, both)).astype("float32")
    wanted = np.stack([x[:, :, i, length - i:length - i + before + length] for i in range(length)], axis=2)
    np.testing.assert_array_equal(relative_shift(x), wanted)


def test_a_token_sees_itself_whatever_the_masks_say_and_a_query_does_not():
    attention = layer()
    x, context = batch(np.random.default_rng(1), length=3)
    alone = {**context, "permutation_mask": np.ones((2, 3, 3), "float32")}
    _, shares = attention(x, context=alone, trace=True)
    shares, itself = np.asarray(shares), np.broadcast_to(np.eye(3), (2, 2, 3, 3))
    assert (shares[itself == 0] == 0).all()
    np.testing.assert_allclose(shares[itself == 1], 1, rtol=1e-6)           # 1, save for the last bit
    mapping = np.broadcast_to(np.eye(3, dtype="float32"), (2, 3, 3))
    others = {"content": x, "target_mapping": mapping, "permutation_mask": mapping}
    _, shares = attention(x, context=others, trace=True)
    assert (np.asarray(shares)[:, :, range(3), range(3)] == 0).all()


def test_the_sum_of_a_target_that_stands_nowhere_is_no_vector():
    attention = layer()
    x, context = batch(np.random.default_rng(2), targets=2)
    context["target_mapping"][:, 1] = 0
    found = np.asarray(attention(x, context=context))
    assert (found[:, 1] == 0).all() and (found[:, 0] != 0).all()


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(KINDS[:4]), st.integers(0, 2**32))
def test_padding_never_reaches_a_real_token(kind, seed):
    rng, attention = np.random.default_rng(seed), layer(kind)
    x, context = batch(rng, entries=("padding_mask", "segment_ids"))
    real = context["padding_mask"] > 0
    other = np.where(real[..., None], x, rng.standard_normal(x.shape).astype("float32"))
    found, again = (np.asarray(attention(each, context=context))[real] for each in (x, other))
    np.testing.assert_array_equal(found, again)


def test_no_array_is_larger_than_scores_by_distance():
    """A form that gave each pair of tokens a vector would hold T·T·D numbers: 262,144 here, not 16,384."""
    length, width, heads = 64, 64, 2
    config = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=heads, hidden_dim=width, intermediate_dim=8)
    attention = RelativeAttention(config, Relative(), name="attention")
    context = {"segment_ids": tf.TensorSpec((1, length), "int32"), "padding_mask": tf.TensorSpec((1, length), "int32")}
    graph = tf.function(lambda x, context: attention(x, context=context)).get_concrete_function(
        tf.TensorSpec((1, length, width)), context).graph
    sizes = [output.shape.num_elements() for operation in graph.get_operations() for output in operation.outputs
             if output.shape.rank]
    assert max(sizes) == heads * length * 2 * length


@pytest.mark.parametrize("kind", KINDS, ids=range(len(KINDS)))
def test_gradients_are_numbers_even_where_nothing_is_seen(kind):
    attention = layer(kind)
    x, context = batch(np.random.default_rng(3), targets=3, entries=ENTRIES)
    context["padding_mask"][0] = 0
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(attention(x, context=context) ** 2)
    gradients = tape.gradient(loss, [weight.value for weight in attention.trainable_weights])
    assert all(np.isfinite(np.asarray(gradient)).all() for gradient in gradients)
    assert sum(float(tf.norm(gradient) > 1e-6) for gradient in gradients) >= 8


def test_half_precision_stays_near():
    config = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=WIDTH, intermediate_dim=8)
    half = drawn(RelativeAttention(config, Relative(), name="attention", dtype="mixed_bfloat16"), (None, None, WIDTH))
    x, context = batch(np.random.default_rng(4), before=2, entries=ENTRIES)
    found = np.asarray(half(x, context=context), "float32")
    assert np.abs(found - np.asarray(layer()(x, context=context))).max() < 0.1


def test_an_odd_width_is_refused():
    config = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=3, hidden_dim=9, intermediate_dim=8)
    with pytest.raises(Error, match="hidden_dim=9 is odd"):
        RelativeAttention(config, Relative())

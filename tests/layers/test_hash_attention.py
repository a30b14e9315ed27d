"""Local and hashed attention against the definition: each query sees the keys of the chunks around it, no others."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Axial, Hash, Local
from bertkit.layers.embeddings import AxialPosition
from bertkit.layers.hash_attention import HashAttention, factor_choices, hash_buckets
from bertkit.layers.local_attention import LocalAttention
from tests.layers.drawn import drawn, named

HEADS, SIZE, WIDTH = 2, 3, 8
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")


def layer(kind, *others, dtype="float64", longest=64):
    config = EncoderConfig(9, 1, HEADS, WIDTH, 4, longest, head_size=SIZE, qkv_bias=False, attention=(kind, *others))
    made = {Local: LocalAttention, Hash: HashAttention}[type(kind)](config, kind, dtype=dtype)
    return drawn(made, (None, None, WIDTH))


def neighbours(places, chunk, before, after):
    """Return for each place in a row of tokens the places that its chunk sees, some of them twice in a short ring."""
    count = places // chunk
    return [[k for step in range(-before, after + 1)
             for k in range(*(((i // chunk + (step if abs(step) < count else 0)) % count + side) * chunk
                              for side in (0, 1)))] for i in range(places)]


def rounds_by_definition(kind, weights, x, mask, whole, buckets):
    """Return one row's output [T,D], query by query: [(z, o) of each round], combined by exp(z)."""
    def split(name):
        return (x @ weights[f"{name}/kernel"]).reshape(-1, HEADS, SIZE).swapaxes(0, 1)

    hashed, tokens = isinstance(kind, Hash), len(x)
    query = split("query_key" if hashed else "query")
    key = query / np.sqrt((query ** 2).mean(-1, keepdims=True) + 1e-6) if hashed else split("key")
    value, mixed = split("value"), np.zeros((tokens, HEADS, SIZE))
    for head in range(HEADS):
        orders = [np.argsort(b, kind="stable") for b in buckets[head]] if hashed else [np.arange(whole)]
        order = np.concatenate(orders)
        seen = neighbours(len(order), kind.chunk, kind.before, kind.after)
        found = {i: [] for i in range(tokens)}
        for slot, i in enumerate(order):
            if i >= tokens or not mask[i]:
                continue
            keys = [order[k] for k in seen[slot]]
            keys = [j for j in keys if j < tokens and mask[j] and (j <= i or not kind.causal)]
            scores = np.array([-1e5 if hashed and j == i else query[head, i] @ key[head, j] / np.sqrt(SIZE)
                               for j in keys])
            z = scores.max() + np.log(np.exp(scores - scores.max()).sum())
            found[i].append((z, np.exp(scores - z) @ value[head, keys]))
        for i, parts in found.items():
            if parts:
                z = np.array([part[0] for part in parts])
                share = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
                mixed[i, head] = share @ np.array([part[1] for part in parts])
    return mixed.reshape(tokens, -1) @ weights["output/kernel"]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_equals_the_definition(data):
    chunk, other = data.draw(st.integers(2, 4)), data.draw(st.integers(2, 4))
    kind = data.draw(st.sampled_from([Local(chunk), Hash(chunk, buckets=4), Hash(chunk, buckets=4, hashes=2)]))
    changes = {"before": data.draw(st.integers(0, 2)), "after": data.draw(st.integers(0, 2)),
               "causal": data.draw(st.booleans())}
    kind = type(kind)(**{**kind.__dict__, **changes})
    whole = np.lcm(chunk, other) * data.draw(st.integers(2, 3))
    tokens = whole - data.draw(st.integers(0, min(chunk, other) - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, mask = rng.standard_normal((2, tokens, WIDTH)), (rng.random((2, tokens)) < 0.7).astype("int32")
    buckets = rng.integers(0, 5, (2, HEADS, getattr(kind, "hashes", 1), whole))
    made = layer(kind, Local(other))
    context = {"padding_mask": mask, "buckets": buckets.reshape(2, HEADS, -1).astype("int32")}
    found = np.asarray(made(x, context=context))
    for row in range(2):
        wanted = rounds_by_definition(kind, named(made), x[row], mask[row], whole, buckets[row])
        np.testing.assert_allclose(found[row][mask[row] > 0], wanted[mask[row] > 0], atol=1e-9)


@pytest.mark.parametrize("kind", [Local(5, before=0), Hash(5, before=0, hashes=2), Hash(5, causal=True)])
@pytest.mark.parametrize("tokens", [1, 4, 5])
def test_a_short_text_attends_in_full(kind, tokens):
    made, x = layer(kind), np.random.default_rng(0).standard_normal((1, tokens, WIDTH))
    one_chunk = type(kind)(**{**kind.__dict__, "before": 0, "after": 0, "causal": kind.causal})
    wanted = rounds_by_definition(one_chunk, named(made), x[0], np.ones(tokens), 5,
                                  np.zeros((HEADS, getattr(kind, "hashes", 1), 5)))
    np.testing.assert_allclose(np.asarray(made(x, context={}))[0], wanted, atol=1e-9)


@pytest.mark.parametrize("kind", [
    Hash(3, hashes=2, seed=5), *(pytest.param(kind, marks=pytest.mark.slow) for kind in (
        Local(3, after=1), Hash(3, buckets=(2, 4), causal=True), Hash(4, causal=True, hashes=2)))])
def test_a_graph_of_any_length_gives_the_same(kind):
    """Lengths that are known only when it runs: short ones, in full, and long ones, in chunks."""
    made = layer(kind, Local(2), dtype="float32")
    graph = tf.function(lambda x, mask: made(x, context={"padding_mask": mask}), input_signature=[
        tf.TensorSpec((None, None, WIDTH)), tf.TensorSpec((None, None), tf.int32)])
    for tokens in (1, 2, 3, 4, 7, 19):
        x = np.random.default_rng(tokens).standard_normal((2, tokens, WIDTH)).astype("float32")
        mask = (np.arange(tokens) < [[tokens], [max(1, tokens - 3)]]).astype("int32")
        ours, eager = np.asarray(graph(x, mask)), np.asarray(made(x, context={"padding_mask": mask}))
        np.testing.assert_allclose(ours[mask > 0], eager[mask > 0], atol=2e-6)


@pytest.mark.parametrize("kind", [Local(3, after=1), Hash(3, hashes=2), Hash(3, causal=True)])
@pytest.mark.parametrize("tokens", [3, 10])
def test_padding_never_reaches_a_real_token(kind, tokens):
    made, rng = layer(kind, Local(4)), np.random.default_rng(1)
    x, mask = rng.standard_normal((2, tokens, WIDTH)), np.ones((2, tokens), "int32")
    mask[0, -2:] = mask[1, :1] = 0
    other = np.where(mask[..., None], x, 1e3 * rng.standard_normal(x.shape))
    one, two = (np.asarray(made(each, context={"padding_mask": mask})) for each in (x, other))
    np.testing.assert_array_equal(one[mask > 0], two[mask > 0])
    assert np.isfinite(two).all()


@pytest.mark.parametrize("kind", [Local(3), Hash(3, hashes=2, seed=1), Hash(3, causal=True)])
@pytest.mark.parametrize("tokens", [3, 8])
def test_the_trace_is_what_values_are_mixed_by(kind, tokens):
    made, x = layer(kind), np.random.default_rng(3).standard_normal((2, tokens, WIDTH))
    y, probabilities = (np.asarray(part) for part in made(x, context={}, trace=True))
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-9)
    assert probabilities.shape == (2, HEADS, tokens, tokens)
    assert not kind.causal or np.abs(np.triu(probabilities, 1)).max() == 0
    weights = named(made)
    value = (x @ weights["value/kernel"]).reshape(2, tokens, HEADS, SIZE).swapaxes(1, 2)
    again = (probabilities @ value).swapaxes(1, 2).reshape(2, tokens, -1) @ weights["output/kernel"]
    np.testing.assert_allclose(y, again, atol=1e-9)


def test_hashes_are_the_nearest_of_random_directions():
    """h(x) = argmax [xR; −xR] (Kitaev et al. 2020, section 2), one digit for each factor."""
    rng = np.random.default_rng(0)
    vectors, rotations = rng.standard_normal((2, HEADS, 5, SIZE)), rng.standard_normal((HEADS, SIZE, 3, 4))
    found = np.asarray(hash_buckets(vectors, rotations, (2, 6)))
    assert found.shape == (2, HEADS, 3, 5) and 0 <= found.min() and found.max() < 12
    for row, head, round_, token in np.ndindex(*found.shape):
        turned = vectors[row, head, token] @ rotations[head, :, round_]
        low, high = (np.argmax([*part, *-part]) for part in (turned[:1], turned[1:]))
        assert found[row, head, round_, token] == low + 2 * high


@pytest.mark.parametrize("longest, chunk, wanted", [
    (64, 8, [(4,), (8,), (16,)]),
    (4096, 4, [(4,), (8,), (16,), (32,), (64,), (8, 16), (16, 16), (16, 32), (32, 32), (32, 64)])])
def test_the_number_of_hashes_follows_the_length(longest, chunk, wanted):
    """family-spec 3.4: 2^⌊log₂(2 · chunks)⌋, in two factors above 2 · max(⌊√(longest / chunk)⌋, chunk)."""
    assert factor_choices(Hash(chunk), longest // chunk, longest) == wanted


def test_a_draw_is_anew_in_training_only_and_a_seed_fixes_it():
    x = np.random.default_rng(0).standard_normal((1, 40, WIDTH))

    def same(kind, training):
        made = layer(kind)
        made.drop.rate = 0
        return np.array_equal(*(np.asarray(made(x, context={}, training=training)) for _ in range(2)))

    assert same(Hash(4), False) and same(Hash(4, seed=3), True) and not same(Hash(4), True)
    assert not np.array_equal(*(np.asarray(layer(Hash(4, seed=seed))(x, context={})) for seed in (1, 2)))


def test_buckets_of_another_length_are_refused():
    with pytest.raises(Error, match="buckets holds 9 numbers for each head; wanted 2 rounds of 12 tokens"):
        layer(Hash(4, hashes=2))(np.zeros((1, 9, WIDTH)), context={"buckets": np.zeros((1, HEADS, 9), "int32")})


@pytest.mark.parametrize("kind, wrong", [
    (Hash(buckets=7), "even numbers"), (Hash(buckets=(2, 3)), "even numbers"), (Hash(buckets=()), "even numbers"),
    (Hash(hashes=0), "give 1 or more"), (Hash(dropout=1.0), "a probability below 1"), (Local(chunk=0), "1 or more")])
def test_what_cannot_be_is_told(kind, wrong):
    with pytest.raises(Error, match=wrong):
        EncoderConfig(9, 1, 2, 8, 4, attention=kind)


def test_axial_positions_are_rows_beside_columns():
    """P[a · s + c] = [rows[a]; columns[c]] (family-spec 3.4)."""
    config = EncoderConfig(9, 1, 2, 5, 4, 12, head_size=2, positions=Axial((3, 4), (2, 3)))
    made = drawn(AxialPosition(config, 5), None)
    rows, columns = (np.asarray(weight) for weight in (made.rows, made.columns))
    table = np.array([[*rows[p // 4, 0], *columns[0, p % 4]] for p in range(12)])
    np.testing.assert_array_equal(made(np.zeros((2, 9), "int32"))[0], table[:9])
    np.testing.assert_array_equal(made(np.zeros((1, 2), "int32"), np.array([[11, 5]]))[0], table[[11, 5]])
    with pytest.raises(Error, match=r"\(axial_pos_embds_dim\) add up to 5, and tokens have 6"):
        AxialPosition(config, 6)

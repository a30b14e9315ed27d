"""Blocks with bottlenecks, in each form that a config can ask for, against numpy in double precision."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Bottleneck, Window
from bertkit.layers.bottleneck import BottleneckBlock
from tests.layers.drawn import dense, drawn, layer_norm, named

CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=6, intermediate_dim=5,
                       activation="relu", layer_norm_epsilon=1e-2)
X = np.random.default_rng(1).standard_normal((2, 4, 6))
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]])
FORMS = [Bottleneck(width, feeds, shared, narrow, affine) for (width, feeds), shared, narrow, affine in
         itertools.product(((4, 3), (None, 2)), (True, False), (True, False), (True, False))] + [Bottleneck(4, 1)]


def block(kind, **changes):
    return drawn(BottleneckBlock(CONFIG.but(block=kind, **changes), dtype="float64", name="block"), (None, None, 6))


def attend(w, keys, values, width):
    """Return softmax(QKᵀ/√H)V of two heads, queries and keys of one sequence and values of another."""
    half, merged, tables = width // 2, np.zeros((*keys.shape[:2], width)), []
    for head in range(2):
        part = slice(half * head, half * head + half)
        query, key = (dense(w, f"attention/{name}", keys)[..., part] for name in ("query", "key"))
        weights = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(half)) * MASK[:, None]
        tables.append(weights / weights.sum(-1, keepdims=True))
        merged[..., part] = tables[-1] @ dense(w, "attention/value", values)[..., part]
    return dense(w, "attention/output", merged), np.stack(tables, axis=1)


def by_numpy(w, kind, torch_epsilon=1e-5):
    """Return (y, probabilities), family-spec 3.5 line by line."""
    def norm(name, x, epsilon=1e-2):
        return x * w[f"{name}/gamma"] + w[f"{name}/beta"] if kind.affine else layer_norm(w, name, x, epsilon)

    within = X if kind.width is None else norm("entry/norm", dense(w, "entry/dense", X))
    keys, values = X, X
    if kind.width is not None and kind.narrow:
        keys, values = within, within
    elif kind.width is not None and kind.shared:
        keys = norm("key_entry/norm", dense(w, "key_entry/dense", X))
    attended, probabilities = attend(w, keys, values, kind.width or 6)
    a = norm("attention_norm", attended + within)
    for i in range(kind.feeds):
        name, epsilon = (f"feed_{i}", 1e-2) if i < kind.feeds - 1 else ("last_feed", torch_epsilon)
        fed = dense(w, f"{name}/outer", np.maximum(dense(w, f"{name}/inner", a), 0))
        a = norm(f"{name}/norm", fed + a, epsilon)
    return (a if kind.width is None else norm("exit/norm", dense(w, "exit/dense", a) + X)), probabilities


@pytest.mark.parametrize("kind", FORMS, ids=str)
def test_equals_numpy_in_double_precision(kind):
    layer = block(kind)
    found = layer(X, context={"padding_mask": MASK}, trace=True)
    for ours, theirs in zip(found, by_numpy(named(layer), kind), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("fault", [
    lambda w: by_numpy({**w, "entry/norm/gamma": w["key_entry/norm/gamma"]}, Bottleneck(4, 2, affine=False)),
    lambda w: by_numpy(w, Bottleneck(4, 2, affine=False), torch_epsilon=1e-2),
    lambda w: by_numpy(w, Bottleneck(4, 1, affine=False)), lambda w: by_numpy(w, Bottleneck(4, 2, affine=True))],
    ids=["entries swapped", "epsilon", "feeds", "affine"])
def test_a_planted_fault_is_seen(fault):
    layer = block(Bottleneck(4, 2, affine=False))
    found = np.asarray(layer(X, context={"padding_mask": MASK}))
    assert np.abs(found - fault(named(layer))[0]).max() > 1e-4


@pytest.mark.parametrize("kind", [kind for kind in FORMS if kind.affine], ids=str)
def test_every_weight_that_is_used_has_a_gradient(kind):
    layer = block(kind)
    unused = "key_entry" if kind.width and kind.shared and kind.narrow else "nothing"
    assert {name for name in named(layer) if unused in name} == set(named(layer)) - {
        weight.path.removeprefix("block/") for weight in layer.trainable_weights}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(X, context={"padding_mask": MASK})[:, 0] ** 2)
    gradients = tape.gradient(loss, [weight.value for weight in layer.trainable_weights])
    for weight, gradient in zip(layer.trainable_weights, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), weight.path


def test_padding_never_reaches_a_real_token():
    layer, other = block(Bottleneck(4)), np.where(MASK[..., None] > 0, X, 50.0)
    found = [np.asarray(layer(x, context={"padding_mask": MASK})) for x in (X, other)]
    np.testing.assert_array_equal(found[0][MASK > 0], found[1][MASK > 0])
    assert (found[0][MASK == 0] != found[1][MASK == 0]).all()


def test_rates_fall_where_the_released_code_has_them():
    """With a bottleneck on its way out alone, without one behind attention and the last feed-forward network."""
    narrow, wide = block(Bottleneck(4), dropout=0.5), block(Bottleneck(None), dropout=0.5)
    assert (narrow.entry.drop.rate, narrow.exit.drop.rate, narrow.drop.rate) == (0, 0.5, 0)
    assert [feed.drop.rate for feed in narrow.feeds] == [0, 0, 0, 0]
    assert (wide.drop.rate, [feed.drop.rate for feed in wide.feeds]) == (0.5, [0, 0, 0, 0.5])


def test_another_attention_is_refused():
    with pytest.raises(Error, match=r"attends to all tokens, not by Window\(size=2\); give Full"):
        block(Bottleneck(4), attention=Window(2))


def test_the_width_inside_is_a_multiple_of_the_heads():
    assert CONFIG.but(block=Bottleneck(4), hidden_dim=7).head_dim == 2
    with pytest.raises(Error, match="block.width=5 is not a multiple of num_heads=2; 4 and 6 are"):
        CONFIG.but(block=Bottleneck(5))

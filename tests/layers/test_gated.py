"""The pre-norm block with a gated feed-forward, against numpy in double precision."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import erf

from bertkit.config import EncoderConfig
from bertkit.kinds import GatedPost, Grouped, PreNorm, RootPreNorm, Rotary
from bertkit.layers.gated import GatedBlock, GatedPostBlock, RootGatedBlock
from tests.layers.drawn import dense, drawn, layer_norm, named
from tests.layers.test_rotary_attention import by_numpy as attention_by_numpy

CONFIG = EncoderConfig(vocabulary_size=9, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=5, qkv_bias=False,
                       layer_norm_epsilon=1e-3, attention=(Rotary(50.0), Rotary(10.0, 2)), positions=None,
                       block=PreNorm())
X = np.random.default_rng(1).standard_normal((2, 7, 8))
MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0]])
BIASED = CONFIG.but(block=PreNorm(norm_bias=True, feed_bias=True), qkv_bias=True)


def block(config, index):
    return drawn(GatedBlock(config, index, dtype="float64", name="block"), (None, None, 8))


def by_numpy(w, index, gate_first=False, epsilon=1e-3):
    """Return (y, probabilities) from the paper's words, Shazeer 2020's equation for the feed-forward."""
    normed = layer_norm(w, "attention_norm", X, epsilon) if index else X
    inside = {name.removeprefix("attention/"): values for name, values in w.items() if name.startswith("attention/")}
    attended, probabilities = attention_by_numpy(inside, CONFIG.attention[index], normed, MASK)
    a = X + attended
    halves = dense(w, "inner", layer_norm(w, "feed_norm", a, epsilon))
    s, t = (halves[..., 5:], halves[..., :5]) if gate_first else (halves[..., :5], halves[..., 5:])
    return a + dense(w, "outer", s / 2 * (1 + erf(s / np.sqrt(2))) * t), probabilities


@pytest.mark.parametrize("config", [CONFIG, BIASED], ids=["no bias", "biased"])
@pytest.mark.parametrize("index", [0, 1])
def test_equals_numpy_in_double_precision(config, index):
    layer = block(config, index)
    y, probabilities = layer(X, context={"padding_mask": MASK}, trace=True)
    wanted, weights = by_numpy(named(layer), index)
    np.testing.assert_allclose(np.asarray(y)[MASK > 0], wanted[MASK > 0], atol=1e-6)
    np.testing.assert_allclose(np.asarray(probabilities).swapaxes(1, 2)[MASK > 0],
                               weights.swapaxes(1, 2)[MASK > 0], atol=1e-6)
    biases = [name for name in named(layer) if name.endswith(("bias", "beta"))]
    assert bool(biases) == (config is BIASED) and ("attention_norm/gamma" in named(layer)) == bool(index)


@pytest.mark.parametrize("fault", [{"gate_first": True}, {"epsilon": 1e-5}], ids=str)
def test_a_planted_fault_is_seen(fault):
    layer = block(CONFIG, 1)
    found = np.asarray(layer(X, context={"padding_mask": MASK}))
    assert np.abs(found - by_numpy(named(layer), 1, **fault)[0])[MASK > 0].max() > 1e-4


def test_every_weight_has_a_gradient():
    layer = block(BIASED, 1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(X, context={"padding_mask": MASK}, training=True)[:, 0] ** 2)
    gradients = tape.gradient(loss, [weight.value for weight in layer.trainable_weights])
    for weight, gradient in zip(layer.trainable_weights, gradients, strict=True):
        assert gradient is not None and np.isfinite(gradient).all(), weight.path
        assert np.abs(gradient).max() > 0, weight.path


def test_rates_fall_where_the_released_code_has_them():
    """Behind attention that of attention, inside the feed-forward its own; with all dropped y is x."""
    layer = block(CONFIG.but(attention_dropout=0.5, block=PreNorm(feed_dropout=0.25)), 0)
    assert (layer.attention_drop.rate, layer.drop.rate, layer.attention.drop.rate) == (0.5, 0.25, 0.5)
    layer.attention_drop = layer.drop = lambda x, training: 0 * x
    np.testing.assert_array_equal(layer(X, context={}, training=True), X)


@pytest.mark.parametrize("biased", [False, True])
def test_the_post_norm_block_equals_numpy_in_double_precision(biased):
    """Nussbaum et al. 2024: norms after each sum, SwiGLU of two matrices."""
    config = CONFIG.but(block=GatedPost(feed_bias=biased), activation="silu", qkv_bias=biased, attention=Rotary(50.0))
    layer = drawn(GatedPostBlock(config, 1, dtype="float64", name="block"), (None, None, 8))
    w = named(layer)
    inside = {name.removeprefix("attention/"): values for name, values in w.items() if name.startswith("attention/")}
    attended, probabilities = attention_by_numpy(inside, config.attention, X, MASK)
    a = layer_norm(w, "attention_norm", X + attended, 1e-3)
    gate = dense(w, "gate", a)
    feed = dense(w, "outer", gate / (1 + np.exp(-gate)) * dense(w, "inner", a))
    wanted = layer_norm(w, "output_norm", a + feed, 1e-3)
    found = layer(X, context={"padding_mask": MASK}, trace=True)
    for ours, theirs in zip(found, (wanted, probabilities), strict=True):
        ours, theirs = (np.asarray(each).swapaxes(1, -2)[MASK > 0] for each in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert ("inner/bias" in w) == ("gate/bias" in w) == biased


def test_a_block_answers_for_some_places_alone():
    layer, places = block(CONFIG.but(attention=Rotary(50.0)), 1), np.array([[6, 2], [0, 1]])
    context = {"padding_mask": MASK}
    wanted = np.asarray(layer(X, context=context))
    found = layer(X, context={**context, "query_positions": tf.constant(places, tf.int32)})
    np.testing.assert_allclose(np.asarray(found), np.take_along_axis(wanted, places[:, :, None], 1), atol=1e-6)


@pytest.mark.parametrize("biased", [False, True])
def test_the_block_with_rms_norms_equals_numpy_in_double_precision(biased):
    """Touvron et al. 2023: both norms without a mean taken away, in block 0 too; SwiGLU of three matrices."""
    config = CONFIG.but(block=RootPreNorm(feed_bias=biased), activation="silu", qkv_bias=biased,
                        attention=Grouped(50.0))
    layer = drawn(RootGatedBlock(config, 0, dtype="float64", name="block"), (None, None, 8))
    w = named(layer)

    def root(name, x):
        return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + 1e-3) * w[f"{name}/gamma"]

    inside = {name.removeprefix("attention/"): values for name, values in w.items() if name.startswith("attention/")}
    inside |= {f"qkv/{part}": np.concatenate([inside[f"{name}/{part}"] for name in ("query", "key", "value")], -1)
               for part in ("kernel", "bias")[:1 + biased]}
    attended, probabilities = attention_by_numpy(inside, Rotary(50.0), root("attention_norm", X), MASK)
    a = X + attended
    gate = dense(w, "gate", root("feed_norm", a))
    wanted = a + dense(w, "outer", gate / (1 + np.exp(-gate)) * dense(w, "inner", root("feed_norm", a)))
    found = layer(X, context={"padding_mask": MASK}, trace=True)
    for ours, theirs in zip(found, (wanted, probabilities), strict=True):
        ours, theirs = (np.asarray(each).swapaxes(1, -2)[MASK > 0] for each in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert ("inner/bias" in w) == ("gate/bias" in w) == ("outer/bias" in w) == biased


def test_rates_of_the_block_with_rms_norms_are_the_configs():
    layer = RootGatedBlock(CONFIG.but(block=RootPreNorm(), attention=Grouped(), dropout=0.25, attention_dropout=0.5))
    assert (layer.attention_drop.rate, layer.drop.rate, layer.attention.drop.rate) == (0.25, 0.25, 0.5)

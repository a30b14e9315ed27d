"""Reversible blocks: the equations, their way back, and a backward pass that computes again what it did not keep."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bertkit.encoder import Encoder
from bertkit.family import reformer
from bertkit.kinds import Axial, Full, Hash, Local
from bertkit.layers import trunk
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.attention import EXACT
from bertkit.layers.reversible import ReversibleBlock, run_reversible
from tests.layers.drawn import dense, drawn, layer_norm, named

CONFIG = reformer.CONFIG.but(
    vocabulary_size=31, num_layers=3, num_heads=2, head_size=3, hidden_dim=8, intermediate_dim=12,
    max_sequence_length=30, positions=Axial((5, 6), (3, 5)), dropout=0.1, attention_dropout=0.1, activation="gelu_erf",
    attention=(Hash(4, hashes=2, dropout=0.1), Local(3)))
RNG = np.random.default_rng(0)
BATCH = {"token_ids": RNG.integers(1, 31, (2, 17)).astype("int32"),
         "padding_mask": (np.arange(17) < [[17], [9]]).astype("int32")}
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")


def test_a_block_is_its_equations():
    """y₁ = x₁ + attention(LN(x₂)), y₂ = x₂ + W₂ act(W₁ LN(y₁)); x₂ = y₂ − feed(y₁), x₁ = y₁ − attend(x₂) lead back."""
    block = drawn(ReversibleBlock(CONFIG, dtype="float64"), (None, None, 8))
    first, hidden = RNG.standard_normal((2, 2, 17, 8))
    context, weights = {"padding_mask": BATCH["padding_mask"]}, named(block)
    state = block({"first": first, "hidden": hidden}, context=context)
    attended = block.attention(layer_norm(weights, "attention_norm", hidden, 1e-12), context=context)
    y = first + np.asarray(attended)
    inner = np.asarray(FUNCTIONS["gelu_erf"](dense(weights, "inner", layer_norm(weights, "feed_norm", y, 1e-12))))
    np.testing.assert_allclose(state["first"], y, atol=1e-9)
    np.testing.assert_allclose(state["hidden"], hidden + dense(weights, "outer", inner), atol=1e-9)
    back = np.asarray(state["hidden"]) - np.asarray(block.feed(state["first"]))
    np.testing.assert_allclose(back, hidden, atol=1e-9)
    np.testing.assert_allclose(np.asarray(state["first"]) - np.asarray(block.attend(back, context)), first, atol=1e-9)


def test_the_last_norm_is_over_both_streams_and_the_trace_is_the_second():
    encoder = drawn(Encoder(CONFIG, dtype="float64"))
    found = encoder(BATCH, trace=True)
    assert found["sequence"].shape == (2, 17, 16)
    assert {found["trace"][f"hidden/{i}"].shape for i in range(4)} == {(2, 17, 8)}
    assert {found["trace"][f"attention/{i}"].shape for i in range(1, 4)} == {(2, 2, 17, 17)}


def gradients(encoder, batch, seeds, plain):
    """Return (outputs, the gradient of every weight) in training, from these states of the random generators on."""
    for variable, value in seeds:
        variable.assign(value)
    ways = dict(trunk.TOGETHER)
    try:
        if plain:
            trunk.TOGETHER.clear()
        with tf.GradientTape() as tape:
            outputs = encoder(batch, training=True)["sequence"]
            loss = tf.reduce_sum(tf.sin(outputs) * tf.cast(batch["padding_mask"][..., None], outputs.dtype))
        found = tape.gradient(loss, [weight.value for weight in encoder.trainable_weights])
    finally:
        trunk.TOGETHER.update(ways)
    return [outputs, *(tf.convert_to_tensor(each) for each in found)]


def both_ways(config, dtype, graph=False):
    """Return the results of the plain form and of the one that computes again, and the generators after each."""
    encoder = drawn(Encoder(config, dtype=dtype))
    weights = {id(weight) for weight in encoder.weights}
    generators = [variable for variable in encoder.variables if id(variable) not in weights]
    seeds, results = [(each, each.numpy().copy()) for each in generators], []
    for plain in (True, False):
        def step(batch, plain=plain):
            return gradients(encoder, batch, seeds, plain)

        if graph:
            step = tf.function(step, input_signature=[
                {name: tf.TensorSpec((None, None), tf.int32) for name in BATCH}], autograph=False)
        found = step({name: tf.constant(values) for name, values in BATCH.items()})
        results.append(([np.asarray(each) for each in found], [each.numpy().tolist() for each in generators]))
    return results


@pytest.mark.parametrize("dtype, tolerance, graph", [
    ("float64", 1e-9, False), ("float32", 1e-5, False), ("float64", 1e-9, True)])
def test_gradients_are_those_of_the_plain_form(dtype, tolerance, graph):
    """Dropout and hashes are drawn once; tolerance relative to the largest gradient of all."""
    (plain, after), (again, after_again) = both_ways(CONFIG.but(num_layers=2 if graph else 3), dtype, graph)
    assert after == after_again
    np.testing.assert_allclose(again[0], plain[0], atol=1e-6 if dtype == "float32" else 1e-12)
    largest = max(np.abs(each).max() for each in plain[1:])
    assert np.isfinite(largest) and all(np.abs(each).max() > 0 for each in plain[1:])
    assert max(np.abs(a - b).max() for a, b in zip(plain[1:], again[1:], strict=True)) < tolerance * largest


def test_dropout_that_is_drawn_again_would_be_seen(monkeypatch):
    """The planted fault: the backward pass draws other seeds."""
    from bertkit.layers.accelerated import reversible_tensorflow
    monkeypatch.setattr(reversible_tensorflow, "delay", lambda x, zero: x + tf.cast(x.dtype.is_integer, x.dtype))
    with pytest.raises(AssertionError):
        test_gradients_are_those_of_the_plain_form("float64", 1e-9, False)


def test_other_attention_may_stand_in_reversible_blocks():
    config = CONFIG.but(attention=Full(), head_size=4, attention_dropout=0.0, dropout=0.0)
    (plain, _), (again, _) = both_ways(config, "float64")
    assert max(np.abs(a - b).max() for a, b in zip(plain, again, strict=True)) < 1e-9


def test_half_precision_keeps_what_it_needs(monkeypatch):
    """y − f(x) loses too much there, so the plain form is taken; with float32 it is the other."""
    from bertkit.layers.accelerated import reversible_tensorflow
    seen = []
    monkeypatch.setattr(reversible_tensorflow, "run_reversible", lambda steps, state, score: seen.append(1) or state)
    for dtype in ("mixed_bfloat16", "float32"):
        block = drawn(ReversibleBlock(CONFIG, dtype=dtype), (None, None, 8))
        x = tf.zeros((1, 5, 8), "bfloat16" if dtype != "float32" else "float32")
        run_reversible([(block, {})], {"first": x, "hidden": x}, EXACT)
        assert len(seen) == (dtype == "float32")


MEMORY = """
import re
import numpy as np, tensorflow as tf
from bertkit.encoder import Encoder
from bertkit.family import reformer
from bertkit.kinds import Axial
from bertkit.layers import trunk

def peak(depth, plain):
    config = reformer.CONFIG.but(vocabulary_size=50, num_layers=depth, num_heads=2, head_size=16, hidden_dim=32,
                                 intermediate_dim=64, positions=Axial((64, 64), (16, 16)))
    encoder = Encoder(config)
    ways = dict(trunk.TOGETHER)
    if plain:
        trunk.TOGETHER.clear()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder({"token_ids": np.ones((4, 2048), "int32")}, training=True)["sequence"] ** 3)
    tape.gradient(loss, [weight.value for weight in encoder.trainable_weights])
    trunk.TOGETHER.update(ways)
    # VmHWM begins anew with the process; what getrusage says begins at the size of the process that started it
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024

print(*(peak(*each) for each in ((2, False), (6, False), (6, True))))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read as Linux gives it")
def test_memory_does_not_grow_with_depth():
    """Peak megabytes of 2 layers, then of 6, then of 6 in the plain form, which keeps what lies inside each."""
    root = Path(__file__).resolve().parents[2]
    found = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, env={
        **os.environ, "PYTHONPATH": str(root), "MALLOC_MMAP_THRESHOLD_": "65536"})
    shallow, deep, plain = map(float, found.stdout.split())
    assert plain - deep > 100 and deep - shallow < 0.15 * (plain - deep)

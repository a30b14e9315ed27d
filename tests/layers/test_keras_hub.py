"""Every public layer in the harness that KerasHub tests its own layers with: config, build, shapes, dtypes."""

import keras
import numpy as np
import pytest

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.decoder import Decoder
from bertkit.layers.attention import SelfAttention
from bertkit.layers.block import Block
from bertkit.layers.bottleneck import BottleneckBlock, Feed, Projection
from bertkit.layers.embeddings import AbsolutePosition, AxialPosition, BareEmbeddings, Embeddings
from bertkit.layers.gated import GatedBlock, RootGatedBlock
from bertkit.layers.grouped_attention import GroupedAttention
from bertkit.layers.hash_attention import HashAttention
from bertkit.layers.local_attention import LocalAttention
from bertkit.layers.norm import NoNorm, RMSNorm
from bertkit.layers.relative_attention import RelativeAttention
from bertkit.layers.reversible import CopyStream, JoinStreams, ReversibleBlock
from bertkit.layers.rotary_attention import RotaryAttention
from bertkit.layers.sparse_attention import SparseAttention
from bertkit.layers.trigram import TrigramEmbeddings
from bertkit.layers.two_stream import LastStream, Streams, TwoStreamBlock
from bertkit.layers.window_attention import WindowAttention

ROWS, LENGTH, WIDTH = 2, 6, 8
CONFIG = EncoderConfig(20, num_layers=2, num_heads=2, hidden_dim=WIDTH, intermediate_dim=16, max_sequence_length=16)
FULL, LOCAL, HASH = kinds.Full(), kinds.Local(chunk=2), kinds.Hash(chunk=2, buckets=4)
NARROW = CONFIG.but(block=kinds.Bottleneck(width=4, feeds=2), inputs=kinds.Trigram(), embedding_dim=4)
BOTH = CONFIG.but(block=kinds.TwoStream(), attention=kinds.Relative(), positions=None)
TWINS = CONFIG.but(block=kinds.Reversible(), positions=kinds.Axial((4, 4), (4, 4)), inputs=kinds.Bare())
ROOT = CONFIG.but(block=kinds.RootPreNorm(), attention=kinds.Grouped(), qkv_bias=False)
PRE = CONFIG.but(block=kinds.PreNorm(), attention=kinds.Rotary())
X = np.random.default_rng(0).standard_normal((ROWS, LENGTH, WIDTH)).astype("float32")
IDS = np.random.default_rng(0).integers(0, 20, (ROWS, LENGTH)).astype("int32")
SAME, DOUBLE = (ROWS, LENGTH, WIDTH), (ROWS, LENGTH, 2 * WIDTH)


def of_tensors(layer, call):
    """Return a form of a layer that takes one tensor, as the harness wants, where it takes a batch or a state."""
    @keras.saving.register_keras_serializable("tests")
    class OfTensors(layer):
        def build(self, shape):
            super().build(shape)

        def call(self, x, training=None):
            return call(super().call, x, training)

    OfTensors.__name__ = OfTensors.__qualname__ = f"{layer.__name__}OfTensors"
    return keras.saving.register_keras_serializable("tests")(OfTensors)


def of_ids(call, ids, training):
    return call({"token_ids": ids}, training=training)


def of_state(call, x, training):
    found = call({"hidden": x, "first": x, "mems": ()}, training=training)
    return found.get("sequence", found.get("hidden")) if isinstance(found, dict) else found


def to_hidden(call, x, training):
    return call(x)["hidden"]


# layer -> (its arguments, input, shape of the output, weights that are trained, others, seeds of dropout)
LAYERS = [
    (SelfAttention, {"config": CONFIG, "kind": FULL}, X, SAME, 8, 0, 1),
    (LocalAttention, {"config": CONFIG.but(attention=LOCAL), "kind": LOCAL}, X, SAME, 8, 0, 1),
    (HashAttention, {"config": CONFIG.but(attention=HASH), "kind": HASH}, X, SAME, 6, 0, 2),
    (RotaryAttention, {"config": PRE, "kind": kinds.Rotary()}, X, SAME, 4, 0, 1),
    (RelativeAttention, {"config": BOTH, "kind": kinds.Relative()}, X, SAME, 9, 0, 1),
    (SparseAttention, {"config": CONFIG, "kind": kinds.Sparse(2, 1), "index": 1}, X, SAME, 8, 0, 1),
    (WindowAttention, {"config": CONFIG, "kind": kinds.Window(2)}, X, SAME, 14, 0, 1),
    (Block, {"config": CONFIG, "index": 1}, X, SAME, 16, 0, 2),
    (GatedBlock, {"config": PRE, "index": 1}, X, SAME, 4 + 2 + 2, 0, 2),
    (BottleneckBlock, {"config": NARROW}, X, SAME, 3 * 4 + 8 + 2 + 2 * 6, 0, 2),
    (Projection, {"config": NARROW, "units": 4, "rate": 0.1}, X, (ROWS, LENGTH, 4), 4, 0, 1),
    (Feed, {"config": CONFIG.but(block=kinds.Bottleneck(width=WIDTH)), "rate": 0.1}, X, SAME, 6, 0, 1),
    (NoNorm, {}, X, SAME, 2, 0, 0),
    (RMSNorm, {}, X, SAME, 1, 0, 0),
    (GroupedAttention, {"config": ROOT, "kind": kinds.Grouped()}, X, SAME, 4, 0, 1),
    (RootGatedBlock, {"config": ROOT}, X, SAME, 4 + 2 + 3, 0, 3),
    (AbsolutePosition, {"config": CONFIG, "width": WIDTH}, IDS, (1, LENGTH, WIDTH), 1, 0, 0),
    (AxialPosition, {"config": TWINS, "width": WIDTH}, IDS, (1, LENGTH, WIDTH), 2, 0, 0),
    (of_tensors(Embeddings, of_ids), {"config": CONFIG}, IDS, SAME, 5, 0, 1),
    (of_tensors(BareEmbeddings, of_ids), {"config": TWINS}, IDS, SAME, 3, 0, 1),
    (of_tensors(TrigramEmbeddings, of_ids), {"config": NARROW}, IDS, SAME, 7, 0, 1),
    (of_tensors(ReversibleBlock, of_state), {"config": TWINS}, X, SAME, 16, 0, 2),
    (of_tensors(JoinStreams, of_state), {"config": TWINS}, X, DOUBLE, 2, 0, 1),
    (of_tensors(CopyStream, to_hidden), {"config": TWINS}, X, SAME, 0, 0, 0),
    (of_tensors(Streams, to_hidden), {"config": BOTH}, X, SAME, 1, 0, 1),
    (of_tensors(TwoStreamBlock, of_state), {"config": BOTH}, X, SAME, 17, 0, 2),
    (of_tensors(LastStream, of_state), {"config": BOTH}, X, SAME, 0, 0, 1),
]
SLOW = (Block, LocalAttention, HashAttention, RotaryAttention, WindowAttention, BottleneckBlock, Projection, Feed)


@pytest.fixture(scope="module")
def harness():
    pytest.importorskip("grain", reason="KerasHub's harness imports grain, which is not installed")
    from keras_hub.src.tests.test_case import TestCase
    case = TestCase("run_layer_test")
    case.setUp()
    return case


@pytest.mark.parametrize("layer, arguments, inputs, shape, trained, others, seeds", [
    pytest.param(*row, id=row[0].__name__, marks=pytest.mark.slow if row[0] in SLOW else ()) for row in LAYERS])
def test_a_layer_keeps_keras_hubs_contract(harness, layer, arguments, inputs, shape, trained, others, seeds):
    harness.run_layer_test(
        layer, arguments, inputs, shape, expected_num_trainable_weights=trained,
        expected_num_non_trainable_weights=others, expected_num_non_trainable_variables=others + seeds,
        run_training_check=layer in (SelfAttention, Block),             # compiles by XLA, which takes seconds
        # What hands its input on has no dtype of its own there: the harness leaves out Keras' cast of inputs.
        run_precision_checks=layer.__name__ not in ("CopyStreamOfTensors", "StreamsOfTensors"))


def test_a_layer_that_loses_an_argument_is_seen(harness):
    class Forgetful(Projection):
        def get_config(self):
            return {**super().get_config(), "rate": self.rate / 2}

    with pytest.raises(AssertionError):
        harness.run_serialization_test(Forgetful(NARROW, units=4, rate=0.1))


def test_the_decoder_comes_back_from_its_config():
    again = Decoder.from_config(Decoder(CONFIG, dtype="mixed_bfloat16").get_config())
    assert again.config == CONFIG.but(attention=kinds.Full(causal=True), pooler=None)
    assert again.blocks[1].cross.compute_dtype == "bfloat16" and again.blocks[1].get_config()["index"] == 1

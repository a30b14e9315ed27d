"""The classifier against recorded logits, losses and gradients, and at its edges."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit import checkpoints
from bertkit.checkpoints.huggingface import LEAVES
from bertkit.checkpoints.tensors import variables, weight_mapping
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import bert
from bertkit.heads import Classifier
from tests.recorded import GOLDEN, assert_equal, calls, traced

CONFIG = EncoderConfig(vocabulary_size=20, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16)
BATCH = {"token_ids": np.arange(12).reshape(2, 6)}


def mean_squared_error(targets, logits):
    return keras.ops.mean((logits[:, 0] - targets) ** 2)


def loss_and_norms(model, call, loss, training=False):
    """Return the loss and {their parameter: norm of its gradient}."""
    ours = variables(model)
    with tf.GradientTape() as tape:
        value = loss(call.others["labels"], model(call.batch, training=training))
    gradients = tape.gradient(value, [variable.value for variable in ours.values()])
    places = weight_mapping(ours, bert.HUGGINGFACE.names, LEAVES)
    norms = {places[path].name: float(tf.norm(tf.convert_to_tensor(gradient)))
             for path, gradient in zip(ours, gradients, strict=True)}
    return float(value), norms


def recorded_norms(call):
    return {name.removeprefix("bert."): float(norm) for name, norm in call.gradient_norms.items()}


def check(folder, tolerance, loss=None):
    model = checkpoints.load(folder)
    for call in calls(folder).values():
        found = traced(model.encoder, call.batch) | {"logits": np.asarray(model(call.batch))}
        assert_equal(found, call, tolerance, besides=("loss",))
        value, norms = loss_and_norms(model, call, loss or model.loss_function())
        assert abs(value - call.outputs["loss"]) < 2e-5
        wanted = recorded_norms(call)
        assert set(norms) == set(wanted)
        # A key's bias shifts every score of a query alike: its gradient is nothing but rounding.
        assert norms == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_equals_the_recorded_logits_loss_and_gradients():
    check(GOLDEN / "bert_tiny_classifier", 1e-5)


@pytest.mark.parametrize("head, loss", [("seqcls", None), ("seqmulti", None), ("seqreg", mean_squared_error)])
def test_equals_the_reference_of_every_kind(shared, head, loss):
    check(shared(f"checkpoints/bert/{head}"), 2e-5, loss)


@pytest.mark.parametrize("fault", ["sum", "dropout", "weight"])
def test_a_planted_fault_is_seen_in_the_gradients(fault):
    folder = GOLDEN / "bert_tiny_classifier"
    model, call = checkpoints.load(folder), calls(folder)["padded"]
    loss = model.loss_function()
    if fault == "sum":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    if fault == "weight":
        kernel = model.encoder.blocks[0].inner.kernel
        kernel.assign(kernel * 1.001)
    _, norms = loss_and_norms(model, call, loss, training=fault == "dropout")
    wanted = recorded_norms(call)
    assert norms != pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_the_recorded_loss_is_of_several_kinds(shared):
    """The loss of one label is squared error, of several a cross entropy: the problem type decides."""
    assert checkpoints.load(shared("checkpoints/bert/seqmulti")).multi_label
    assert not checkpoints.load(shared("checkpoints/bert/seqcls")).multi_label


@pytest.mark.parametrize("dtype, wanted", [("mixed_bfloat16", tf.bfloat16), ("float32", tf.float32)])
def test_logits_follow_the_policy_of_the_head_and_the_loss_is_whole_precision(dtype, wanted):
    model = Classifier(Encoder(CONFIG, dtype="mixed_bfloat16"), ["no", "yes"], dtype=dtype)
    logits = model(BATCH)
    assert logits.dtype == wanted and logits.shape == (2, 2)
    assert model.loss_function()(np.array([0, 1]), logits).dtype == tf.float32


def test_dropout_of_the_head_is_the_encoders_unless_given():
    assert Classifier(Encoder(CONFIG.but(dropout=0.2)), ["a", "b"]).heads["classify"].drop.rate == 0.2
    assert Classifier(Encoder(CONFIG.but(dropout=0.2)), ["a", "b"], dropout=0.0).heads["classify"].drop.rate == 0.0


def test_dropout_of_the_head_acts_in_training_alone():
    model = Classifier(Encoder(CONFIG.but(dropout=0.0, attention_dropout=0.0)), ["a", "b"], dropout=0.5)
    calm = np.asarray(model(BATCH))
    np.testing.assert_array_equal(model(BATCH, training=False), calm)
    assert not np.array_equal(model(BATCH, training=True), calm)


@pytest.mark.parametrize("labels", [[], ["a", "a"]])
def test_labels_are_different_names(labels):
    with pytest.raises(Error, match="wanted one or more different names"):
        Classifier(Encoder(CONFIG), labels)


def test_an_encoder_without_pooler_is_refused():
    with pytest.raises(Error, match="no pooler"):
        Classifier(Encoder(CONFIG.but(pooler=None)), ["a", "b"])


def test_a_batch_that_does_not_fit_is_named():
    with pytest.raises(Error, match="token_ids holds 20"):
        Classifier(Encoder(CONFIG), ["a", "b"])({"token_ids": [[20]]})

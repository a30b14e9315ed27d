"""LoRA in every family: only its matrices and the head learn, and merged it is the same model, a plain one."""

import numpy as np
import pytest
import tensorflow as tf

from bertkit import checkpoints
from bertkit.checkpoints.tensors import variables
from bertkit.errors import Error
from bertkit.training.adapt import adapt, merge_adapters
from bertkit.training.config import TrainConfig
from bertkit.training.lora import projections
from tests import tiny
from tests.recorded import GOLDEN

# Every kind of attention; the other families attend as BERT does.
FAMILIES = ("albert", "bert", "bigbird", "longformer", "mobilebert", "modernbert", "reformer", "xlnet")
BATCH = {"token_ids": np.random.default_rng(0).integers(5, 60, (2, 9)).astype("int32"),
         "padding_mask": np.array([[1] * 9, [1] * 6 + [0] * 3], "int32")}
TUNING = TrainConfig(lora=2, lora_alpha=6.0)


def draw(model, seed=1):
    """Give every B other values than 0."""
    rng = np.random.default_rng(seed)
    for layer in projections(model.encoder):
        layer.lora_kernel_b.assign(rng.normal(size=layer.lora_kernel_b.shape, scale=0.2))


@pytest.mark.parametrize("family", [pytest.param(name, marks=() if name == "bert" else pytest.mark.slow)
                                    for name in FAMILIES])
def test_only_low_ranks_and_head_learn_and_merged_it_is_the_same_plain_model(family):
    model = checkpoints.load(GOLDEN / "families" / family)
    before, names = np.asarray(model(BATCH)), set(variables(model))
    inside = {id(weight) for weight in model.encoder.weights}
    adapt(model, TUNING)
    np.testing.assert_allclose(np.asarray(model(BATCH)), before, atol=1e-6)           # B is 0
    draw(model)
    adapted = np.asarray(model(BATCH))
    assert np.abs(adapted - before).max() > 1e-4
    check_gradients(model, inside)
    merge_adapters(model)
    np.testing.assert_allclose(np.asarray(model(BATCH)), adapted, atol=1e-6)
    assert set(variables(model)) == names


def check_gradients(model, inside):
    """The low ranks and all of the head learn, nothing else; each of them has a gradient."""
    learning = {name: weight for name, weight in variables(model).items() if weight.trainable}
    ranks = {name for name in learning if name.split("/")[-1] in ("lora_kernel_a", "lora_kernel_b")}
    assert len(ranks) == 2 * len(projections(model.encoder)) > 0
    assert {name for name in variables(model) if not name.startswith("encoder/")} == set(learning) - ranks
    assert not inside & {id(weight) for weight in model.trainable_weights}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(BATCH, training=True)[:, 0])
    gradients = tape.gradient(loss, [weight.value for weight in learning.values()])
    assert not {name for name, gradient in zip(learning, gradients, strict=True)
                if gradient is None and "global_" not in name}                   # no token is global here


def test_the_product_is_that_of_the_paper():
    model = tiny.classifier()
    adapt(model, TUNING)
    draw(model)
    layer = projections(model.encoder)[0]
    assert layer.name == "query" and len(projections(model.encoder)) == 4
    w, a, b = (np.asarray(weight, "float64") for weight in (layer._kernel, layer.lora_kernel_a, layer.lora_kernel_b))
    assert a.shape == (16, 2) and b.shape == (2, 16)
    merge_adapters(model)
    np.testing.assert_allclose(np.asarray(layer.kernel), w + 6 / 2 * a @ b, atol=1e-6)
    assert np.abs(np.asarray(layer.kernel) - (w + 2 / 6 * a @ b)).max() > 1e-3        # the planted fault


@pytest.mark.slow
def test_a_function_compiled_before_merging_still_gives_the_same():
    model = tiny.classifier()
    adapt(model, TUNING)
    draw(model)
    before = model.predict_on_batch(BATCH)
    merge_adapters(model)
    np.testing.assert_allclose(model.predict_on_batch(BATCH), before, atol=1e-6)


def test_a_rank_that_no_matrix_has_is_an_error():
    with pytest.raises(Error, match="lora=17, .* no more than rank 16"):
        adapt(tiny.classifier(), TrainConfig(lora=17))

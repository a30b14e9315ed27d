"""Layer decay, unfreezing and frozen layers: which weight learns how fast, and from when on."""

import numpy as np
import pytest
import tensorflow as tf

from bertkit import checkpoints
from bertkit.checkpoints.tensors import variables
from bertkit.data.pipeline import BatchSampler
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import page
from bertkit.heads import Classifier
from bertkit.training.adapt import adapt, optimizer
from bertkit.training.config import TrainConfig
from bertkit.training.lr_scales import lr_scales, lr_starts, weight_depths
from tests import tiny
from tests.recorded import GOLDEN

WALK = BatchSampler(tiny.features(16), 8)


def by_name(model, found):
    names = {id(weight): name for name, weight in variables(model).items()}
    return {names[id(weight)]: value for weight, value in found}


def electra(name, blocks):
    """The rule of the code of Clark et al. 2020: depth by the first part of a name that is known."""
    keys = {"embeddings/": 0, **{f"block_{i}/": i + 1 for i in range(blocks)}, "pooler": blocks + 1,
            "classify/": blocks + 2}
    return next(depth for key, depth in keys.items() if key in name)


def test_depths_and_rates_are_those_of_electra():
    model = tiny.classifier()
    found = by_name(model, weight_depths(model))
    assert found == {name: electra(name, 2) for name in variables(model)}
    scales = lr_scales(model, 0.8)
    for name, weight in variables(model).items():
        assert scales.get(weight.path, 1.0) == pytest.approx(0.8 ** (2 + 2 - found[name]))
    assert scales["encoder/block_1/inner/kernel"] == pytest.approx(0.64)
    assert len({weight.path for weight in model.weights}) == len(model.weights) and lr_scales(model, 1.0) == {}


def test_paths_tell_low_rank_matrices_apart():
    model = tiny.classifier()
    adapt(model, TrainConfig(lora=2, layer_decay=0.8))
    scales = lr_scales(model, 0.8)
    assert scales["encoder/block_0/attention/query/lora_kernel_a"] == pytest.approx(0.8 ** 3)
    assert scales["encoder/block_1/attention/query/lora_kernel_a"] == pytest.approx(0.8 ** 2)
    assert len({weight.path for weight in model.weights}) == len(model.weights)


@pytest.mark.parametrize("family", ["mobilebert", "modernbert", "reformer", "xlnet"])
def test_every_weight_of_other_families_has_its_depth(family):
    model = checkpoints.load(GOLDEN / "families" / family)
    found, blocks = by_name(model, weight_depths(model)), len(model.encoder.blocks)
    parts = {"embeddings": 0, "beginning": 0, "ending": blocks + 1, "pooler": blocks + 1}
    parts |= {f"block_{i}": i + 1 for i in range(blocks)}
    assert found == {name: parts[name.split("/")[1]] if name.startswith("encoder/") else blocks + 2 for name in found}


@pytest.mark.parametrize("unfreeze, starts", [(1, [15, 10, 5, 0, 0]), (2, [10, 5, 5, 0, 0]), (0, [0, 0, 0, 0, 0])])
def test_blocks_join_in_from_the_top(unfreeze, starts):
    model = tiny.classifier()
    found = lr_starts(model, unfreeze, 5)
    assert {electra(name, 2): found.get(weight.path, 0) for name, weight in variables(model).items()} == dict(
        enumerate(starts))


def changed(model, tuning, epochs):
    """Take two steps an epoch, without dropout; return the depths of the weights that changed."""
    before = {name: np.asarray(weight) for name, weight in variables(model).items()}
    adapt(model, tuning)
    made, loss = optimizer(model, 1e-2, 2 * epochs, 2, tuning), model.loss_function()
    made.fused = False
    for step in range(2 * epochs):
        inputs, labels = WALK.batch(step)
        with tf.GradientTape() as tape:
            value = loss(labels, model(inputs))
        made.apply(tape.gradient(value, [weight.value for weight in model.trainable_weights]), model.trainable_weights)
    return {electra(name, 2) for name, weight in variables(model).items()
            if (np.asarray(weight) != before[name]).any()}


@pytest.mark.slow
def test_unfreezing_lets_one_block_more_learn_each_epoch():
    assert changed(tiny.classifier(), TrainConfig(unfreeze=1, warmup=0.0), 1) == {3, 4}
    assert changed(tiny.classifier(), TrainConfig(unfreeze=1, warmup=0.0), 2) == {2, 3, 4}


def test_frozen_layers_stay_as_they_are():
    model = tiny.classifier()
    assert changed(model, TrainConfig(frozen_layers=1, warmup=0.0), 1) == {2, 3, 4}
    assert {electra(name, 2) for name, weight in variables(model).items() if weight.trainable} == {2, 3, 4}
    model = tiny.classifier()
    adapt(model, TrainConfig(frozen_layers=0))
    assert {electra(name, 2) for name, weight in variables(model).items() if not weight.trainable} == {0}


@pytest.mark.parametrize("knobs", [{"layer_decay": 0.8}, {"unfreeze": 1}, {"frozen_layers": 1}])
def test_shared_blocks_have_no_depth(knobs):
    small = page("albert").CONFIG.but(vocabulary_size=31, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=12,
                                      embedding_dim=4)
    with pytest.raises(Error, match="blocks of albert are shared"):
        adapt(Classifier(Encoder(small), ("a", "b")), TrainConfig(**knobs))


def test_more_frozen_layers_than_there_are_is_an_error():
    with pytest.raises(Error, match="frozen_layers=3, and the encoder has 2 blocks"):
        adapt(tiny.classifier(), TrainConfig(frozen_layers=3))

"""The knobs together: anchored weights, runs that go on bit for bit, big batches in small steps, bfloat16."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit.data.features import features_of
from bertkit.data.pipeline import BatchSampler
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import TokenClassifier
from bertkit.tasks.packed import Packed
from bertkit.training.adapt import adapt, merge_adapters, optimizer
from bertkit.training.config import TrainConfig
from bertkit.training.losses import loss
from bertkit.training.precision import precision
from bertkit.training.resume import Resume
from tests import tiny

SMALL = tiny.CONFIG.but(num_layers=1)
EPOCHS = 2


class Killed(Exception):
    """Stands for a power cut."""


def train(knobs, folder=None, killed=False, epochs=EPOCHS, dtype="float32"):
    """Fit a tiny classifier with some knobs, killed in the second epoch if asked; return it.

    With a folder, step by step: what is kept in it does not depend on how steps are compiled.
    """
    tuning = TrainConfig().but(knobs)
    with precision(dtype):
        model = tiny.classifier(config=SMALL)
        adapt(model, tuning)
    sampler = BatchSampler(tiny.features(24), 8, copies=tuning.copies)
    steps = sampler.steps_per_epoch
    model.compile(optimizer(model, 1e-2, epochs * steps, steps, tuning), loss(model, tuning, sampler.features.labels),
                  run_eagerly=folder is not None)
    callbacks, done = [], 0
    if folder is not None:
        callbacks.append(Resume(folder, {}))
        done = callbacks[0].restore(model)
    if killed:
        def kill(batch, logs):
            if batch == 1 and callbacks[0].folder.exists():
                raise Killed
        callbacks.append(keras.callbacks.LambdaCallback(on_train_batch_end=kill))
    model.fit(sampler.dataset(done * steps), epochs=epochs, initial_epoch=done, steps_per_epoch=steps, verbose=0,
              shuffle=False, callbacks=callbacks)
    return model


def values(model):
    return [np.asarray(variable) for variable in model.variables + model.optimizer.variables]


@pytest.mark.parametrize("knobs", [{"accumulate": 2, "lora": 2, "layer_decay": 0.8},
                                   {"accumulate": 2, "unfreeze": 1, "l2_sp": 0.1, "r_drop": 1.0}],
                         ids=["lora", "l2_sp"])
@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_weights(tmp_path, knobs):
    whole = train(knobs, tmp_path / "whole")
    with pytest.raises(Killed):
        train(knobs, tmp_path / "cut", killed=True)
    resumed = train(knobs, tmp_path / "cut")
    for a, b in zip(values(whole), values(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("knobs", [
    {"accumulate": 2, "lora": 2, "layer_decay": 0.9, "unfreeze": 1, "r_drop": 1.0, "label_smoothing": 0.1},
    {"frozen_layers": 0, "l2_sp": 0.1, "layer_decay": 0.9, "class_weights": "balanced"}], ids=["lora", "l2_sp"])
@pytest.mark.slow
def test_all_knobs_together_learn_in_bfloat16(knobs):
    """Weights and moments stay float32, and what may move has moved."""
    model = train(knobs, epochs=2, dtype="bfloat16")
    assert model.encoder.compute_dtype == "bfloat16"
    assert {variable.dtype for variable in model.trainable_weights} == {"float32"}
    assert all(np.isfinite(value).all() for value in values(model))
    fresh = {weight.path: np.asarray(weight) for weight in tiny.classifier(config=SMALL).weights}
    moved = [weight for weight in model.trainable_weights
             if weight.path not in fresh or (np.asarray(weight) != fresh[weight.path]).any()]
    assert len(moved) == len(model.trainable_weights)
    merge_adapters(model)
    assert {weight.path for weight in model.weights} == set(fresh)


def test_l2_sp_is_its_formula():
    model = tiny.classifier(config=SMALL)
    adapt(model, TrainConfig(l2_sp=0.3))
    before = {weight.path: np.asarray(weight, "float64") for weight in model.trainable_weights}
    for weight in model.trainable_weights:
        weight.assign(weight + 0.01 * np.random.default_rng(0).normal(size=weight.shape))
    after = {weight.path: np.asarray(weight, "float64") for weight in model.trainable_weights}
    old = {weight.path for weight in model.encoder.weights}
    wanted = sum(0.3 / 2 * ((after[path] - before[path]) ** 2).sum() if path in old
                 else 0.01 / 2 * (after[path] ** 2).sum() for path in before)
    assert float(sum(model.losses)) == pytest.approx(wanted, rel=1e-4)
    assert optimizer(model, 1e-3, 10, 5, TrainConfig(l2_sp=0.3)).weight_decay == 0


def test_l2_sp_pulls_back_to_the_start():
    model = tiny.classifier(config=SMALL)
    adapt(model, TrainConfig(l2_sp=0.5))
    kernel = model.encoder.blocks[0].inner.kernel
    start = np.asarray(kernel)
    kernel.assign_add(np.full(kernel.shape, 0.1, "float32"))
    with tf.GradientTape() as tape:
        penalty = tf.add_n(model.losses)
    np.testing.assert_allclose(tape.gradient(penalty, kernel.value), 0.5 * (np.asarray(kernel) - start), atol=1e-6)


@pytest.mark.slow
def test_accumulated_small_batches_equal_a_big_one():
    """Without dropout, and in float32: three batches of four rows are one of twelve."""
    config = SMALL.but(dropout=0.0, attention_dropout=0.0)
    rows = BatchSampler(tiny.features(12), 12).batch(0)
    found = []
    for parts in (1, 3):
        model, tuning = tiny.classifier(config=config), TrainConfig(accumulate=parts, warmup=0.0, layer_decay=0.9)
        made, compute = optimizer(model, 1e-2, 2 * parts, parts, tuning), loss(model, tuning)
        made.fused = parts == 1
        for part in [part for _ in range(2) for part in range(parts)]:
            some = slice(part * 12 // parts, (part + 1) * 12 // parts)
            with tf.GradientTape() as tape:
                value = compute(rows[1][some], model({name: array[some] for name, array in rows[0].items()}))
            made.apply(tape.gradient(value, [weight.value for weight in model.trainable_weights]),
                       model.trainable_weights)
        found.append([np.asarray(weight) for weight in model.weights])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


@pytest.mark.slow
def test_accumulated_batches_of_unlike_numbers_of_tags_equal_a_big_one():
    """Two batches of one sentence, of nine labels and of two, are one batch of both."""
    config = SMALL.but(dropout=0.0, attention_dropout=0.0)
    rows = [([2, *range(5, 14), 3], [0] * 11), ([2, 5, 6, 3], [0] * 4)]
    labels = [[-1, *[0, 1, 0] * 3, -1], [-1, 1, 0, -1]]
    features = features_of(Packed(rows, token_labels=labels), tiny.tokenizer())
    found = []
    for size in (2, 1):
        keras.utils.set_random_seed(0)
        model = TokenClassifier(Encoder(config), ["O", "B-X"])
        tuning = TrainConfig(accumulate=2 // size, warmup=0.0)
        model.compile(optimizer(model, 1e-2, 2 // size, 2 // size, tuning), loss(model, tuning))
        sampler = BatchSampler(features, size, accumulate=tuning.accumulate)
        model.fit(sampler.dataset(steps=2 // size), verbose=0, shuffle=False)
        found.append([np.asarray(weight) for weight in model.weights])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_a_run_without_an_update_is_an_error():
    with pytest.raises(Error, match="accumulate=8 batches make one update, and the run has 6"):
        optimizer(tiny.classifier(config=SMALL), 1e-3, 6, 3, TrainConfig(accumulate=8))


@pytest.mark.parametrize("settings, words", [
    ({"accumulate": "0"}, "accumulate=0 lies outside 1"), ({"layer_decay": "1.1"}, "layer_decay=1.1 lies outside"),
    ({"frozen_layers": "-1"}, "frozen_layers=-1 lies"), ({"label_smoothing": "1"}, "label_smoothing=1.0 lies outside"),
    ({"class_weights": "auto"}, "class_weights='auto' is unknown"), ({"lora": "8", "l2_sp": "0.1"}, "lora leaves all"),
    ({"lora": "8", "frozen_layers": "0"}, "lora leaves all"), ({"r_drop": "nan"}, "r_drop=nan lies outside")])
def test_tuning_says_what_does_not_fit(settings, words):
    with pytest.raises(Error, match=words):
        TrainConfig().but(settings)


def test_with_all_knobs_off_nothing_is_adapted():
    model = tiny.classifier(config=SMALL)
    before = [weight.path for weight in model.trainable_weights]
    adapt(model, TrainConfig())
    made = optimizer(model, 1e-3, 10, 5, TrainConfig())
    assert [weight.path for weight in model.trainable_weights] == before and not model.losses
    assert not made.lr_scales and not made.lr_starts and made.gradient_accumulation_steps is None and not made._plain()
    assert isinstance(loss(model, TrainConfig()), keras.losses.SparseCategoricalCrossentropy)

"""Gradients of a batch computed in chunks are those of the whole batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import SentenceEmbedder
from bertkit.training.contrastive import InfoNCE
from bertkit.training.gradient_cache import cache_gradients
from tests import tiny

GROUPS = {name: values.reshape(7, 2, -1) for name, values in tiny.features(14).batch(range(14)).items()}
LABELS = np.arange(14).reshape(7, 2)


def embedder(dropout=0.0, chunk=None):
    keras.utils.set_random_seed(3)
    model = SentenceEmbedder(Encoder(tiny.CONFIG.but(dropout=dropout, attention_dropout=dropout)))
    if chunk is not None:
        cache_gradients(model, chunk)
    return model


def learnt(model, compute=None):
    """Return (loss, gradients of the trained weights) of a batch in training."""
    with tf.GradientTape() as tape:
        found = model(GROUPS, training=True) if compute is None else compute(model)
        loss = InfoNCE()(LABELS, found)
    gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    return float(loss), [np.asarray(tf.convert_to_tensor(gradient)) for gradient in gradients]


def assert_equal(one, other):
    assert one[0] == pytest.approx(other[0], rel=1e-5)
    largest = max(np.abs(gradient).max() for gradient in other[1])
    for ours, theirs in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-6 * largest)


def chunk_by_chunk(model, chunk):
    """Return the vectors of the batch on one tape, its chunks one after another, each with the next dropout."""
    rows = {name: values.reshape(14, -1) for name, values in GROUPS.items()}
    parts = [model.vectors({name: tf.constant(values[start:start + chunk]) for name, values in rows.items()},
                           training=True) for start in range(0, 14, chunk)]
    return tf.reshape(tf.concat(parts, axis=0), (7, 2, -1))


@pytest.mark.parametrize("chunk", [3, 50])
def test_without_dropout_they_are_those_of_the_whole_batch(chunk):
    assert_equal(learnt(embedder(chunk=chunk)), learnt(embedder()))


def test_with_dropout_both_passes_draw_alike():
    assert_equal(learnt(embedder(0.3, chunk=4)), learnt(embedder(0.3), lambda model: chunk_by_chunk(model, 4)))


def test_dropout_is_drawn_anew_for_each_batch():
    model = embedder(0.3, chunk=4)
    assert learnt(model)[0] != learnt(model)[0]


@pytest.mark.slow
def test_in_a_compiled_step_too():
    model = embedder(0.3, chunk=4)
    found = tf.function(lambda: InfoNCE()(LABELS, model(GROUPS, training=True)))()
    assert float(found) == pytest.approx(learnt(embedder(0.3, chunk=4))[0], rel=1e-5)


@pytest.mark.slow
def test_fit_learns_the_same_weights():
    found = []
    for chunk in (None, 3):
        model = embedder(chunk=chunk)
        model.encoder.embeddings.trainable = False
        model.compile(keras.optimizers.SGD(0.1), loss=InfoNCE(), jit_compile=False)
        model.fit(tf.data.Dataset.from_tensors((GROUPS, LABELS)).repeat(2), verbose=0)
        found.append([np.asarray(weight) for weight in model.weights])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert any(np.abs(weight - begun).max() > 1e-4 for weight, begun in zip(found[0], embedder().weights, strict=True))


def test_answers_are_not_chunked():
    np.testing.assert_array_equal(embedder(chunk=4)(GROUPS), embedder()(GROUPS))


def test_a_chunk_holds_a_text():
    with pytest.raises(Error, match="chunk=0 holds no text"):
        embedder(chunk=0)

"""Masking statistics against the specification; the loss against numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit.encoder import Encoder
from bertkit.objectives import MLM, Pretrainer
from bertkit.training.optimizer import adamw
from tests import tiny

ROWS, LENGTH = 400, 30


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, LENGTH + 1, ROWS)
    mask = (np.arange(LENGTH) < lengths[:, None]).astype("int32")
    ids = np.where(mask, rng.integers(5, len(tiny.VOCABULARY), mask.shape), 0)
    ids[:, 0], ids[np.arange(ROWS), lengths - 1] = 2, 3
    return {"token_ids": tf.constant(ids, tf.int32), "segment_ids": tf.zeros_like(mask),
            "padding_mask": tf.constant(mask)}


def numbers(features):
    return {name: np.asarray(value) for name, value in features.items()}


def test_counts_positions_and_labels(batch):
    found, before = numbers(MLM(tiny.tokenizer()).corrupt(batch)), numbers(batch)
    for row in range(ROWS):
        real = found["masked_weights"][row] > 0
        tokens = before["padding_mask"][row].sum()
        wanted = min(max(1, round(0.15 * int(tokens))), int(tokens) - 2)
        assert real.sum() == wanted
        positions = found["masked_positions"][row][real]
        assert len(set(positions)) == len(positions)
        ids = before["token_ids"][row]
        assert (ids[positions] >= 5).all()                         # never special, never padding
        np.testing.assert_array_equal(found["masked_labels"][row][real], ids[positions])
        untouched = np.setdiff1d(np.arange(LENGTH), positions)
        np.testing.assert_array_equal(found["token_ids"][row][untouched], ids[untouched])


def test_eighty_ten_ten(batch):
    kinds, total = np.zeros(3), 0
    mlm, size = MLM(tiny.tokenizer()), len(tiny.VOCABULARY)
    for step in range(20):
        found = numbers(mlm.corrupt({**batch, "step": step}))
        real = found["masked_weights"] > 0
        now = np.take_along_axis(found["token_ids"], found["masked_positions"], 1)[real]
        was = found["masked_labels"][real]
        kinds += [(now == 4).sum(), ((now != 4) & (now != was)).sum(), (now == was).sum()]
        total += len(now)
    # A random token is the mask, or the token itself, once in V draws each.
    expected = np.array([0.8 + 0.1 / size, 0.1 * (1 - 2 / size), 0.1 + 0.1 / size])
    bound = 4 * np.sqrt(expected * (1 - expected) / total)
    assert (np.abs(kinds / total - expected) < bound).all(), kinds / total


def test_a_pure_function_of_seed_and_step(batch):
    def positions(seed, step):
        return np.asarray(MLM(tiny.tokenizer(), seed=seed).corrupt({**batch, "step": step})["masked_positions"])
    np.testing.assert_array_equal(positions(1, 5), positions(1, 5))
    assert (positions(1, 5) != positions(1, 6)).any()
    assert (positions(1, 5) != positions(2, 5)).any()


def test_loss_is_the_mean_over_real_slots(batch):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(2, 3, 7)).astype("float32")
    labels, weights = np.array([[1, 2, 0], [3, 0, 0]]), np.array([[1.0, 1, 0], [1, 0, 0]], "float32")
    chance = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, labels[..., None], 2)[..., 0]
    found = MLM(tiny.tokenizer()).loss(logits, {"masked_labels": labels, "masked_weights": weights})
    assert float(found) == pytest.approx((chance * weights).sum() / 3, rel=1e-5)


def test_pretraining_learns_and_ties_the_decoder(batch):
    keras.utils.set_random_seed(0)
    encoder = Encoder(tiny.CONFIG.but(dropout=0.0, attention_dropout=0.0))
    pretrainer = Pretrainer(encoder, [MLM(tiny.tokenizer())])
    assert pretrainer.count_params() == encoder.count_params() + 16 * 16 + 16 + 2 * 16 + len(tiny.VOCABULARY)
    pretrainer.compile(adamw(1e-2, 60))
    row = {name: value[:4] for name, value in batch.items()}
    data = pretrainer.prepare(tf.data.Dataset.from_tensors(row).repeat())
    history = pretrainer.fit(data, steps_per_epoch=20, epochs=3, verbose=0, shuffle=False).history["loss"]
    assert history[-1] < history[0] - 0.3

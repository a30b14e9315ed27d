"""Tokens that are asked for alone have the vectors that they have among all others."""

import keras
import numpy as np
import pytest
from keras import ops

from bertkit import family, kinds
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.heads import Classifier, LanguageModel, TokenClassifier
from bertkit.kinds import Full
from bertkit.layers import trunk
from bertkit.layers.gather import FIRST

SIZES = {"vocabulary_size": 60, "num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32}
CONFIGS = {
    "bert": EncoderConfig(**SIZES),
    "without a pooler": EncoderConfig(**SIZES, pooler=None),
    "one block": EncoderConfig(**SIZES | {"num_layers": 1}),
    "causal": EncoderConfig(**SIZES, attention=Full(causal=True)),
    "albert": family.page("albert").CONFIG.but(**SIZES, embedding_dim=8),
    "longformer": family.page("longformer").CONFIG.but(**SIZES, attention=kinds.Window(4)),
    "modernbert": family.page("modernbert").CONFIG.but(**SIZES),
}


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 60, (3, 12)).astype("int32")
    real = np.ones_like(ids)
    real[1, 7:] = real[2, :3] = 0
    return {"token_ids": ids, "padding_mask": real}, np.array([[0, 5, 6], [3, 3, 0], [11, 4, 0]], "int32")


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_asked_alone_is_as_among_all(config, batch):
    keras.utils.set_random_seed(1)
    encoder, (inputs, places) = Encoder(config), batch
    everywhere, alone, first = encoder(inputs), encoder(inputs, positions=places), encoder(inputs, positions=FIRST)
    np.testing.assert_allclose(first["sequence"], everywhere["sequence"][:, :1], atol=2e-6)
    wanted = np.take_along_axis(np.asarray(everywhere["sequence"]), places[:, :, None], axis=1)
    np.testing.assert_allclose(alone["sequence"], wanted, atol=2e-6)
    assert not np.allclose(alone["sequence"], wanted[:, ::-1], atol=1e-2)           # it could have failed
    if "pooled" in everywhere:
        np.testing.assert_allclose(alone["pooled"], everywhere["pooled"], atol=2e-6)
        np.testing.assert_allclose(first["pooled"], everywhere["pooled"], atol=2e-6)


def test_packed_texts_stay_apart_where_some_tokens_are_asked_for(batch):
    encoder, (inputs, places) = Encoder(CONFIGS["bert"]), batch
    inputs["packed_ids"] = np.repeat(np.array([[0, 1, 2, 3]], "int32"), 3, axis=1).repeat(3, axis=0)
    wanted = np.take_along_axis(np.asarray(encoder(inputs)["sequence"]), places[:, :, None], axis=1)
    np.testing.assert_allclose(encoder(inputs, positions=places)["sequence"], wanted, atol=2e-6)
    first = encoder(inputs, positions=FIRST)["sequence"]
    np.testing.assert_allclose(first, encoder(inputs)["sequence"][:, :1], atol=2e-6)


def test_gradients_are_those_of_all_tokens_then_taken(batch):
    import tensorflow as tf
    inputs, places = batch
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken by TensorFlow")
    keras.utils.set_random_seed(1)
    model = LanguageModel(Encoder(CONFIGS["bert"]))

    def slopes(narrow):
        model.reads = {"masked"} if narrow else {"each"}
        with tf.GradientTape() as tape:
            loss = ops.sum(ops.square(model({**inputs, "masked_positions": places})))
        return [tf.convert_to_tensor(slope) for slope in tape.gradient(loss, model.trainable_variables)]

    for one, other in zip(slopes(True), slopes(False), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_last_block_computes_only_what_is_asked(batch, monkeypatch):
    encoder, (inputs, places) = Encoder(CONFIGS["bert"]), batch
    seen, (first, last) = [], encoder.blocks
    for block in (first, last):
        feed = block.feed
        monkeypatch.setattr(block, "feed", lambda a, training=None, feed=feed: seen.append(a.shape[1]) or feed(a))
    encoder(inputs, positions=places)
    Classifier(encoder, ["a", "b"])(inputs)
    TokenClassifier(encoder, ["a", "b"])(inputs)
    assert seen == [12, 4, 12, 1, 12, 12]                                           # the pooler's, and three
    assert not trunk.can_query_subset(CONFIGS["modernbert"]) and not trunk.can_query_subset(CONFIGS["longformer"])

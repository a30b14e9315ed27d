"""MobileBERT's page: published counts, names, config.json in every form, the reference's numbers."""

import itertools
import json

import numpy as np
import pytest
import tensorflow as tf

from bertkit import checkpoints
from bertkit.checkpoints.architectures import config_json, encoder_config
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import mobilebert, published
from bertkit.heads import LanguageModel
from bertkit.kinds import Bottleneck, First, Language, Trigram
from tests.family import checks
from tests.family.round_trip import assert_comes_back
from tests.recorded import calls

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
SMALL = {"vocabulary_size": 31, "num_layers": 2, "num_heads": 2, "hidden_dim": 9, "intermediate_dim": 5,
         "embedding_dim": 4, "max_sequence_length": 16}
CONFIG = mobilebert.CONFIG.but(**SMALL, block=Bottleneck(6, feeds=3))
MODELS = checks.models(CONFIG)
FORMS = [CONFIG.but(block=Bottleneck(width, feeds, shared, narrow, affine), hidden_dim=8, embedding_dim=table,
                    inputs=Trigram(neighbours), num_layers=1)
         for width, feeds, shared, narrow, affine, table, neighbours in itertools.product(
             (None, 6), (1, 3), (True, False), (True, False), (True, False), (4, 8), (True, False))][::9]


def test_published_counts():
    """family-spec, section 5: with the pooler, with the head for masked words instead, and with both heads."""
    config = published("mobilebert-uncased")
    head = 512 * 512 + 3 * 512 + (512 - 128) * 30522 + 30522
    assert parameters(config) == 24_844_544
    assert parameters(config.but(pooler=None)) + head == 36_596_538
    assert parameters(config) + head + 2 * 512 + 2 == 36_860_220


@pytest.mark.parametrize("config", [CONFIG, CONFIG.but(pooler=First()), *FORMS], ids=lambda config: str(config.block))
def test_a_small_one_has_as_many(config):
    checks.assert_counts(config)


def test_a_small_head_has_as_many():
    assert checks.head_parameters(MODELS["mlm"]) == 9 * 9 + 3 * 9 + (9 - 4) * 31 + 31


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], mobilebert.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone(MODELS))
def test_heads_come_back_whole(head, tmp_path):
    assert_comes_back(MODELS[head], checks.batch(CONFIG, 2 if head == "choose" else None), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("config", FORMS[::4], ids=lambda config: str(config.block))
@pytest.mark.parametrize("tied", [True, False])
def test_every_form_comes_back_whole(config, tied, tmp_path):
    """Also where the pooler is the first token as it is, which has no tensors to tell by."""
    model = LanguageModel(Encoder(config.but(pooler=First())), head_config=Language(split=True, tied=tied))
    assert_comes_back(model, checks.batch(config), tmp_path)


def test_the_decoder_is_the_token_table_above_rows_of_its_own():
    model, batch = MODELS["mlm"], checks.batch(CONFIG)
    head = model.heads["mlm"]
    h = np.asarray(head.norm(head.activation(head.dense(model.encoder(batch)["sequence"]))))
    matrix = np.concatenate([np.asarray(model.encoder.embeddings.token.embeddings).T, np.asarray(head.more)])
    assert matrix.shape == (9, 31)
    np.testing.assert_allclose(model(batch), h @ matrix + np.asarray(head.bias), atol=1e-5)


def test_every_number_that_is_used_is_trained():
    model = LanguageModel(Encoder(FORMS[0].but(pooler=None)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(checks.batch(FORMS[0])) ** 2)
    for weight, gradient in zip(model.trainable_weights,
                                tape.gradient(loss, [weight.value for weight in model.trainable_weights]), strict=True):
        assert gradient is not None and np.isfinite(tf.convert_to_tensor(gradient)).all(), weight.path


OTHERWISE = {
    "vocab_size": 31, "hidden_size": 9, "embedding_size": 5, "intermediate_size": 7, "num_hidden_layers": 1,
    "num_attention_heads": 2, "hidden_act": "gelu", "intra_bottleneck_size": 6, "num_feedforward_networks": 2,
    "use_bottleneck": True, "use_bottleneck_attention": True, "key_query_shared_bottleneck": False,
    "trigram_input": False, "normalization_type": "layer_norm", "classifier_activation": False, "layer_norm_eps": 1e-3,
    "type_vocab_size": 3, "max_position_embeddings": 20, "hidden_dropout_prob": 0.1, "initializer_range": 0.1}


@pytest.mark.parametrize("values", [OTHERWISE, {**OTHERWISE, "use_bottleneck": False, "hidden_size": 6}, {}],
                         ids=["otherwise", "no bottleneck", "defaults"])
def test_config_json_is_read_and_written_back(values):
    config = encoder_config(values, mobilebert, "config.json")
    assert (config == mobilebert.CONFIG) == (not values)
    written = json.loads(json.dumps(config_json(Encoder(CONFIG), config, None, mobilebert)))
    assert {key: written[key] for key in values} == values
    assert encoder_config(written, mobilebert, "config.json") == config


@pytest.mark.parametrize("values, words", [
    ({"use_bottleneck": 1}, "use_bottleneck=1"), ({"use_bottleneck_attention": "x"}, "use_bottleneck_attention='x'"),
    ({"key_query_shared_bottleneck": []}, "key_query_shared_bottleneck="), ({"trigram_input": 0}, "trigram_input=0"),
    ({"normalization_type": "rms_norm"}, "normalization_type='rms_norm' is unknown; bertkit has no_norm, layer_norm"),
    ({"classifier_activation": "tanh"}, "classifier_activation='tanh'"),
    ({"num_feedforward_networks": 0}, "num_feedforward_networks=0"),
    ({"num_feedforward_networks": 10**9}, "num_feedforward_networks=1000000000"),
    ({"intra_bottleneck_size": 0}, "intra_bottleneck_size=0"),
    ({"intra_bottleneck_size": 130}, "130 is not a multiple"),
    ({"embedding_size": 513}, "embedding_size is larger than hidden_size"),
    ({"embedding_size": "x"}, "embedding_size='x'"), ({"hidden_act": "gelo"}, "hidden_act='gelo'")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json: .*{words}"):
        encoder_config(values, mobilebert, "config.json")


@pytest.mark.parametrize("case", ["mobilebert", "mobilebert_alt", "mobilebert_nobottleneck"])
def test_recorded_references(shared, case):
    heads = sorted(path.parent.name for path in shared(f"checkpoints/{case}").glob("*/model.safetensors"))
    for head in set(heads) - {"nsp", "pretraining"}:
        assert checks.largest_difference(shared(f"checkpoints/{case}/{head}")) < 2e-5, head
    assert "base" in heads


@pytest.mark.parametrize("head, logits", [("nsp", "logits"), ("pretraining", "seq_relationship_logits")])
def test_recorded_sentence_heads(shared, head, logits):
    folder = shared(f"checkpoints/mobilebert/{head}")
    (call,), model = calls(folder).values(), checkpoints.load(folder)
    found = model(call.batch)
    assert np.abs(np.asarray(found["nsp_logits"]) - call.outputs[logits]).max() < 2e-5
    if head == "pretraining":
        gaps = np.abs(np.asarray(found["mlm_logits"]) - call.outputs["prediction_logits"])
        assert gaps[call.batch["padding_mask"] > 0].max() < 2e-5

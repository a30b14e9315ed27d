"""EuroBERT's page: published counts, both layouts of its config.json, the reference's numbers."""

import json

import keras
import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import config_json, encoder_config
from bertkit.cost import activation_bytes, cost, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import eurobert, published
from bertkit.heads import Classifier, DocumentClassifier
from bertkit.kinds import Full, Grouped, HeadConfig, RootPreNorm, Rotary
from bertkit.layers.gather import FIRST
from tests.family import checks
from tests.family.round_trip import assert_comes_back
from tests.recorded import GOLDEN

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
CONFIG = eurobert.CONFIG.but(vocabulary_size=31, num_layers=2, num_heads=4, hidden_dim=8, intermediate_dim=12,
                             attention=Grouped(100.0, key_heads=2))
BIASED = CONFIG.but(block=RootPreNorm(feed_bias=True), qkv_bias=True, attention=Grouped(100.0))
MODELS = checks.models(CONFIG)
FOLDERS = sorted(folder for name in ("eurobert", "eurobert_bos", "eurobert_mean")
                 for folder in (GOLDEN / "heads" / name).iterdir())
# config.json of EuroBERT-210m, as its own code writes it.
PUBLISHED = {
    "model_type": "eurobert", "architectures": ["EuroBertForMaskedLM"], "attention_bias": False,
    "attention_dropout": 0.0, "bos_token_id": 128000, "clf_pooling": "late", "eos_token_id": 128001, "head_dim": 64,
    "hidden_act": "silu", "hidden_dropout": 0.0, "hidden_size": 768, "initializer_range": 0.02,
    "intermediate_size": 3072, "mask_token_id": 128002, "max_position_embeddings": 8192, "mlp_bias": False,
    "num_attention_heads": 12, "num_hidden_layers": 12, "num_key_value_heads": 12, "pad_token_id": 128001,
    "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": None, "rope_theta": 250000,
    "tie_word_embeddings": False, "use_cache": False, "vocab_size": 128256}


@pytest.mark.parametrize("name, encoder, language", [
    ("210m", 211_766_016, 310_266_624), ("610m", 607_874_688, 755_625_600), ("2.1B", 2_107_590_912, 2_403_092_736)])
def test_published_counts(name, encoder, language):
    """The models that transformers 5.24 makes, as published: 210 and 610 million, 2.1 billion."""
    config = published(f"EuroBERT-{name}")
    assert (parameters(config), parameters(config) + config.vocabulary_size * config.hidden_dim) == (encoder, language)


def test_shared_keys_take_less():
    few, many = (CONFIG.but(attention=Grouped(key_heads=heads)) for heads in (1, 4))
    assert cost(many)["parameters"] - cost(few)["parameters"] == 2 * CONFIG.num_layers * 3 * 2 * 8
    assert cost(many)["flops"] > cost(few)["flops"]


@pytest.mark.parametrize("config", [CONFIG, BIASED, CONFIG.but(head_size=6)], ids=str)
def test_a_small_one_has_as_many(config):
    checks.assert_counts(config)
    assert activation_bytes(config, 16) > activation_bytes(config.but(intermediate_dim=6), 16)


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], eurobert.HUGGINGFACE)


@pytest.mark.parametrize("head", [head for head in MODELS if head != "choose"])
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG), tmp_path)


def test_a_choice_comes_back_by_its_class(tmp_path):
    assert_comes_back(MODELS["choose"], checks.batch(CONFIG, 2), tmp_path)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_recorded_references(folder):
    assert checks.largest_difference(folder) < 2e-5


def test_the_groups_of_heads_are_told_apart():
    """With the keys of both groups in the other order every answer is another."""
    folder = GOLDEN / "heads" / "eurobert" / "base"
    model, call = checkpoints.load(folder), checks.calls(folder)["padded"]
    wanted = np.asarray(model(call.batch)["sequence"])
    key = model.blocks[0].attention.key.kernel
    key.assign(np.roll(np.asarray(key), model.config.head_dim, axis=1))
    assert np.abs(np.asarray(model(call.batch)["sequence"]) - wanted).max() > 1e-2


@pytest.mark.parametrize("reduce", ["late", "first", "real"])
def test_a_classifiers_pooling_comes_back(reduce, tmp_path):
    model = Classifier(Encoder(CONFIG), ("a", "b", "c"), head_config=HeadConfig(reduce, "gelu_erf"))
    checks.assert_survives(model, checks.batch(CONFIG), tmp_path)


def test_late_logits_are_the_mean_of_those_of_real_tokens():
    model, batch = Classifier(Encoder(CONFIG.but(initializer_range=0.5)), ("a", "b")), checks.batch(CONFIG)
    head, x = model.heads["classify"], np.asarray(model.encoder(batch)["sequence"])
    each = np.asarray(head.logits(head.activation(head.dense(x))))
    mask = batch["padding_mask"][..., None]
    np.testing.assert_allclose(model(batch), (each * mask).sum(1) / mask.sum(1), atol=1e-6)
    bare = {"token_ids": batch["token_ids"][:1]}
    np.testing.assert_allclose(model(bare), each[:1].mean(1), atol=1e-6)


def test_a_long_document_is_read_by_the_means_of_its_windows():
    model, batch = DocumentClassifier(Encoder(CONFIG), ("a", "b"), layers=0), checks.batch(CONFIG)
    assert tuple(model(batch).shape) == (2, 2)


def test_the_last_block_computes_the_tokens_that_are_asked_for():
    encoder, batch = Encoder(CONFIG.but(initializer_range=0.5)), checks.batch(CONFIG)
    batch["position_ids"] = np.random.default_rng(0).integers(0, 30, (2, 7)).astype("int32")
    wanted, places = np.asarray(encoder(batch)["sequence"]), np.array([[3, 0], [4, 2]])
    found = np.asarray(encoder(batch, positions=places)["sequence"])
    np.testing.assert_allclose(found, np.take_along_axis(wanted, places[:, :, None], 1), atol=1e-5)
    np.testing.assert_allclose(np.asarray(encoder(batch, positions=FIRST)["sequence"]), wanted[:, :1], atol=1e-5)


def test_the_published_config_is_the_pages():
    assert encoder_config(PUBLISHED, eurobert, "config.json") == eurobert.CONFIG
    larger = {"hidden_size": 1152, "intermediate_size": 4096, "num_attention_heads": 18, "num_hidden_layers": 26,
              "num_key_value_heads": 6}
    assert encoder_config(PUBLISHED | larger, eurobert, "config.json") == published("EuroBERT-610m")
    assert encoder_config({}, eurobert, "config.json") == eurobert.CONFIG.but(attention=Grouped(10_000.0))


@pytest.mark.parametrize("values, reduce", [({"clf_pooling": "bos"}, "first"), ({"clf_pooling": "mean"}, "real"), (
    {"clf_pooling": "bos", "classifier_pooling": "late"}, "late"), ({}, "late")], ids=str)
def test_the_pooling_of_its_own_code_is_read(values, reduce):
    assert eurobert.HUGGINGFACE.read_heads(values)["classify"].reduce == reduce


OTHERWISE = {
    "vocab_size": 31, "hidden_size": 12, "intermediate_size": 7, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "hidden_act": "relu", "hidden_dropout": 0.2, "attention_dropout": 0.3,
    "initializer_range": 0.5, "max_position_embeddings": 99, "rms_norm_eps": 1e-3, "head_dim": 6,
    "attention_bias": True, "mlp_bias": True, "rope_parameters": {"rope_type": "default", "rope_theta": 7.0}}


def test_config_json_is_read_and_written_back():
    config = encoder_config(OTHERWISE, eurobert, "config.json")
    assert (config.head_dim, config.attention) == (6, Grouped(7.0, 2))
    written = json.loads(json.dumps(config_json(Encoder(config), config, None, eurobert)))
    assert {key: written[key] for key in OTHERWISE} == OTHERWISE
    assert encoder_config(written, eurobert, "config.json") == config


@pytest.mark.parametrize("values, words", [
    ({"rope_parameters": {"rope_type": "yarn"}}, "rope_parameters="),
    ({"rope_scaling": {"type": "linear"}}, "rope_scaling="), ({"rope_theta": 0}, "rope_theta=0"),
    ({"rope_parameters": {"partial_rotary_factor": 0.5}}, "rope_parameters=.*partial_rotary_factor"),
    ({"partial_rotary_factor": 0.5}, "partial_rotary_factor=0.5"),
    ({"hidden_act": "gelo"}, "hidden_act='gelo'"), ({"head_dim": -1}, "head_dim=-1"),
    ({"num_key_value_heads": 5}, "num_key_value_heads=5; wanted a number that divides num_attention_heads=12"),
    ({"num_key_value_heads": 0}, "num_key_value_heads=0"), ({"mlp_bias": "no"}, "mlp_bias='no'"),
    ({"num_attention_heads": "x"}, "num_attention_heads="), ({"rms_norm_eps": -1}, "rms_norm_eps=-1")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json.*{words}"):
        encoder_config(values, eurobert, "config.json")


def test_a_wrong_pooling_is_told_by_its_key():
    with pytest.raises(Error, match="classifier_pooling='cls' is unknown; bertkit has late, bos, mean"):
        eurobert.HUGGINGFACE.read_heads({"classifier_pooling": "cls"})


@pytest.mark.parametrize("changes", [{"attention": Full()}, {"attention": Rotary()}], ids=str)
def test_what_transformers_does_not_have_is_not_written(changes, tmp_path):
    with pytest.raises(Error, match="EuroBert has (one kind of grouped attention|no place for).* save a bundle"):
        huggingface.save(tmp_path, Encoder(CONFIG.but(**changes)))


def test_heads_that_cannot_share_evenly_are_refused():
    with pytest.raises(Error, match="num_heads=4 is not a multiple of key_heads=3"):
        Encoder(CONFIG.but(attention=Grouped(key_heads=3)))


@pytest.mark.slow
def test_it_learns(steps):
    model = Classifier(Encoder(CONFIG.but(initializer_range=0.3)), ("a", "b"))
    ids = np.random.default_rng(0).integers(1, 31, (16, 6)).astype("int32")
    labels = (ids[:, 0] > 15).astype("int32")
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=model.loss_function())
    losses = model.fit({"token_ids": ids}, labels, epochs=8, verbose=0, batch_size=16).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())

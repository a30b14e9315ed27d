"""DeBERTaV3's page: published counts, names in three layouts, config.json both ways, the reference's numbers."""

import json
from math import erf

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import config_json, encoder_config
from bertkit.checkpoints.tensors import variables
from bertkit.cost import cost, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import deberta, published
from bertkit.heads import Classifier, LanguageModel, PretrainingModel
from bertkit.kinds import Absolute, Disentangled, Full
from bertkit.layers.gather import FIRST
from tests.family import checks
from tests.family.round_trip import assert_comes_back
from tests.recorded import GOLDEN

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
KIND = Disentangled(buckets=4, farthest=9)
CONFIG = deberta.CONFIG.but(vocabulary_size=31, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=12,
                            max_sequence_length=16, attention=KIND)
OWN = CONFIG.but(attention=Disentangled(None, 5, shared=False, norm=False), positions=Absolute(), num_segments=2)
MODELS = checks.models(CONFIG)
FOLDERS = sorted(folder for name in ("deberta", "deberta_own", "deberta_new")
                 for folder in (GOLDEN / "heads" / name).iterdir())
# The models that transformers 5.24 makes of these sizes (published: 71, 141, 184, 434 and 278 million), and those with
# the head for masked words.
COUNTS = {"deberta-v3-xsmall": (70_682_112, 70_958_820), "deberta-v3-small": (141_304_320, 142_024_548),
          "deberta-v3-base": (183_831_552, 184_551_780), "deberta-v3-large": (434_012_160, 435_191_908),
          "mdeberta-v3-base": (278_218_752, 279_061_880)}


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    head = config.hidden_dim ** 2 + 3 * config.hidden_dim + config.vocabulary_size
    assert (parameters(config), parameters(config) + head) == COUNTS[name]


@pytest.mark.parametrize("config", [
    CONFIG, OWN, CONFIG.but(attention=Disentangled(4, 9, to_places=False, shared=False))], ids=[
    "published", "own", "one term"])
def test_a_small_one_has_as_many(config):
    checks.assert_counts(config)


def test_distances_cost_arithmetic():
    """Two terms of 2T distances; of long rows the 512 vectors are projected once, not each distance."""
    plain = cost(deberta.CONFIG.but(attention=Full()), 128)["flops"]
    assert cost(deberta.CONFIG, 128)["flops"] - plain == 12 * 2 * 4 * 128 * (768 + 128) * 768
    plain = cost(deberta.CONFIG.but(attention=Full()), 1024)["flops"]
    assert cost(deberta.CONFIG, 1024)["flops"] - plain == 12 * 2 * 4 * 1024 * (768 // 4 + 1024) * 768


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], deberta.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone([head for head in MODELS if head != "choose"]))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG), tmp_path)


def test_a_choice_comes_back_by_its_class(tmp_path):
    assert_comes_back(MODELS["choose"], checks.batch(CONFIG, 2), tmp_path)


def test_everything_that_a_deberta_v2_can_have_comes_back(tmp_path):
    checks.assert_own_names(Encoder(OWN), deberta.HUGGINGFACE)
    assert_comes_back(Classifier(Encoder(OWN), ("a", "b", "c")), checks.batch(OWN), tmp_path)


@pytest.mark.parametrize("folder", checks.encoders_alone(FOLDERS),
                         ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_recorded_references(folder):
    """All states and attentions, both terms or one, buckets or none, with and without shared matrices and a norm."""
    assert checks.largest_difference(folder, real=True) < 2e-5


def test_a_mirrored_distance_is_seen():
    folder = GOLDEN / "heads" / "deberta" / "base"
    model, call = checkpoints.load(folder), checks.calls(folder)["padded"]
    wanted = np.asarray(model(call.batch)["sequence"])
    model.distances.table.assign(np.asarray(model.distances.table)[::-1])
    assert np.abs(np.asarray(model(call.batch)["sequence"]) - wanted).max() > 1e-2


@pytest.mark.parametrize("config", [CONFIG, OWN], ids=["published", "own"])
def test_the_last_block_computes_the_tokens_that_are_asked_for(config):
    encoder, batch = Encoder(config.but(initializer_range=0.5)), checks.batch(config)
    wanted, places = np.asarray(encoder(batch)["sequence"]), np.array([[3, 0], [4, 2]])
    found = np.asarray(encoder(batch, positions=places)["sequence"])
    np.testing.assert_allclose(found, np.take_along_axis(wanted, places[:, :, None], 1), atol=1e-5)
    np.testing.assert_allclose(np.asarray(encoder(batch, positions=FIRST)["sequence"]), wanted[:, :1], atol=1e-5)


def test_replaced_tokens_are_told_beside_the_first_token():
    """The code of DeBERTa, replaced_token_detection_model.py: w act(W LN(h + h0)), in double precision."""
    model, batch = PretrainingModel(Encoder(CONFIG), ["rtd"]), checks.batch(CONFIG)
    rng = np.random.default_rng(0)
    for name, weight in variables(model).items():
        if name.startswith("rtd/"):
            weight.assign(rng.standard_normal(weight.shape))
    w = {name.removeprefix("rtd/"): np.asarray(weight, "float64") for name, weight in variables(model).items()}
    hidden = np.asarray(model.encoder(batch)["sequence"], "float64")
    total = hidden + hidden[:, :1]
    normed = (total - total.mean(-1, keepdims=True)) / np.sqrt(total.var(-1, keepdims=True) + 1e-7)
    inner = (normed * w["sum_norm/gamma"] + w["sum_norm/beta"]) @ w["dense/kernel"] + w["dense/bias"]
    act = inner / 2 * (1 + np.vectorize(erf)(inner / 2 ** 0.5))
    wanted = (act @ w["logits/kernel"] + w["logits/bias"])[..., 0]
    np.testing.assert_allclose(np.asarray(model(batch)["rtd_logits"]), wanted, atol=1e-4)


NEWER = {"cls.predictions.transform": "lm_predictions.lm_head", "cls.predictions.bias": "lm_predictions.lm_head.bias"}


def renamed(folder, pairs):
    """Rename tensors of a folder by their beginnings, take the class's name out of its config, and return it."""
    tensors = load_file(folder / "model.safetensors")
    for old, new in pairs.items():
        tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return checks.unnamed(folder)


def test_the_newer_names_of_the_head_are_read(tmp_path):
    model, batch = MODELS["mlm"], checks.batch(CONFIG)
    huggingface.save(tmp_path, model)
    again = checkpoints.load(renamed(tmp_path, NEWER))
    assert isinstance(again, LanguageModel)
    np.testing.assert_array_equal(again(batch), model(batch))


def test_a_published_folder_gives_its_encoder_and_asks_which_head_is_meant(tmp_path):
    """Without `architectures`, with the head that tells replaced tokens and one for words that was never trained."""
    huggingface.save(tmp_path, MODELS["mlm"])
    words = load_file(tmp_path / "model.safetensors")
    huggingface.save(tmp_path, MODELS["rtd"])
    both = load_file(tmp_path / "model.safetensors") | {name: words[name] for name in words if name.startswith("cls.")}
    save_file(both, tmp_path / "model.safetensors", metadata={"format": "pt"})
    folder = renamed(tmp_path, NEWER | {"mask_predictions.classifier": "mask_predictions.classifer"})
    with pytest.raises(Error, match="which head is it"):
        checkpoints.load(folder)
    encoder, batch = checkpoints.load(folder, part="encoder"), checks.batch(CONFIG)
    np.testing.assert_array_equal(encoder(batch)["sequence"], MODELS["rtd"].encoder(batch)["sequence"])


OTHERWISE = {
    "vocab_size": 31, "hidden_size": 12, "intermediate_size": 7, "num_hidden_layers": 3, "num_attention_heads": 3,
    "hidden_act": "relu", "hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3, "initializer_range": 0.5,
    "max_position_embeddings": 99, "layer_norm_eps": 1e-3, "type_vocab_size": 2, "relative_attention": True,
    "position_buckets": 6, "max_relative_positions": 40, "share_att_key": False, "norm_rel_ebd": "none",
    "position_biased_input": True, "pos_att_type": ["c2p"], "legacy": True}
SHARED = {**OTHERWISE, "position_buckets": -1, "share_att_key": True, "norm_rel_ebd": "layer_norm",
          "position_biased_input": False, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": -1}


@pytest.mark.parametrize("values", [OTHERWISE, SHARED], ids=["otherwise", "shared"])
def test_config_json_is_read_and_written_back(values):
    config = encoder_config(values, deberta, "config.json")
    written = json.loads(json.dumps(config_json(Encoder(config), config, None, deberta)))
    assert {key: written[key] for key in values} == values
    assert encoder_config(written, deberta, "config.json") == config


def test_a_published_config_is_the_pages():
    values = {"position_buckets": 256, "max_position_embeddings": 512, "share_att_key": True, "pos_att_type": "p2c|c2p",
              "norm_rel_ebd": "layer_norm", "position_biased_input": False, "relative_attention": True,
              "max_relative_positions": -1, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
              "intermediate_size": 3072, "type_vocab_size": 0, "layer_norm_eps": 1e-7, "vocab_size": 128100}
    assert encoder_config(values, deberta, "config.json") == deberta.CONFIG


@pytest.mark.parametrize("values, words", [
    ({"relative_attention": False}, "relative_attention=false"), ({}, "relative_attention=false"),
    ({"pos_att_type": "c2p|p2p"}, "pos_att_type="), ({"norm_rel_ebd": "batch"}, "norm_rel_ebd='batch' is unknown"),
    ({"conv_kernel_size": 3}, "conv_kernel_size=3: bertkit has DeBERTa without a convolution"),
    ({"embedding_size": 64}, "embedding_size=64"), ({"attention_head_size": 7}, "attention_head_size=7"),
    ({"position_buckets": 7}, "position_buckets=7|buckets=7"), ({"share_att_key": "yes"}, "share_att_key='yes'"),
    ({"position_biased_input": 1}, "position_biased_input=1"), ({"hidden_act": "gelo"}, "hidden_act='gelo'")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    given = {"relative_attention": True} | values if values else values
    with pytest.raises(Error, match=f"config.json: .*({words})"):
        encoder_config(given, deberta, "config.json")


def test_values_that_change_nothing_are_read():
    same = {"conv_kernel_size": 0, "embedding_size": 1536, "attention_head_size": 64, "pooler_hidden_size": 1536}
    encoder_config({"relative_attention": True, **same}, deberta, "config.json")


@pytest.mark.parametrize("values, kind", [
    ({}, ("gelu_erf", False)), ({"pooler_hidden_act": "tanh"}, ("tanh", False)),
    ({"pooler_dropout": 0.1}, ("gelu_erf", True)), ({"pooler_dropout": 0.3, "cls_dropout": 0.3}, ("gelu_erf", True))])
def test_the_pooler_is_the_heads_dense_layer(values, kind):
    read = deberta.HUGGINGFACE.read_heads(values)["classify"]
    assert (read.reduce, read.activation, read.drop_first) == ("first", *kind)


def test_another_rate_before_the_dense_layer_is_refused():
    with pytest.raises(Error, match="pooler_dropout=0.3; a head has one rate"):
        deberta.HUGGINGFACE.read_heads({"pooler_dropout": 0.3})


def test_what_transformers_does_not_have_is_not_written(tmp_path):
    with pytest.raises(Error, match="this one has Full"):
        huggingface.save(tmp_path, Encoder(CONFIG.but(attention=Full())))

"""MPNet's page: published counts, names, config.json both ways, the reference's numbers, its table of distances."""

import json

import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import config_json, encoder_config
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import mpnet, published
from bertkit.heads import Classifier
from bertkit.kinds import Absolute, Bucketed, Full
from bertkit.layers.gather import FIRST
from bertkit.training.lr_scales import weight_depths
from tests.family import checks
from tests.recorded import GOLDEN

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
CONFIG = mpnet.CONFIG.but(vocabulary_size=31, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=12,
                          max_sequence_length=16)
MODELS = checks.models(CONFIG)


def test_published_counts():
    """model.safetensors of all-mpnet-base-v2 has 109,486,978 numbers, 514 of them the counted positions."""
    assert parameters(published("all-mpnet-base-v2")) + 514 == 109_486_978
    head = 768 ** 2 + 3 * 768 + 30527
    assert parameters(published("mpnet-base").but(pooler=None)) + head == 109_518_527


@pytest.mark.parametrize("config", [CONFIG, CONFIG.but(pooler=None), CONFIG.but(attention=Bucketed(8, 20))], ids=str)
def test_a_small_one_has_as_many(config):
    checks.assert_counts(config)


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], mpnet.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone(MODELS))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG, 2 if head == "choose" else None), tmp_path)


@pytest.mark.parametrize("folder", checks.encoders_alone(sorted((GOLDEN / "heads" / "mpnet").iterdir())),
                         ids=lambda folder: folder.name)
def test_recorded_references(folder):
    """Rows of up to 200 tokens, which reach every bucket; all states and attentions of the encoder."""
    assert checks.largest_difference(folder) < 2e-5


def test_a_bias_that_is_mirrored_is_seen():
    folder = GOLDEN / "heads" / "mpnet" / "base"
    model = checkpoints.load(folder)
    assert isinstance(model, Encoder)
    call = checks.calls(folder)["padded"]
    wanted = np.asarray(model(call.batch)["sequence"])
    table = np.asarray(model.distances.table)
    model.distances.table.assign(np.concatenate([table[16:], table[:16]]))
    assert np.abs(np.asarray(model(call.batch)["sequence"]) - wanted).max() > 1e-2


def test_the_last_block_computes_the_tokens_that_are_asked_for():
    encoder, batch = Encoder(CONFIG.but(pooler=None, initializer_range=0.5)), checks.batch(CONFIG)
    wanted, places = np.asarray(encoder(batch)["sequence"]), np.array([[3, 0], [4, 2]])
    found = np.asarray(encoder(batch, positions=places)["sequence"])
    np.testing.assert_allclose(found, np.take_along_axis(wanted, places[:, :, None], 1), atol=1e-5)
    np.testing.assert_allclose(np.asarray(encoder(batch, positions=FIRST)["sequence"]), wanted[:, :1], atol=1e-5)


def test_the_table_of_distances_learns_as_the_embeddings_do():
    model = Classifier(Encoder(CONFIG), ("a", "b"))
    assert {depth for weight, depth in weight_depths(model) if "distances" in weight.path} == {0}


def test_blocks_share_one_table():
    with pytest.raises(Error, match="all blocks share one table of distances"):
        Encoder(CONFIG.but(attention=(Bucketed(), Bucketed(16))))


OTHERWISE = {
    "vocab_size": 31, "hidden_size": 12, "intermediate_size": 7, "num_hidden_layers": 3, "num_attention_heads": 3,
    "hidden_act": "relu", "hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3, "initializer_range": 0.5,
    "max_position_embeddings": 99, "layer_norm_eps": 1e-3, "relative_attention_num_buckets": 32}


def test_config_json_is_read_and_written_back():
    config = encoder_config(OTHERWISE, mpnet, "config.json")
    written = json.loads(json.dumps(config_json(Encoder(config), config, None, mpnet)))
    assert {key: written[key] for key in OTHERWISE} == OTHERWISE
    assert encoder_config(written, mpnet, "config.json") == config


def test_keys_that_are_missing_mean_what_the_class_says():
    config = encoder_config({}, mpnet, "config.json")
    assert config == mpnet.CONFIG.but(max_sequence_length=512, layer_norm_epsilon=1e-12)


@pytest.mark.parametrize("values, words", [
    ({"relative_attention_num_buckets": 64}, "relative_attention_num_buckets=64; MPNet's code puts distances into 32"),
    ({"relative_attention_num_buckets": "x"}, "relative_attention_num_buckets='x'; wanted a whole number"),
    ({"hidden_act": "gelo"}, "hidden_act='gelo'"), ({"layer_norm_eps": 0}, "layer_norm_eps=0"),
    ({"hidden_size": 770}, "hidden_size=770 is not a multiple of num_attention_heads=12")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json: {words}"):
        encoder_config(values, mpnet, "config.json")


@pytest.mark.parametrize("changes, words", [
    ({"attention": Bucketed(16)}, r"has Bucketed\(buckets=32"), ({"attention": Full()}, "this one has Full"),
    ({"positions": Absolute(pad_id=0)}, "this one has .*pad_id=0")])
def test_what_transformers_does_not_have_is_not_written(changes, words, tmp_path):
    with pytest.raises(Error, match=words):
        huggingface.save(tmp_path, Encoder(CONFIG.but(**changes)))

"""DistilBERT's page: its counts, its own names, the table of sines, the dropout of its heads."""

import math

import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import encoder_config
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import distilbert, published
from bertkit.heads import Classifier
from bertkit.kinds import Absolute
from tests.family import checks

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")

# family-spec, section 5: the encoder, and with the head for masked words.
COUNTS = {
    "distilbert-base-uncased": (66_362_880, 66_985_530), "distilbert-base-cased": (65_190_912, 65_812_036),
    "distilbert-base-multilingual-cased": (134_734_080, 135_445_755),
}
CONFIG = distilbert.CONFIG.but(vocabulary_size=31, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=12,
                               max_sequence_length=16)
MODELS = checks.models(CONFIG)


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    head = config.hidden_dim ** 2 + 3 * config.hidden_dim + config.vocabulary_size
    assert (parameters(config), parameters(config) + head) == COUNTS[name]


def test_a_small_one_has_as_many():
    checks.assert_counts(CONFIG)
    assert checks.head_parameters(MODELS["mlm"]) == 8 * 8 + 3 * 8 + 31


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], distilbert.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone([head for head in MODELS if head != "choose"]))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG), tmp_path)


def test_one_output_may_be_a_choice_or_a_regression(tmp_path):
    """Both heads have the same tensors."""
    huggingface.save(tmp_path, MODELS["choose"])
    rows = checks.batch(CONFIG, choices=3)
    np.testing.assert_array_equal(np.asarray(checkpoints.load(tmp_path)(rows)), np.asarray(MODELS["choose"](rows)))
    with pytest.raises(Error, match="holds classifier, pre_classifier, and its config.json names no architectures"):
        checkpoints.load(checks.unnamed(tmp_path))
    model = checkpoints.load(checks.unnamed(tmp_path, problem_type="regression", num_labels=1))
    assert isinstance(model, Classifier) and model.labels == ("0",)


def test_segments_and_a_pooler_are_what_it_lacks():
    outputs = Encoder(CONFIG)(checks.batch(CONFIG) | {"segment_ids": np.ones((2, 7), "int32")})
    assert set(outputs) == {"sequence"}


@pytest.mark.parametrize("width", [8, 10])
def test_sinusoidal_positions_begin_as_sines_and_cosines(width):
    """Vaswani et al. 2017, section 3.5, cell by cell."""
    config = CONFIG.but(positions=Absolute(sinusoidal=True), hidden_dim=width)
    table = np.asarray(Encoder(config).embeddings.position.table)
    for position in range(16):
        for k in range(width // 2):
            angle = position / 10000 ** (2 * k / width)
            np.testing.assert_allclose(table[position, 2 * k:2 * k + 2], [math.sin(angle), math.cos(angle)], atol=1e-6)


def test_the_rates_of_its_heads_have_keys_of_their_own(tmp_path):
    rates = {head: MODELS[head].dropout for head in ("classify", "choose", "tag", "answer")}
    assert rates == {"classify": 0.2, "choose": 0.2, "tag": 0.1, "answer": 0.1}
    huggingface.save(tmp_path, MODELS["classify"])
    assert checkpoints.load(checks.unnamed(tmp_path, seq_classif_dropout=0.35)).dropout == 0.35


@pytest.mark.parametrize("values, words", [
    ({"sinusoidal_pos_embds": 1}, "sinusoidal_pos_embds=1; wanted true or false"), ({"dim": -3}, "dim=-3 is no size"),
    ({"hidden_dim": "x"}, 'hidden_dim="x" is no size'), ({"activation": "gelo"}, "activation='gelo' is unknown"),
    ({"n_heads": 5}, "dim=768 is not a multiple of n_heads=5"), ({"dropout": 1.5}, "dropout=1.5 is no probability")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json: {words}"):
        encoder_config(values, distilbert, "config.json")


def test_the_epsilon_is_no_setting():
    assert encoder_config({"layer_norm_eps": 0.5}, distilbert, "config.json").layer_norm_epsilon == 1e-12


@pytest.mark.parametrize("folder", checks.encoders_alone([
    "distilbert/base", "distilbert/seqcls", "distilbert/mc", "distilbert/qa", "distilbert_sin/base",
    "distilbert_sin/mlm"]))
def test_recorded_references(shared, folder):
    assert checks.largest_difference(shared(f"checkpoints/{folder}")) < 2e-5

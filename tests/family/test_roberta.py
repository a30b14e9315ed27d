"""RoBERTa's page and the two that differ from it by their vocabularies, XLM-R's and CamemBERT's."""

import numpy as np
import pytest

from bertkit.checkpoints.architectures import encoder_config
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import camembert, page, published, roberta, xlm_roberta
from tests.family import checks

# family-spec, section 5: with the pooler, and without it but with the head for masked words.
COUNTS = {
    "roberta-base": (124_645_632, 124_697_433), "roberta-large": (355_359_744, 355_412_057),
    "xlm-roberta-base": (278_043_648, 278_295_186), "xlm-roberta-large": (559_890_432, 560_142_482),
    "camembert-base": (110_621_952, 110_655_493), "camembert-large": (336_661_504, 336_695_557),
}
SMALL = {"vocabulary_size": 31, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12,
         "max_sequence_length": 16}
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
PAGES = pytest.mark.parametrize("each", [roberta, xlm_roberta, camembert], ids=lambda each: each.CONFIG.family)
SMALL_MODELS = checks.models(roberta.CONFIG.but(**SMALL))


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    head = config.hidden_dim ** 2 + 3 * config.hidden_dim + config.vocabulary_size
    assert (parameters(config), parameters(config.but(pooler=None)) + head) == COUNTS[name]


@PAGES
def test_a_small_one_has_as_many(each):
    config = each.CONFIG.but(**SMALL)
    checks.assert_counts(config)
    checks.assert_counts(config.but(pooler=None))
    assert checks.head_parameters(SMALL_MODELS["mlm"]) == 8 * 8 + 3 * 8 + 31


def test_512_tokens_stand_in_514_positions():
    assert roberta.CONFIG.max_length == 512
    with pytest.raises(Error, match="15 tokens a row and the encoder 14"):
        Encoder(roberta.CONFIG.but(**SMALL))({"token_ids": np.full((1, 15), 5)})


@pytest.mark.parametrize("head", SMALL_MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(SMALL_MODELS[head], roberta.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone(SMALL_MODELS))
def test_heads_come_back_whole(head, tmp_path):
    model = SMALL_MODELS[head]
    checks.assert_survives(model, checks.batch(model.encoder.config, 2 if head == "choose" else None), tmp_path)


def test_words_are_read_by_the_exact_gelu_whatever_the_blocks_use():
    model = checks.models(roberta.CONFIG.but(**SMALL, activation="relu"))["mlm"]
    assert model.heads["mlm"].activation.__name__ == "gelu_erf"


@PAGES
def test_keys_that_are_missing_mean_what_the_class_says(each):
    """transformers' RobertaConfig() is no published model: 512 positions, two segments, epsilon 1e-12."""
    config = encoder_config({"hidden_size": 24}, each, "config.json")
    assert (config.max_sequence_length, config.num_segments, config.layer_norm_epsilon) == (512, 2, 1e-12)
    assert (config.positions.pad_id, config.vocabulary_size) == (1, 50265 if each is roberta else 30522)


@pytest.mark.parametrize("values, words", [
    ({"pad_token_id": "x"}, "pad_token_id='x'; wanted a whole number"), ({"pad_token_id": -1}, "pad_token_id=-1"),
    ({"is_decoder": "yes"}, "is_decoder='yes'; wanted true or false"),
    ({"hidden_size": 770}, "hidden_size=770 is not a multiple of num_attention_heads=12"),
    ({"num_hidden_layers": 0}, "num_hidden_layers=0 is no size")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json: {words}"):
        encoder_config(values, roberta, "config.json")


def test_settings_survive_the_way_there_and_back(tmp_path):
    """A causal one, whose padding has another id, and whose decoder is its own."""
    values = {"pad_token_id": 7, "is_decoder": True, "type_vocab_size": 3, "hidden_act": "gelu_new"}
    config = encoder_config(values, roberta, "config.json").but(**SMALL)
    assert (config.positions.pad_id, config.attention.causal, config.num_segments) == (7, True, 3)
    model = checks.models(config)["mlm"]
    checks.assert_survives(model, checks.batch(config), tmp_path)


@pytest.mark.parametrize("folder", checks.encoders_alone([
    "roberta/base", "roberta/seqcls", "roberta/mc", "roberta_pad5/base", "roberta_pad5/mlm", "xlmr/base",
    "xlmr/mlm", "camembert/base", "camembert/tokcls", "formats/roberta_bin", "formats/roberta_fp16"]))
def test_recorded_references(shared, folder):
    assert checks.largest_difference(shared(f"checkpoints/{folder}")) < 2e-5


def test_pages_are_found_by_their_names():
    assert [page(each.CONFIG.family) for each in (roberta, xlm_roberta, camembert)] == [roberta, xlm_roberta, camembert]

"""BERT's page: published counts, and names for every variable, each its own."""

import pytest

from bertkit.checkpoints import google, huggingface, preset
from bertkit.checkpoints.tensors import variables, weight_mapping
from bertkit.config import EncoderConfig
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import PAGES, bert, page, published

# family-spec section 5: parameters with the pooler, counted in the published files.
COUNTS = {
    "bert-base-uncased": 109_482_240,
    "bert-base-cased": 108_310_272,
    "bert-large-uncased": 335_141_888,
    "bert-large-cased": 333_579_264,
    "bert-large-uncased-whole-word-masking": 335_141_888,
    "bert-large-cased-whole-word-masking": 333_579_264,
    "bert-base-multilingual-cased": 177_853_440,
    "bert-base-multilingual-uncased": 167_356_416,
    "bert-base-dutch-cased": 109_137_408,
    "spanbert-base-cased": 108_310_272,
    "spanbert-large-cased": 333_579_264,
    "bert-tiny": 4_385_920,
    "bert-mini": 11_170_560,
    "bert-small": 28_763_648,
    "bert-medium": 41_373_184,
    "TinyBERT_General_4L_312D": 14_350_248,
    "TinyBERT_General_6L_768D": 66_955_008,
    "all-MiniLM-L6-v2": 22_713_216,
    "all-MiniLM-L12-v2": 33_360_000,
    "bert_uncased_L-2_H-128_A-2": 4_385_920,
    "bert_uncased_L-8_H-512_A-8": 41_373_184,
    "bert_uncased_L-12_H-768_A-12": 109_482_240,
}
SMALL = EncoderConfig(vocabulary_size=9, num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=8)


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    assert parameters(published(name)) == COUNTS[name]


def test_the_24_small_models_are_all_there():
    """Turc et al. 2019, table 1: 2 to 12 layers by 128 to 768 features, 64 to a head."""
    names = [name for name in bert.SIZES if name.startswith("bert_uncased_L-")]
    assert len(names) == 24
    for name in names:
        layers, width, heads = (int(part.split("-")[1]) for part in name.split("_")[2:])
        config = published(name)
        assert (config.num_layers, config.hidden_dim, config.num_heads) == (layers, width, heads)
        assert (config.head_dim, config.intermediate_dim) == (64, 4 * width)


@pytest.mark.parametrize("table, leaves", [
    (bert.HUGGINGFACE.names, huggingface.LEAVES), (bert.GOOGLE.names, google.LEAVES),
    (bert.PRESET.names, preset.LEAVES)],
    ids=["huggingface", "google", "preset"])
def test_every_variable_has_its_own_name(table, leaves):
    ours = variables(Encoder(SMALL))
    names = [slot.name for slot in weight_mapping(ours, table, leaves).values()]
    assert len(names) == len(set(names)) == len(ours) == 3 + 2 + 2 * 16 + 2


def test_googles_names_are_those_of_its_code():
    """google-research/bert, modeling.py, as its released checkpoints list them."""
    names = {slot.name for slot in weight_mapping(variables(Encoder(SMALL)), bert.GOOGLE.names, google.LEAVES).values()}
    assert {"bert/embeddings/word_embeddings", "bert/embeddings/LayerNorm/gamma", "bert/pooler/dense/bias",
            "bert/encoder/layer_1/attention/self/query/kernel", "bert/encoder/layer_0/output/LayerNorm/beta",
            "bert/encoder/layer_0/attention/output/dense/kernel",
            "bert/encoder/layer_1/intermediate/dense/bias"} <= names


@pytest.mark.parametrize("name", PAGES)
def test_every_page_describes_its_formats(name):
    assert isinstance(page(name).CONFIG, EncoderConfig)
    assert all(isinstance(config, EncoderConfig) for config in page(name).SIZES.values())


def test_an_unknown_architecture_is_named():
    with pytest.raises(Error, match="The family 'gpt2' is not one bertkit knows; it has bert"):
        page("gpt2")


def test_an_unknown_checkpoint_is_answered_with_close_names():
    with pytest.raises(Error, match="'bert-base-uncasd'; close names are bert-base-uncased"):
        published("bert-base-uncasd")

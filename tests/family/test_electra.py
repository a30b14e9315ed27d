"""ELECTRA's page: two models, of one checkpoint in the original release; how its multiple choice sums up a text."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import encoder_config
from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import electra, published
from bertkit.heads import LanguageModel, MultipleChoice, PretrainingModel
from tests.family import checks, releases

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")

# family-spec, section 5: the encoder; with the head of the discriminator or of the generator.
COUNTS = {
    "electra-small-discriminator": (13_483_008, 13_549_057), "electra-base-discriminator": (108_891_648, 109_483_009),
    "electra-large-discriminator": (334_092_288, 335_142_913), "electra-small-generator": (13_483_008, 13_546_682),
    "electra-base-generator": (33_511_168, 33_740_602), "electra-large-generator": (50_999_552, 51_295_290),
}
CONFIG = electra.CONFIG.but(vocabulary_size=31, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=12,
                            embedding_dim=6, max_sequence_length=16)
MODELS = checks.models(CONFIG)


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    width, narrow = config.hidden_dim, config.embedding_dim or config.hidden_dim
    discriminator = width * width + 2 * width + 1
    generator = width * narrow + 3 * narrow + config.vocabulary_size
    head = generator if "generator" in name else discriminator
    assert (parameters(config), parameters(config) + head) == COUNTS[name]


def test_a_small_one_has_as_many():
    checks.assert_counts(CONFIG)
    checks.assert_counts(CONFIG.but(embedding_dim=None))
    assert checks.head_parameters(MODELS["rtd"]) == 8 * 8 + 2 * 8 + 1
    assert checks.head_parameters(MODELS["mlm"]) == 8 * 6 + 3 * 6 + 31


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], electra.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone(MODELS))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG, 2 if head == "choose" else None), tmp_path)


def test_equal_widths_are_not_projected():
    assert encoder_config({"embedding_size": 64, "hidden_size": 64}, electra, "config.json").embedding_dim is None
    assert encoder_config({"hidden_size": 64}, electra, "config.json").embedding_dim == 128


@pytest.mark.parametrize("values, reduced", [
    ({}, lambda x: x[:, 0]), ({"summary_type": "last"}, lambda x: x[:, -1]),
    ({"summary_type": "mean"}, lambda x: x.mean(1)), ({"summary_type": "cls_index"}, lambda x: x[:, -1])])
@pytest.mark.parametrize("activation, function", [("tanh", np.tanh), ("", lambda x: x)])
@pytest.mark.parametrize("dense", [True, False])
def test_multiple_choice_sums_up_a_text_as_its_config_says(values, reduced, activation, function, dense):
    values = values | {"summary_activation": activation, "summary_use_proj": dense}
    head_config = electra.HUGGINGFACE.read_heads(values)["choose"]
    model = MultipleChoice(MODELS["choose"].encoder, head_config=head_config)
    rows = checks.batch(CONFIG, choices=2)
    x = np.asarray(model.encoder({name: array.reshape(4, 7) for name, array in rows.items()})["sequence"])
    head = model.heads["choose"]
    x = reduced(x)
    x = x @ np.asarray(head.dense.kernel) + np.asarray(head.dense.bias) if dense else x
    wanted = function(x) @ np.asarray(head.logits.kernel) + np.asarray(head.logits.bias)
    np.testing.assert_allclose(np.asarray(model(rows)), wanted.reshape(2, 2), atol=1e-5)
    again = electra.HUGGINGFACE.read_heads(electra.HUGGINGFACE.write_heads({"choose": head_config}))["choose"]
    assert again == head_config


@pytest.mark.parametrize("values, words", [
    ({"summary_type": "attn"}, "summary_type='attn' is unknown; bertkit has first, last, mean, cls_index"),
    ({"summary_activation": "gelo"}, "summary_activation='gelo' is unknown"),
    ({"summary_use_proj": 1}, "summary_use_proj=1; wanted true or false"),
    ({"embedding_size": 0}, "embedding_size=0; wanted a whole number from 1")])
def test_a_wrong_value_is_told_by_its_key(values, words, tmp_path):
    huggingface.save(tmp_path, MODELS["choose"])
    with pytest.raises(Error, match=words):
        checkpoints.load(checks.unnamed(tmp_path, **values))


def _release(folder, generator=True, width=8, own=4):
    """Write a tiny release as google-research/electra names it; the generator is half as wide and one block deep."""
    rng, narrow = np.random.default_rng(5), 6
    parts = ("attention", "attention/output/LayerNorm", "intermediate/dense", "output/dense", "output/LayerNorm")
    arrays = releases.embeddings("electra/embeddings", 31, 16, 2, narrow, rng)
    arrays |= releases.dense("electra/embeddings_project", narrow, width, rng)
    for i in range(2):
        arrays |= releases.layer(f"electra/encoder/layer_{i}", width, 12, parts, rng)
    arrays |= releases.dense("discriminator_predictions/dense", width, width, rng)
    arrays |= releases.dense("discriminator_predictions/dense_1", width, 1, rng)
    if generator:
        arrays |= releases.dense("generator/embeddings_project", narrow, own, rng)
        arrays |= releases.layer("generator/encoder/layer_0", own, 16, parts, rng)
        arrays |= releases.dense("generator_predictions/dense", own, narrow, rng)
        arrays |= releases.norm("generator_predictions/LayerNorm", narrow, rng)
        arrays["generator_predictions/output_bias"] = rng.normal(0, 0.3, 31).astype("float32")
    values = {"vocab_size": 31, "embedding_size": narrow, "hidden_size": width, "num_hidden_layers": 2,
              "num_attention_heads": 2, "intermediate_size": 12, "hidden_act": "gelu", "max_position_embeddings": 16}
    return releases.write(folder, "config.json", values, arrays), arrays


def test_one_release_holds_two_models(tmp_path):
    folder, arrays = _release(tmp_path / "release")
    discriminator, generator = checkpoints.load(folder), checkpoints.load(folder, part="generator")
    assert isinstance(discriminator, PretrainingModel) and isinstance(generator, LanguageModel)
    own = generator.encoder.config
    assert (own.num_layers, own.hidden_dim, own.intermediate_dim, own.num_heads, own.embedding_dim) == (1, 4, 16, 1, 6)
    for model in (discriminator, generator):
        assert model.encoder.config.activation == "gelu_erf"
        np.testing.assert_array_equal(model.encoder.embeddings.token.embeddings,
                                      arrays["electra/embeddings/word_embeddings"])
    np.testing.assert_array_equal(generator.encoder.blocks[0].inner.kernel,
                                  arrays["generator/encoder/layer_0/intermediate/dense/kernel"])
    np.testing.assert_array_equal(discriminator.encoder.blocks[1].attention_norm.gamma,
                                  arrays["electra/encoder/layer_1/attention/output/LayerNorm/gamma"])
    np.testing.assert_array_equal(discriminator.heads["rtd"].logits.kernel,
                                  arrays["discriminator_predictions/dense_1/kernel"])
    rows = checks.batch(CONFIG)
    assert set(discriminator(rows)) == {"rtd_logits"} and discriminator(rows)["rtd_logits"].shape == (2, 7)
    assert generator(rows).shape == (2, 7, 31)
    encoder = checkpoints.load(folder, part="encoder")
    assert isinstance(encoder, Encoder) and encoder.config == discriminator.encoder.config


def test_a_generator_as_wide_as_the_embeddings_has_no_projection(tmp_path):
    folder, arrays = _release(tmp_path / "release", own=6)
    with pytest.raises(Error, match="set aside|generator/embeddings_project"):
        checkpoints.load(folder, part="generator")
    arrays = {name: array for name, array in arrays.items() if not name.startswith("generator/embeddings_project")}
    values = {"vocab_size": 31, "embedding_size": 6, "hidden_size": 8, "num_hidden_layers": 2,
              "num_attention_heads": 4, "intermediate_size": 12, "max_position_embeddings": 16}
    releases.write(tmp_path / "other", "config.json", values, arrays)
    config = checkpoints.load(tmp_path / "other", part="generator").encoder.config
    assert (config.hidden_dim, config.embedding_dim, config.num_heads) == (6, None, 3)


def test_a_part_that_is_not_there_is_refused(tmp_path):
    folder, _ = _release(tmp_path / "release", generator=False)
    with pytest.raises(Error, match="holds no generator"):
        checkpoints.load(folder, part="generator")
    with pytest.raises(Error, match="part='teacher' is unknown; .*release has encoder, generator"):
        checkpoints.load(folder, part="teacher")
    huggingface.save(tmp_path, MODELS["rtd"])
    with pytest.raises(Error, match="part='generator' is unknown; .* has encoder"):
        checkpoints.load(tmp_path, part="generator")


@pytest.mark.parametrize("folder", checks.encoders_alone([
    "electra/base", "electra/mlm", "electra/pretraining", "electra/seqcls", "electra/mc", "electra_same/base",
    "electra_same/mlm", "electra_same/mc"]))
def test_recorded_references(shared, folder):
    assert checks.largest_difference(shared(f"checkpoints/{folder}")) < 2e-5


def test_recorded_release(shared):
    folder = shared("checkpoints/formats/electra_tf1")
    recorded = checks.calls(folder)
    for part, call in ((None, recorded["discriminator"]), ("generator", recorded["generator"])):
        found = checks.computed(checkpoints.load(folder, part=part), call.batch)
        difference = checks.differences(found, call, besides=set(call.outputs) - {"logits"})
        assert list(difference) == ["logits"] and difference["logits"] < 2e-5


def test_an_untied_decoder_has_a_bias_and_no_second_one(tmp_path, shared):
    """ELECTRA's decoder and its bias lie under one name."""
    huggingface.save(tmp_path, checkpoints.load(shared("checkpoints/electra_same/mlm")))
    names = set(load_file(tmp_path / "model.safetensors"))
    assert {"generator_lm_head.weight", "generator_lm_head.bias"} <= names
    assert names == set(load_file(shared("checkpoints/electra_same/mlm/model.safetensors")))

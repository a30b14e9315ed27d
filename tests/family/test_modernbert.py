"""ModernBERT's page: published counts, names, config.json in both spellings, the reference's numbers."""

import json

import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import config_json, encoder_config
from bertkit.cost import cost, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import modernbert, published
from bertkit.heads import Classifier, LanguageModel, MultipleChoice
from bertkit.kinds import HeadConfig, Language, PreNorm, Rotary
from tests.family import checks
from tests.family.round_trip import assert_comes_back
from tests.recorded import calls, differences

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
# family-spec, section 5: without a head, and with the one for masked words.
COUNTS = {"ModernBERT-base": (149_014_272, 149_655_232), "ModernBERT-large": (394_781_696, 395_881_664),
          # The models that transformers 5.24 makes of these sizes, which are published as 307 and 140 million.
          "mmBERT-base": (306_939_648, 307_786_240), "mmBERT-small": (140_493_696, 140_897_536)}
SMALL = {"vocabulary_size": 31, "num_layers": 4, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 5}
CONFIG = modernbert.CONFIG.but(**SMALL, attention=(Rotary(160_000.0), Rotary(10_000.0, 2)))
BIASED = CONFIG.but(block=PreNorm(norm_bias=True, feed_bias=True), qkv_bias=True, activation="silu")
MODELS = checks.models(CONFIG)


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    head = config.hidden_dim ** 2 + config.hidden_dim + config.vocabulary_size
    assert (parameters(config), parameters(config) + head) == COUNTS[name]


@pytest.mark.parametrize("config", [CONFIG, BIASED, CONFIG.but(num_layers=1)], ids=["plain", "biased", "one"])
def test_a_small_one_has_as_many(config):
    checks.assert_counts(config)


def test_a_small_head_has_as_many():
    assert checks.head_parameters(MODELS["mlm"]) == 8 * 8 + 8 + 31


def test_time_grows_linearly_where_attention_is_local():
    """Warner et al. 2024, section 2.1.2: two layers of three see 128 tokens, however long the text is."""
    local = modernbert.CONFIG.but(attention=modernbert.LOCAL)
    assert cost(local, 8192)["flops"] == 2 * cost(local, 4096)["flops"]
    assert 2.5 < cost(modernbert.CONFIG, 8192)["flops"] / cost(modernbert.CONFIG, 4096)["flops"] < 3
    assert cost(local, 8192)["activation_bytes"] == 2 * cost(local, 4096)["activation_bytes"]


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], modernbert.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone(MODELS))
def test_heads_come_back_whole(head, tmp_path):
    assert_comes_back(MODELS[head], checks.batch(CONFIG, 2 if head == "choose" else None), tmp_path)


def test_settings_survive_the_way_there_and_back(tmp_path):
    """Every entry of config.json turned round: biases, pooling, activation, an untied decoder without a bias."""
    batch, block = checks.batch(BIASED), HeadConfig("real", "gelu_tanh", norm=True)
    assert_comes_back(Classifier(Encoder(BIASED), ("a", "b", "c"), head_config=block), batch, tmp_path / "mean")
    assert_comes_back(LanguageModel(Encoder(BIASED), head_config=Language("silu", tied=False, bias=False)), batch,
                      tmp_path / "mlm")


@pytest.mark.parametrize("head_config", [
    HeadConfig("mean", "gelu_erf", norm=True, bias=False), HeadConfig("first", "encoder", norm=True, bias=False),
    HeadConfig("first", "gelu_erf", norm=True, bias=False, drop_first=True)], ids=str)
def test_a_head_that_transformers_does_not_have_is_not_written(head_config, tmp_path):
    with pytest.raises(Error, match="Hugging Face's ModernBert has no head like HeadConfig"):
        huggingface.save(tmp_path, Classifier(Encoder(CONFIG), ("a", "b"), head_config=head_config))


OTHERWISE = {
    "vocab_size": 31, "hidden_size": 12, "intermediate_size": 7, "num_hidden_layers": 3, "num_attention_heads": 3,
    "hidden_activation": "relu", "local_attention": 10, "norm_eps": 1e-3, "norm_bias": True, "attention_bias": True,
    "mlp_bias": True, "mlp_dropout": 0.1, "embedding_dropout": 0.2, "attention_dropout": 0.3, "initializer_range": 0.5,
    "max_position_embeddings": 99, "layer_types": ["sliding_attention", "full_attention", "full_attention"],
    "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 7.0},
                        "sliding_attention": {"rope_type": "default", "rope_theta": 8.0}}}


@pytest.mark.parametrize("values", [OTHERWISE, {}], ids=["otherwise", "defaults"])
def test_config_json_is_read_and_written_back(values):
    config = encoder_config(values, modernbert, "config.json")
    assert (config == modernbert.CONFIG) == (not values)
    written = json.loads(json.dumps(config_json(Encoder(config.but(vocabulary_size=31, num_layers=3, hidden_dim=12,
                                                                   intermediate_dim=7, num_heads=3)),
                                                config, None, modernbert)))
    assert {key: written[key] for key in values} == values
    assert encoder_config(written, modernbert, "config.json") == config


def test_older_files_mean_the_same():
    older = {"global_attn_every_n_layers": 2, "global_rope_theta": 7, "local_rope_theta": 8.0, "local_attention": 9}
    assert encoder_config(older, modernbert, "config.json").attention == (Rotary(7.0), Rotary(8.0, 4))


@pytest.mark.parametrize("values, words", [
    ({"norm_bias": "no"}, "norm_bias='no'"), ({"attention_bias": 1}, "attention_bias=1"),
    ({"mlp_bias": 0.0}, "mlp_bias=0.0"), ({"mlp_dropout": 1}, "mlp_dropout=1"), ({"layer_types": []}, None),
    ({"hidden_activation": "gelo"}, "hidden_activation='gelo'"), ({"norm_eps": 0}, "norm_eps=0"),
    ({"layer_types": ["full_attention"]}, "layer_types="), ({"embedding_dropout": -1}, "embedding_dropout=-1"),
    ({"rope_scaling": {"type": "linear"}}, "rope_scaling")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    if words is None:
        encoder_config(values, modernbert, "config.json")
        return
    with pytest.raises(Error, match=f"config.json: .*{words}"):
        encoder_config(values, modernbert, "config.json")


@pytest.mark.parametrize("values, words", [
    ({"classifier_pooling": "max"}, "classifier_pooling='max' is unknown; bertkit has cls, mean"),
    ({"classifier_activation": "gelo"}, "classifier_activation='gelo'"), ({"classifier_bias": 2}, "classifier_bias=2"),
    ({"decoder_bias": "x"}, "decoder_bias='x'")])
def test_a_wrong_value_of_a_head_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=words):
        modernbert.HUGGINGFACE.read_heads(values)


def test_what_classifiers_read():
    """cls is the first place, of choices the first real one; mean is that of real tokens (family-spec 3.6)."""
    heads = {pooling: modernbert.HUGGINGFACE.read_heads({"classifier_pooling": pooling}) for pooling in ("cls", "mean")}
    assert [heads["cls"][name].reduce for name in ("classify", "choose", "tag", "answer")] == [
        "first", "start", "each", "each"]
    assert [heads["mean"][name].reduce for name in ("classify", "choose", "tag")] == ["real", "real", "each"]


def test_choices_are_read_at_their_first_real_token():
    model, rng = MultipleChoice(Encoder(CONFIG)), np.random.default_rng(0)
    ids, mask = rng.integers(0, 31, (1, 2, 6)).astype("int32"), np.array([[[0, 0, 1, 1, 1, 1], [1] * 6]], "int32")
    found = np.asarray(model({"token_ids": ids, "padding_mask": mask}))
    other = np.where(mask > 0, ids, 5)
    np.testing.assert_array_equal(found, model({"token_ids": other, "padding_mask": mask}))
    alone = np.asarray(model({"token_ids": ids[:, :1, 2:]}))
    np.testing.assert_allclose(alone[0, 0], found[0, 0], atol=1e-5)     # positions count from the row's beginning


@pytest.mark.parametrize("case", ["modernbert", "modernbert_bias"])
def test_recorded_references(shared, case):
    heads = sorted(path.parent.name for path in shared(f"checkpoints/{case}").glob("*/model.safetensors"))
    for head in set(heads) - {"base"}:
        assert checks.largest_difference(shared(f"checkpoints/{case}/{head}")) < 2e-5, head
    assert {"base", "mlm", "mc", "seqcls"} <= set(heads)


@pytest.mark.parametrize("case", ["modernbert", "modernbert_bias"])
def test_recorded_states_and_attentions(shared, case):
    """Theirs are the states before each block, and the last after the last norm, which ours keeps apart."""
    encoder = checkpoints.load(shared(f"checkpoints/{case}/base"))
    for name, call in calls(shared(f"checkpoints/{case}/base")).items():
        if "token_ids" not in call.batch:
            continue
        outputs, layers = encoder(call.batch, trace=True), encoder.config.num_layers
        found = {"last_hidden_state": outputs["sequence"], f"hidden_states.{layers}": outputs["sequence"]}
        found |= {f"hidden_states.{i}": outputs["trace"][f"hidden/{i}"] for i in range(layers)}
        found |= {f"attentions.{i}": outputs["trace"][f"attention/{i + 1}"] for i in range(layers)}
        found = {output: np.asarray(array) for output, array in found.items()}
        assert max(differences(found, call).values()) < 2e-5, name

"""XLNet's page: its counts and names, what each key of its config.json does, and its original release."""

import numpy as np
import pytest
import tensorflow as tf

from bertkit import checkpoints
from bertkit.checkpoints import google, huggingface
from bertkit.checkpoints.architectures import encoder_config
from bertkit.checkpoints.tensors import variables, weight_mapping
from bertkit.cost import flops, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import published, xlnet
from bertkit.heads import Classifier, LanguageModel, MultipleChoice
from bertkit.kinds import Beam, HeadConfig, Relative
from tests.family import checks, releases
from tests.recorded import calls

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")

# family-spec, section 5: the encoder, and with the language model's bias.
COUNTS = {"xlnet-base-cased": (116_718_336, 116_750_336), "xlnet-large-cased": (360_268_800, 360_300_800)}
CONFIG = xlnet.CONFIG.but(vocabulary_size=31, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=12,
                          attention=Relative(memory=4))
MODELS = checks.models(CONFIG)


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    assert (parameters(config), parameters(config) + config.vocabulary_size) == COUNTS[name]


def test_a_small_one_has_as_many():
    checks.assert_counts(CONFIG)
    checks.assert_counts(CONFIG.but(head_size=3, num_heads=5))
    assert checks.head_parameters(MODELS["mlm"]) == 31
    assert checks.head_parameters(MODELS["beam"]) == 2 * (2 * 8 * 8 + 8) + 2 * 8 + 3 * 8 + 2


def test_flops_count_the_distances():
    """Each product of [..., m, k] and [..., k, n] takes 2·m·k·n operations; there are 2T distances."""
    encoder, length = Encoder(CONFIG), 5
    graph = tf.function(lambda ids: encoder({"token_ids": ids})).get_concrete_function(
        tf.TensorSpec((1, length), tf.int32)).graph
    counted = 0
    for operation in graph.get_operations():
        if operation.type in ("MatMul", "BatchMatMulV2"):
            counted += 2 * int(np.prod(operation.outputs[0].shape)) * operation.inputs[0].shape[-1]
        if operation.type == "Einsum":                  # [..., D] and [D, N, H], or [..., N, ..., H] and the same
            rows, kernel = (array.shape.num_elements() for array in operation.inputs)
            counted += 2 * rows // CONFIG.hidden_dim * kernel
    assert counted == flops(CONFIG, length)


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], xlnet.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone([head for head in MODELS if head != "choose"]))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG), tmp_path)


def test_one_logit_is_a_choice_or_a_score_and_the_class_says_which(tmp_path):
    huggingface.save(tmp_path, MODELS["choose"])
    copy, rows = checkpoints.load(tmp_path), checks.batch(CONFIG, choices=2)
    assert isinstance(copy, MultipleChoice)
    np.testing.assert_array_equal(copy(rows), MODELS["choose"](rows))
    with pytest.raises(Error, match="logits_proj, sequence_summary, and its config.json names no architectures"):
        checkpoints.load(checks.unnamed(tmp_path))
    score = checkpoints.load(checks.unnamed(tmp_path, problem_type="regression", num_labels=1))
    assert isinstance(score, Classifier)


# ------------------------------------------------------------------------------------------- config


@pytest.mark.parametrize("values, changed", [
    ({}, {"memory": 512}), ({"mem_len": None}, {"memory": 0}), ({"mem_len": 0}, {"memory": 0}),
    ({"mem_len": 7, "reuse_len": 3}, {"memory": 7, "reuse": 3}), ({"reuse_len": 0}, {"memory": 512}),
    ({"use_mems_eval": False}, {}), ({"clamp_len": 4}, {"memory": 512, "clamp": 4}),
    ({"attn_type": "uni", "same_length": True}, {"memory": 512, "causal": True, "same_length": True}),
    ({"bi_data": True}, {"memory": 512, "mirrored": True})])
def test_attention_is_what_the_config_says_and_is_written_back(values, changed):
    config = encoder_config(values, xlnet, "config.json")
    assert config.attention == Relative(**changed)
    assert encoder_config(xlnet.HUGGINGFACE.write(config), xlnet, "config.json").attention == config.attention


def test_missing_keys_mean_what_the_class_says():
    """transformers' XLNetConfig() is the large one."""
    assert encoder_config({}, xlnet, "config.json").but(attention=Relative()) == published("xlnet-large-cased")
    config = encoder_config({"d_head": 7}, xlnet, "config.json")
    assert config.head_dim == 7 and config.num_heads * 7 != config.hidden_dim
    with pytest.raises(Error, match="d_head=7: transformers' XLNet has heads as wide as d_model / n_head"):
        xlnet.HUGGINGFACE.write(config)


@pytest.mark.parametrize("values, kind", [
    ({}, HeadConfig("last", "tanh", dropout=0.1)),
    ({"summary_type": "first"}, HeadConfig("first", "tanh", dropout=0.1)),
    ({"summary_type": "mean", "summary_activation": "gelu"}, HeadConfig("mean", "gelu_erf", dropout=0.1)),
    ({"summary_type": "cls_index"}, HeadConfig("last", "tanh", dropout=0.1)),
    ({"summary_activation": ""}, HeadConfig("last", "linear", dropout=0.1)),
    ({"summary_use_proj": False}, HeadConfig("last", "tanh", dense=False, dropout=0.1)),
    ({"summary_use_proj": False, "summary_activation": ""}, HeadConfig("last", None, dense=False, dropout=0.1))])
def test_the_summary_of_a_text(values, kind):
    heads = xlnet.HUGGINGFACE.read_heads(values)
    assert heads["classify"] == heads["choose"] == kind
    assert xlnet.HUGGINGFACE.read_heads(xlnet.HUGGINGFACE.write_heads({"classify": kind})) == heads


def test_the_width_of_the_beam():
    heads = xlnet.HUGGINGFACE.read_heads({"start_n_top": 3, "end_n_top": 2})
    assert heads["beam"] == Beam(starts=3, ends=2)
    assert xlnet.HUGGINGFACE.write_heads({"beam": heads["beam"]}) == {"start_n_top": 3, "end_n_top": 2}


@pytest.mark.parametrize("values, words", [
    ({"attn_type": "both"}, "attn_type='both' is unknown; bertkit has bi, uni"),
    ({"mem_len": -1}, "mem_len=-1"), ({"mem_len": "x"}, "mem_len='x'"), ({"reuse_len": 1.5}, "reuse_len=1.5"),
    ({"clamp_len": True}, "clamp_len=True"), ({"same_length": 1}, "same_length=1"), ({"bi_data": "no"}, "bi_data='no'"),
    ({"use_mems_eval": 0}, "use_mems_eval=0"), ({"d_head": -1}, "d_head=-1"),
    ({"d_model": 9, "n_head": 2}, "d_model=9"), ({"n_layer": 0}, "n_layer=0"),
    ({"ff_activation": "gelo"}, "ff_activation='gelo'"), ({"dropout": 2}, "dropout=2")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json: {words}"):
        encoder_config(values, xlnet, "config.json")


@pytest.mark.parametrize("values, words", [
    ({"summary_type": "attn"}, "summary_type='attn'"), ({"summary_activation": "gelo"}, "summary_activation='gelo'"),
    ({"start_n_top": 0}, "start_n_top=0"), ({"end_n_top": None, "summary_use_proj": 2}, "summary_use_proj=2")])
def test_a_wrong_value_of_a_head_is_told_by_its_key(values, words, tmp_path):
    huggingface.save(tmp_path, MODELS["classify"])
    with pytest.raises(Error, match=words):
        checkpoints.load(checks.unnamed(tmp_path, **values))


def test_a_summary_that_transformers_lacks_is_not_written():
    with pytest.raises(Error, match="no summary that reads 'real'; save a bundle instead"):
        xlnet.HUGGINGFACE.write_heads({"classify": HeadConfig("real", "tanh")})


# ---------------------------------------------------------------------------------------- reference


def batch(call):
    """Return the batch of a recorded call, with the entries that only XLNet has."""
    given = dict(call.others)
    found = dict(call.batch) | {ours: given[theirs] for theirs, ours in (
        ("perm_mask", "permutation_mask"), ("target_mapping", "target_mapping")) if theirs in given}
    if "input_mask" in given:
        found["padding_mask"] = (1 - given["input_mask"]).astype("int32")
    if "mems.0" in given:
        found["mems"] = [given[f"mems.{i}"].transpose(1, 0, 2) for i in range(2)]
    return found


def distance(found, wanted, rows):
    """Return the largest difference; of tokens, the real ones'."""
    found = np.asarray(found)
    assert found.shape == wanted.shape
    real = rows.get("padding_mask", np.ones_like(rows["token_ids"])) > 0
    each = found.shape[:2] == real.shape and "target_mapping" not in rows
    return np.abs(found - wanted)[real if each else ...].max()


@pytest.mark.parametrize("folder", checks.encoders_alone([
    "xlnet/base", "xlnet/lm", "xlnet/seqcls", "xlnet/tokcls", "xlnet/qa_simple", "xlnet_uni/base", "xlnet_uni/lm",
    "xlnet_uni/seqcls", "formats/xlnet_tf1"]))
def test_recorded_references(shared, folder):
    folder = shared(f"checkpoints/{folder}")
    model, compared = checkpoints.load(folder), 0
    for call in calls(folder).values():
        if "token_ids" not in call.batch:               # the call that gives vectors instead of ids
            continue
        rows = batch(call)
        found = model(rows)
        found = found if isinstance(found, dict) else {"logits": found}
        for name, theirs in (("sequence", "last_hidden_state"), ("logits", "logits"), ("start_logits",) * 2,
                             ("end_logits",) * 2):
            if name in found:
                assert distance(found[name], call.outputs[theirs], rows) < 2e-5
                compared += 1
        for i, part in enumerate(found.get("mems", ())):
            if "padding_mask" not in rows:              # what padding is remembered as is nobody's business
                assert np.abs(np.asarray(part) - call.outputs[f"mems.{i}"].transpose(1, 0, 2)).max() < 2e-5
                compared += 1
    assert compared


def test_the_trace_is_the_recorded_one(shared):
    folder = shared("checkpoints/xlnet/base")
    found = checks.computed(checkpoints.load(folder), calls(folder)["padded"].batch, trace=True)
    call = calls(folder)["padded"]
    real = call.batch["padding_mask"] > 0
    for i in range(3):
        assert np.abs(found[f"hidden_states.{i}"] - call.outputs[f"hidden_states.{i}"])[real].max() < 2e-5


# ------------------------------------------------------------------------------------ original release

SIZES = {"n_token": 31, "d_model": 8, "n_layer": 2, "n_head": 2, "d_head": 4, "d_inner": 12, "ff_activation": "gelu"}


def release(folder, untied=True, shared_segments=False):
    """Write a tiny release as zihangdai/xlnet names it; biases are of each layer or of all."""
    rng, scope, stack = np.random.default_rng(3), "model/transformer", (2,) if untied else ()

    def draw(*shape):
        return rng.normal(0, 0.3, shape).astype("float32")

    arrays = {f"{scope}/word_embedding/lookup_table": draw(31, 8), f"{scope}/mask_emb/mask_emb": draw(1, 1, 8),
              f"{scope}/seg_embed": draw(*(() if shared_segments else (2,)), 2, 2, 4), "model/lm_loss/bias": draw(31)}
    arrays |= {f"{scope}/{name}": draw(*stack, 2, 4) for name in ("r_w_bias", "r_r_bias", "r_s_bias")}
    for i in range(2):
        layer = f"{scope}/layer_{i}"
        arrays |= {f"{layer}/rel_attn/{name}/kernel": draw(8, 2, 4) for name in "qkvor"}
        arrays |= releases.norm(f"{layer}/rel_attn/LayerNorm", 8, rng) | releases.norm(f"{layer}/ff/LayerNorm", 8, rng)
        arrays |= releases.dense(f"{layer}/ff/layer_1", 8, 12, rng) | releases.dense(f"{layer}/ff/layer_2", 12, 8, rng)
    return releases.write(folder, "xlnet_config.json", SIZES | {"untie_r": untied}, arrays), arrays


@pytest.mark.parametrize("untied, shared_segments", [(True, False), (False, False), (False, True)])
def test_the_release_is_a_language_model_whose_biases_may_be_shared(tmp_path, untied, shared_segments):
    folder, arrays = release(tmp_path / "release", untied, shared_segments)
    model = checkpoints.load(folder)
    assert isinstance(model, LanguageModel) and model.encoder.config.activation == "gelu_erf"
    ours = variables(model)
    for i in range(2):
        attention = f"encoder/block_{i}/attention/"
        for name, theirs in (("content_bias", "r_w_bias"), ("place_bias", "r_r_bias"), ("segment_bias", "r_s_bias")):
            wanted = arrays[f"model/transformer/{theirs}"]
            np.testing.assert_array_equal(ours[attention + name], wanted[i] if untied else wanted)
        segments = arrays["model/transformer/seg_embed"]
        np.testing.assert_array_equal(ours[attention + "segments"], segments if shared_segments else segments[i])
        for name, theirs in (("place", "r"), ("output", "o")):
            np.testing.assert_array_equal(ours[f"{attention}{name}/kernel"],
                                          arrays[f"model/transformer/layer_{i}/rel_attn/{theirs}/kernel"])
    np.testing.assert_array_equal(ours["mlm/bias"], arrays["model/lm_loss/bias"])
    np.testing.assert_array_equal(ours["encoder/beginning/target"], arrays["model/transformer/mask_emb/mask_emb"])
    assert model(checks.batch(CONFIG)).shape == (2, 7, 31)


def test_a_release_with_fewer_or_more_layers_than_its_config_is_refused(tmp_path):
    folder, arrays = release(tmp_path / "release")
    for layers, words in ((1, "unread.*layer_1/"), (3, "missing.*layer_2/")):
        releases.write(folder, "xlnet_config.json", SIZES | {"n_layer": layers}, arrays)
        with pytest.raises(Error, match=words):
            checkpoints.load(folder)
    stacked = {name: array[:1] if name.endswith("r_w_bias") else array for name, array in arrays.items()}
    releases.write(folder, "xlnet_config.json", SIZES, stacked)
    with pytest.raises(Error, match=r"r_w_bias is \[1, 2, 4\], wanted \[2 or more, 2, 4\]"):
        checkpoints.load(folder)


def test_every_variable_has_its_own_place_in_the_release():
    ours = variables(MODELS["mlm"])
    places = {(slot.name, slot.part) for slot in weight_mapping(ours, xlnet.GOOGLE.names, google.LEAVES).values()}
    assert len(places) == len(ours)

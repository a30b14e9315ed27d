"""Nomic BERT's page: published counts, both layouts of its files, the reference's numbers."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import config_json, encoder_config
from bertkit.cost import activation_bytes, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import nomic, published
from bertkit.kinds import Full, GatedPost, Rotary
from bertkit.layers.gather import FIRST
from tests.family import checks
from tests.family.round_trip import assert_comes_back
from tests.recorded import GOLDEN

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
CONFIG = nomic.CONFIG.but(vocabulary_size=31, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=12)
MODELS = checks.models(CONFIG)
# config.json of nomic-embed-text-v1.5, as its own code writes it.
PUBLISHED = {
    "model_type": "nomic_bert", "activation_function": "swiglu", "architectures": ["NomicBertModel"], "attn_pdrop": 0.0,
    "causal": False, "initializer_range": 0.02, "layer_norm_epsilon": 1e-12, "mlp_fc1_bias": False,
    "mlp_fc2_bias": False, "n_embd": 768, "n_head": 12, "n_inner": 3072, "n_layer": 12, "n_positions": 2048,
    "parallel_block": False, "prenorm": False, "qkv_proj_bias": False, "resid_pdrop": 0.0, "rotary_emb_base": 1000,
    "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False, "rotary_emb_scale_base": None,
    "rotary_scaling_factor": None, "type_vocab_size": 2, "use_rms_norm": False, "vocab_size": 30528}


def test_published_counts():
    """The models that transformers 5.24 makes (published as 137 million)."""
    config = published("nomic-embed-text-v1.5")
    assert (parameters(config), parameters(config) + 768 ** 2 + 3 * 768 + 30528) == (136_731_648, 137_354_304)


@pytest.mark.parametrize("config", [CONFIG, CONFIG.but(block=GatedPost(feed_bias=True), qkv_bias=True)], ids=str)
def test_a_small_one_has_as_many(config):
    checks.assert_counts(config)
    assert activation_bytes(config, 16) > activation_bytes(config.but(intermediate_dim=6), 16)


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], nomic.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone([head for head in MODELS if head != "choose"]))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG), tmp_path)


def test_a_choice_comes_back_by_its_class(tmp_path):
    assert_comes_back(MODELS["choose"], checks.batch(CONFIG, 2), tmp_path)


@pytest.mark.parametrize("folder", checks.encoders_alone(sorted((GOLDEN / "heads" / "nomic").iterdir())),
                         ids=lambda folder: folder.name)
def test_recorded_references(folder):
    assert checks.largest_difference(folder) < 2e-5


def test_the_gate_and_what_it_opens_are_told_apart():
    folder = GOLDEN / "heads" / "nomic" / "base"
    model, call = checkpoints.load(folder), checks.calls(folder)["padded"]
    wanted = np.asarray(model(call.batch)["sequence"])
    block = model.blocks[0]
    gate, inner = np.asarray(block.gate.kernel), np.asarray(block.inner.kernel)
    block.gate.kernel.assign(inner)
    block.inner.kernel.assign(gate)
    assert np.abs(np.asarray(model(call.batch)["sequence"]) - wanted).max() > 1e-2


def test_the_last_block_computes_the_tokens_that_are_asked_for():
    encoder, batch = Encoder(CONFIG.but(initializer_range=0.5)), checks.batch(CONFIG)
    batch["position_ids"] = np.random.default_rng(0).integers(0, 30, (2, 7)).astype("int32")
    wanted, places = np.asarray(encoder(batch)["sequence"]), np.array([[3, 0], [4, 2]])
    found = np.asarray(encoder(batch, positions=places)["sequence"])
    np.testing.assert_allclose(found, np.take_along_axis(wanted, places[:, :, None], 1), atol=1e-5)
    np.testing.assert_allclose(np.asarray(encoder(batch, positions=FIRST)["sequence"]), wanted[:, :1], atol=1e-5)


def test_the_published_config_is_the_pages():
    assert encoder_config(PUBLISHED, nomic, "config.json") == nomic.CONFIG
    assert encoder_config({}, nomic, "config.json") == nomic.CONFIG


@pytest.mark.parametrize("prefix", ["", "bert.", "nomic_bert."])
def test_folders_of_its_own_code_are_read(prefix, tmp_path):
    """Its keys of config.json, its names without a prefix or with the one of its pre-training class."""
    encoder, batch = Encoder(CONFIG), checks.batch(CONFIG)
    huggingface.save(tmp_path, encoder)
    tensors = {prefix + name: tensor for name, tensor in load_file(tmp_path / "model.safetensors").items()}
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    sizes = {"n_embd": 8, "n_head": 2, "n_inner": 12, "n_layer": 2, "vocab_size": 31}
    (tmp_path / "config.json").write_text(json.dumps(PUBLISHED | sizes))
    again = checkpoints.load(tmp_path)
    assert isinstance(again, Encoder) and again.config == CONFIG
    np.testing.assert_array_equal(again(batch)["sequence"], encoder(batch)["sequence"])


def test_names_before_they_changed_are_read(tmp_path):
    """The head for words has a norm that transformers calls layer_norm and its own code LayerNorm."""
    model, batch = MODELS["mlm"], checks.batch(CONFIG)
    huggingface.save(tmp_path, model)
    tensors = {name.replace("transform.layer_norm", "transform.LayerNorm"): tensor
               for name, tensor in load_file(tmp_path / "model.safetensors").items()}
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    np.testing.assert_array_equal(checkpoints.load(tmp_path)(batch), model(batch))


IN_MEMORY = {"encoder.layers.": "layers.", "emb_ln": "embeddings.LayerNorm", "attn.out_proj": "self_attn.o_proj",
             "fc11": "up_proj", "fc12": "gate_proj", "fc2": "down_proj", "norm1": "post_attention_layernorm",
             "norm2": "post_mlp_layernorm"}


def test_names_in_memory_are_read(tmp_path):
    """A state_dict that was saved as it is: transformers' own names, queries, keys and values apart."""
    encoder, batch = Encoder(CONFIG.but(initializer_range=0.5)), checks.batch(CONFIG)
    huggingface.save(tmp_path, encoder)
    tensors = {}
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        for theirs, ours in IN_MEMORY.items():
            name = name.replace(theirs, ours)
        parts = np.split(tensor, 3) if "Wqkv" in name else [tensor]
        tensors |= {name.replace("attn.Wqkv", f"self_attn.{letter}_proj"): np.ascontiguousarray(part)
                    for letter, part in zip("qkv", parts, strict=False)}
    assert len(tensors) == len(load_file(tmp_path / "model.safetensors")) + 2 * CONFIG.num_layers
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    np.testing.assert_array_equal(checkpoints.load(tmp_path)(batch)["sequence"], encoder(batch)["sequence"])
    del tensors["layers.1.self_attn.k_proj.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Error, match=r"encoder.layers.1.attn.Wqkv"):
        checkpoints.load(tmp_path)


OTHERWISE = {
    "vocab_size": 31, "hidden_size": 12, "intermediate_size": 7, "num_hidden_layers": 3, "num_attention_heads": 3,
    "hidden_act": "relu", "hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3, "initializer_range": 0.5,
    "max_position_embeddings": 99, "layer_norm_eps": 1e-3, "type_vocab_size": 3, "head_dim": 6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 7.0}}


def test_config_json_is_read_and_written_back():
    config = encoder_config(OTHERWISE, nomic, "config.json")
    assert (config.head_dim, config.attention) == (6, Rotary(7.0))
    written = json.loads(json.dumps(config_json(Encoder(config), config, None, nomic)))
    assert {key: written[key] for key in OTHERWISE} == OTHERWISE
    assert encoder_config(written, nomic, "config.json") == config


OLDER = {"vocab_size": 31, "n_embd": 12, "n_inner": None, "n_layer": 3, "n_head": 3, "activation_function": "geglu",
         "rotary_emb_base": 10, "resid_pdrop": 0.25, "attn_pdrop": 0.5, "layer_norm_epsilon": 1e-3, "n_positions": 9}


def test_every_key_of_its_own_code_is_read():
    wanted = nomic.CONFIG.but(
        vocabulary_size=31, hidden_dim=12, intermediate_dim=48, num_layers=3, num_heads=3, activation="gelu_erf",
        attention=Rotary(10.0), dropout=0.25, attention_dropout=0.5, layer_norm_epsilon=1e-3, max_sequence_length=9)
    assert encoder_config(OLDER, nomic, "config.json") == wanted


@pytest.mark.parametrize("values, words", [
    ({"rope_parameters": {"rope_type": "yarn"}}, "rope_parameters="), ({"rope_scaling": {"type": "x"}}, "rope_param"),
    ({"rope_parameters": {"rope_theta": 0}}, "rope_theta=0"), ({"hidden_act": "gelo"}, "hidden_act='gelo'"),
    ({"head_dim": -1}, "head_dim=-1"), ({"n_embd": 768, "prenorm": True}, "prenorm=True; bertkit reads nomic-bert"),
    ({"n_embd": 768, "rotary_emb_fraction": 0.5}, "rotary_emb_fraction=0.5"),
    ({"n_embd": 768, "num_experts": 8}, "num_experts=8"), ({"n_embd": 768, "qkv_proj_bias": True}, "qkv_proj_bias"),
    ({"n_embd": 768, "activation_function": "gelu"}, "activation_function='gelu' is unknown; bertkit has swiglu"),
    ({"n_embd": 768, "rotary_scaling_factor": 2}, "rotary_scaling_factor=2")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json: .*{words}"):
        encoder_config(values, nomic, "config.json")


@pytest.mark.parametrize("changes", [{"attention": Full()}, {"attention": Rotary(window=3)}, {"qkv_bias": True},
                                     {"block": GatedPost(feed_bias=True)}], ids=str)
def test_what_transformers_does_not_have_is_not_written(changes, tmp_path):
    with pytest.raises(Error, match="NomicBert has (one kind of rotary attention|no place for).* save a bundle"):
        huggingface.save(tmp_path, Encoder(CONFIG.but(**changes)))

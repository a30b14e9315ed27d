"""Reformer's page: its counts, what config.json says, both language models, and the reference's numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import encoder_config
from bertkit.checkpoints.tensors import read_safetensors
from bertkit.cost import cost, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import published, reformer
from bertkit.files.atomic import read_json
from bertkit.heads import LanguageModel
from bertkit.kinds import Absolute, Axial, Full, Hash, Local
from tests.family import checks
from tests.layers.drawn import drawn

CONFIG = reformer.CONFIG.but(
    vocabulary_size=31, num_layers=3, num_heads=2, head_size=3, hidden_dim=8, intermediate_dim=12,
    max_sequence_length=30, positions=Axial((5, 6), (3, 5)),
    attention=(Local(3), Hash(4, hashes=2, buckets=(2, 4), seed=7, dropout=0.0)))
DECODER = CONFIG.but(num_layers=2, positions=Absolute(), attention=(Hash(2, causal=True, dropout=0.2),
                                                                    Local(4, causal=True)))
MODELS = checks.models(CONFIG, drawn)
SAVED = [head for head in MODELS if head not in ("tag", "choose")]          # transformers has no classes for these
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")


def test_published_counts():
    """family-spec, section 5; the head's file holds a bias of V numbers that nobody adds (3.4)."""
    config = published("reformer-crime-and-punishment")
    assert parameters(config) == 2_584_064
    assert parameters(config) + 2 * config.hidden_dim * config.vocabulary_size + config.vocabulary_size == 2_748_224
    assert config.max_length == 524_288 and config.output_dim == 512


def test_the_other_one_hashes_in_three_of_its_twelve_layers():
    config = published("reformer-enwik8")
    hashed = [i for i in range(12) if isinstance(config.attention_of(i), Hash)]
    assert hashed == [2, 6, 10] and config.max_length == config.max_sequence_length == 65_536


@pytest.mark.parametrize("config", [CONFIG, DECODER, CONFIG.but(num_layers=1, attention=Hash())])
def test_a_small_one_has_as_many(config):
    checks.assert_counts(config)


@pytest.mark.parametrize("head", SAVED)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], reformer.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone(SAVED))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG), tmp_path)


@pytest.mark.parametrize("config, ending", [(CONFIG, "ForMaskedLM"), (DECODER, "ModelWithLMHead")])
def test_a_decoder_is_another_class(config, ending, tmp_path):
    model, rows = drawn(LanguageModel(Encoder(config))), checks.batch(config)
    huggingface.save(tmp_path, model)
    values = read_json(tmp_path / "config.json")
    assert values["architectures"] == ["Reformer" + ending] and values["is_decoder"] == (config is DECODER)
    copy = checkpoints.load(tmp_path)
    assert type(copy) is LanguageModel and copy.encoder.config == config
    np.testing.assert_array_equal(copy(rows), model(rows))
    tensors = read_safetensors([tmp_path / "model.safetensors"], tmp_path)
    assert not tensors.read("lm_head.bias").any() and tensors.shapes["lm_head.decoder.weight"] == (31, 16)


def test_heads_that_transformers_lacks_are_not_saved_there(tmp_path):
    with pytest.raises(Error, match="Hugging Face's Reformer has no place for tag/logits"):
        huggingface.save(tmp_path, MODELS["tag"])


def test_keys_that_are_missing_mean_what_the_class_says():
    config = encoder_config({}, reformer, "config.json")
    assert config == reformer.CONFIG
    assert (config.num_heads, config.head_dim, config.activation, config.num_layers) == (12, 64, "relu", 6)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_is_written_reads_back(data):
    count, flag = st.integers(1, 9), st.booleans()
    causal = data.draw(flag)
    kinds = (Local(data.draw(count), data.draw(count) - 1, data.draw(count) - 1, causal),
             Hash(data.draw(count), data.draw(count) - 1, data.draw(count) - 1, causal, data.draw(count),
                  data.draw(st.sampled_from([None, 4, (2, 4, 6)])), data.draw(st.none() | st.integers(-9, 9)), 0.25))
    layers = tuple(data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5)))
    positions = Axial((2, 7), (3, 5), 0.5) if data.draw(flag) else Absolute()
    config = CONFIG.but(num_layers=len(layers), attention=layers, positions=positions, head_size=data.draw(count))
    form = reformer.HUGGINGFACE
    values = {key: getattr(config, name) for name, key in form.config.items()} | {"hidden_act": "relu"}
    values |= {key: list(value) if isinstance(value, tuple) else value for key, value in form.write(config).items()}
    again = encoder_config(values, reformer, "config.json")
    assert [again.attention_of(i) for i in range(len(layers))] == list(layers)
    assert again == config.but(attention=again.attention)


@pytest.mark.parametrize("attention", [(Local(3), Local(4)), (Hash(3), Full()), (Local(3, causal=True), Hash(3))])
def test_layers_that_config_json_cannot_say_are_not_written(attention):
    with pytest.raises(Error, match="one kind of local and one of hashed layers; save a bundle"):
        reformer.HUGGINGFACE.write(CONFIG.but(attention=attention))


@pytest.mark.parametrize("key, value", [
    ("attn_layers", ["local", "window"]), ("attn_layers", []), ("attn_layers", "lsh"), ("num_hidden_layers", 5),
    ("local_attn_chunk_length", 0), ("lsh_attn_chunk_length", None), ("lsh_num_chunks_before", -1),
    ("local_num_chunks_after", 1.5), ("num_hashes", 0), ("num_buckets", 7), ("num_buckets", [2, 3]),
    ("num_buckets", "8"), ("hash_seed", "x"), ("lsh_attention_probs_dropout_prob", 1.0),
    ("axial_pos_shape", [64]), ("axial_pos_shape", [64, 0]), ("axial_pos_embds_dim", [64, 64, 128]),
    ("axial_pos_embds_dim", 256), ("axial_norm_std", "1"), ("axial_pos_embds", 1), ("is_decoder", "no"),
    ("hidden_act", "gelo")])
def test_a_wrong_entry_is_told_by_its_key(key, value):
    with pytest.raises(Error, match=f"config.json: .*{key}"):
        encoder_config({key: value}, reformer, "config.json")


def test_widths_that_do_not_add_up_are_told_by_their_key():
    with pytest.raises(Error, match="axial_pos_embds_dim"):
        Encoder(encoder_config({"hidden_size": 128, "axial_pos_embds_dim": [64, 63]}, reformer, "config.json"))


@pytest.mark.parametrize("name, causal", [("ReformerForMaskedLM", True), ("ReformerModelWithLMHead", False)])
def test_a_class_and_is_decoder_agree(name, causal):
    with pytest.raises(Error, match="is_decoder"):
        encoder_config({"architectures": [name], "is_decoder": causal}, reformer, "config.json")


def test_a_decoder_twice_as_wide_as_the_tokens_is_not_theirs():
    with pytest.raises(Error, match="tie_word_embeddings=true"):
        encoder_config({"architectures": ["ReformerForMaskedLM"], "tie_word_embeddings": True}, reformer, "config.json")


def test_arithmetic_grows_with_the_length_and_not_with_its_square():
    flops = [cost("reformer-enwik8", length)["flops"] for length in (1024, 2048, 4096)]
    assert flops[2] == 2 * flops[1] == 4 * flops[0]
    one, many = (cost(CONFIG.but(num_layers=layers), 512)["activation_bytes"] for layers in (2, 20))
    assert one == many


@pytest.mark.parametrize("folder", checks.encoders_alone([
    *(f"reformer/{head}" for head in ("base", "mlm", "seqcls", "qa")),
    "reformer_decoder/base", "reformer_decoder/clm"]))
def test_recorded_references(shared, folder):
    """With the reference's buckets; transformers' hidden states are the second stream, and keep the padding."""
    path = shared(f"checkpoints/{folder}")
    model, compared = checkpoints.load(path), 0
    for file in path.glob("ref_*.npz"):
        arrays = dict(np.load(file))
        rows = {"token_ids": arrays["in/input_ids"], "buckets": {
            int(key.rpartition("layer")[2]): values for key, values in arrays.items() if key.startswith("aux/buckets")}}
        rows["padding_mask"] = arrays.get("in/attention_mask", np.ones_like(rows["token_ids"]))
        real, rows["buckets"] = rows["padding_mask"] > 0, rows["buckets"] or None
        for name, ours in checks.computed(model, rows, trace=isinstance(model, Encoder)).items():
            if f"out/{name}" in arrays:
                wanted = arrays[f"out/{name}"]
                wanted = wanted[:, :ours.shape[1]] if name.startswith("hidden") else wanted
                keep = real if wanted.shape[:2] == real.shape else slice(None)
                assert np.abs(ours - wanted)[keep].max() < 2e-5, name
                compared += 1
    assert compared

"""A copy with something wrong is refused with a sentence that names it; nothing is loaded in part."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from bertkit import checkpoints
from bertkit.errors import Error
from bertkit.heads import LanguageModel, TokenClassifier
from tests.checkpoints.copies import QUERY, change_json, change_tensors, refused


def test_the_untouched_copy_loads(copied):
    for name in ("erf", "tanh", "classifier", "google", "preset"):
        checkpoints.load(copied(name))


@pytest.mark.parametrize("change, words", [
    (lambda t: t.pop(QUERY), ("missing: " + QUERY,)),
    (lambda t: t.pop("pooler.dense.bias"), ("missing: pooler.dense.bias",)),
    (lambda t: t.update({"encoder.extra.weight": np.ones(2, "f4")}), ("unread: encoder.extra.weight",)),
    (lambda t: t.update({QUERY: t[QUERY][:-1].copy()}),
     ("misshapen: " + QUERY, "[31, 32], wanted [32, 32]")),
    (lambda t: t.update({"embeddings.word_embeddings.weight": np.ones((61, 32), "f4")}),
     ("[61, 32], wanted [60, 32]",)),
    (lambda t: t.update({"bert." + QUERY: t[QUERY]}), ("holds both", QUERY, "bert." + QUERY)),
    (lambda t: t.update({"embeddings.LayerNorm.gamma": np.ones(32, "f4")}),
     ("holds both", "LayerNorm.gamma")),
    (lambda t: t.clear(), ("holds 0 numbers in 0 tensors, and its config describes",)),
    (lambda t: t.update({f"extra.{i}": np.ones(1, "f4") for i in range(12)}),
     ("unread: extra.0", "and 4 more")),
], ids=["missing", "half a pooler", "extra", "shape", "vocabulary", "two prefixes", "two norms", "none",
        "many"])
def test_tensors_that_do_not_fit(copied, change, words):
    folder = copied("erf")
    change_tensors(folder, change)
    refused(folder, "model.safetensors", *words)


def test_everything_wrong_is_listed_at_once(copied):
    folder = copied("erf")

    def change(tensors):
        tensors["surplus"] = tensors.pop(QUERY)
        tensors["pooler.dense.bias"] = np.ones(3, "f4")

    change_tensors(folder, change)
    refused(folder, "missing: " + QUERY, "unread: surplus",
            "misshapen: pooler.dense.bias is [3], wanted [32]")


def test_a_missing_pooler_is_newly_initialised_and_said(copied, caplog):
    folder = copied("erf")
    change_tensors(folder, lambda t: (t.pop("pooler.dense.weight"), t.pop("pooler.dense.bias")))
    encoder = checkpoints.load(folder)
    assert "holds no pooler.dense.weight, pooler.dense.bias; newly initialised" in caplog.text
    assert caplog.records[0].levelname == "WARNING"
    assert 0.01 < np.asarray(encoder.pooler.kernel).std() < 0.02


def test_a_missing_task_head_is_newly_initialised_and_said(copied, caplog):
    folder = copied("classifier")
    change_tensors(folder, lambda t: (t.pop("classifier.weight"), t.pop("classifier.bias")))
    assert len(checkpoints.load(folder).labels) == 3
    assert "classifier.weight, classifier.bias; newly initialised" in caplog.text
    folder = copied("classifier")
    change_tensors(folder, lambda t: t.pop("classifier.bias"))
    refused(folder, "missing: classifier.bias")


@pytest.mark.parametrize("changes, words", [
    ({"hidden_act": "gelo"}, ("hidden_act='gelo' is unknown", "gelu_new")),
    ({"hidden_act": ["gelu"]}, ("hidden_act=['gelu'] is unknown",)),
    ({"num_hidden_layers": 3}, ("missing: encoder.layer.2.", "and 8 more")),
    ({"num_hidden_layers": 1}, ("unread: encoder.layer.1.", "and 8 more")),
    ({"hidden_size": "32"}, ('hidden_size="32" is no size',)),
    ({"hidden_size": 64}, ("misshapen:", "wanted [60, 64]")),
    ({"hidden_size": 30}, ("hidden_size=30 is not a multiple of num_attention_heads=4",)),
    ({"vocab_size": 61}, ("misshapen: embeddings.word_embeddings.weight is [60, 32], wanted [61, 32]",)),
    ({"vocab_size": None}, ("vocab_size=null is no size",)),
    ({"type_vocab_size": 0}, ("unread: embeddings.token_type_embeddings.weight",)),
    ({"layer_norm_eps": "1e-12"}, ("layer_norm_eps='1e-12' must be a number above 0",)),
    ({"hidden_dropout_prob": "0.1"}, ("hidden_dropout_prob='0.1' is no probability",)),
    ({"model_type": "gpt2"}, ("'gpt2' is not one bertkit knows",)),
    ({"model_type": "new"}, ("'new' is that of GTE (gte-*-v1.5", "angles are scaled; bertkit has no such blocks")),
    ({"model_type": None}, ("None is not one bertkit knows",)),
    ({"model_type": {}}, ("{} is not one bertkit knows",)),
    ({"architectures": ["BertForPainting"]}, ("BertForPainting, a head", 'part="encoder"')),
    ({"architectures": 5}, ("holds 5, a head",)),
])
def test_configs_that_do_not_fit(copied, changes, words):
    folder = copied("erf")
    change_json(folder / "config.json", **changes)
    refused(folder, *words)


@pytest.mark.parametrize("changes, words", [
    ({"num_labels": 4, "id2label": None}, ("names 4 classes", "the head has 3 rows")),
    ({"num_labels": "3"}, ("num_labels='3'",)), ({"num_labels": 10**12}, ("num_labels=1000000000000",)),
    ({"id2label": ["a", "b", "c"]}, ("id2label=['a', 'b', 'c']",)),
    ({"id2label": {"0": "a", "1": "a", "2": "b"}}, ("'a' twice",)),
    ({"classifier_dropout": "0.1"}, ("dropout='0.1' is no probability",)),
])
def test_heads_that_do_not_fit(copied, changes, words):
    folder = copied("classifier")
    change_json(folder / "config.json", **changes)
    refused(folder, *words)


@pytest.mark.parametrize("changes", [
    {"hidden_size": 2**20}, {"num_hidden_layers": 9_999}, {"vocab_size": 10**12},
    {"intermediate_size": 2**40}, {"max_position_embeddings": 2**40}])
def test_a_config_far_larger_than_its_file_takes_no_memory(copied, changes):
    folder = copied("erf")
    change_json(folder / "config.json", **changes)
    refused(folder, "numbers in 39 tensors, and its config describes")


def test_without_architectures_the_names_decide_or_it_is_an_error(copied):
    folder = copied("classifier")
    change_json(folder / "config.json", architectures=None)
    assert len(checkpoints.load(folder).labels) == 3
    change_tensors(folder, lambda t: (t.pop("bert.pooler.dense.weight"), t.pop("bert.pooler.dense.bias")))
    assert isinstance(checkpoints.load(folder), TokenClassifier)        # which are saved without a pooler
    folder = copied("classifier")
    change_json(folder / "config.json", architectures=None, problem_type=None, num_labels=1, id2label=None)
    change_tensors(folder, lambda t: t.update({
        name: np.ascontiguousarray(t[name][:1]) for name in ("classifier.weight", "classifier.bias")}))
    refused(folder, "holds classifier", "names no architectures")       # a regression, or a multiple choice
    folder = copied("pretraining")
    change_json(folder / "config.json", architectures=None)
    assert list(checkpoints.load(folder).kinds) == ["mlm", "nsp"]
    change_tensors(folder, lambda t: [t.pop(name) for name in list(t) if name.startswith("cls.seq_relationship")])
    assert isinstance(checkpoints.load(folder), LanguageModel)
    folder = copied("erf")
    change_json(folder / "config.json", architectures=None)
    checkpoints.load(folder)


@pytest.mark.parametrize("text, words", [
    ("", ("is not JSON",)), ("{", ("is not JSON", "line 1 column 2")),
    ("[1]", ("the whole is [1], wanted an object",)), ("[" * 100_000, ("is not JSON",)),
    ("\xff", ("not UTF-8",)), ('{"a": ' + "9" * 5000 + "}", ("is not JSON",))],
    ids=["empty", "cut", "list", "deep", "bytes", "long number"])
@pytest.mark.parametrize("name, file", [("erf", "config.json"), ("google", "bert_config.json"),
                                        ("preset", "config.json")])
def test_json_that_is_none(copied, name, file, text, words):
    folder = copied(name)
    (folder / file).write_bytes(text.encode("latin-1"))
    refused(folder, file, *words)


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, 0.999])
def test_a_truncated_file(copied, kept):
    folder = copied("erf")
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:kept if isinstance(kept, int) else int(kept * len(content))])
    refused(folder, "model.safetensors is not a whole safetensors file", "copy it again")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 4500), value=st.integers(0, 255), cut=st.booleans())
def test_whatever_the_damage_to_a_header_it_is_one_error(copied, place, value, cut):
    folder = copied("erf")
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[place] ^= value or 1
    (folder / "model.safetensors").write_bytes(content[:place] if cut else content)
    try:
        checkpoints.load(folder)
    except Error as error:
        assert "model.safetensors" in str(error)
    else:                                           # what is left to change is metadata that nobody reads
        assert not cut


def test_half_precision_weights_load_as_they_are_rounded(copied):
    folder = copied("erf")
    exact = load_file(folder / "model.safetensors")
    change_tensors(folder, lambda t: t.update({name: array.astype("f2") for name, array in t.items()}))
    found = np.asarray(checkpoints.load(folder).pooler.kernel)
    np.testing.assert_array_equal(found, exact["pooler.dense.weight"].T.astype("f2").astype("f4"))


def test_weights_of_another_kind_are_not_read(copied):
    folder = copied("erf")
    (folder / "model.safetensors").rename(folder / "tf_model.h5")
    refused(folder, "holds no model.safetensors nor pytorch_model.bin", "reads no other kind")
    (folder / "tf_model.h5").rename(folder / "pytorch_model.bin")
    refused(folder, "pytorch_model.bin", "copy the file again")


@pytest.mark.parametrize("changes, words", [
    ({"position_embedding_type": "alibi"}, ("position_embedding_type='alibi'", "absolute positions alone")),
    ({"position_embedding_type": "relative_key"}, ("position_embedding_type='relative_key'",)),
    ({"problem_type": "regression"}, ('problem_type="regression" with 3 outputs',)),
    ({"is_decoder": "false"}, ("is_decoder='false'",))])
def test_entries_that_change_numbers_in_ways_that_bertkit_has_not(copied, changes, words):
    folder = copied("classifier")
    change_json(folder / "config.json", **changes)
    refused(folder, *words)


def test_code_of_the_checkpoint_s_own_is_named(copied, caplog):
    folder = copied("erf")
    change_json(folder / "config.json", auto_map={"AutoModel": "own/code--modeling.Model"},
                position_embedding_type="absolute")
    checkpoints.load(folder)
    assert "names code of its own (auto_map)" in caplog.text

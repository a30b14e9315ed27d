"""Adapters of PEFT are merged with their base model: the outputs are those of peft (make_adapters.py)."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertkit import checkpoints
from bertkit.checkpoints.adapters import base_folder
from bertkit.checkpoints.convert import convert
from bertkit.errors import Error
from bertkit.predictor import Predictor
from tests.checkpoints.copies import change_json
from tests.recorded import GOLDEN

BASE, REF = GOLDEN / "bert_tiny_pretraining", np.load(GOLDEN / "adapters" / "ref.npz")
IDS = np.array([[2, 7, 9, 14, 20, 3], [2, 30, 31, 3, 0, 0]], "int32")
BATCH = {"token_ids": IDS, "padding_mask": (IDS != 0).astype("int32")}


@pytest.fixture
def adapter(tmp_path):
    """Return a function name -> a copy of that adapter; `changes` are other entries of its config."""
    def made(name, **changes):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        shutil.copytree(GOLDEN / "adapters" / name, tmp_path / name)
        change_json(tmp_path / name / "adapter_config.json", **changes)
        return tmp_path / name

    return made


@pytest.mark.parametrize("name", REF.files)
def test_the_outputs_are_those_of_peft(adapter, name):
    model = checkpoints.load(adapter(name), base=BASE)
    found = model(BATCH)
    found = np.asarray(found["sequence"] if isinstance(found, dict) else found)
    real = BATCH["padding_mask"] == 1 if found.ndim == 3 else slice(None)
    np.testing.assert_allclose(found[real], REF[name][real], atol=5e-5)


def test_the_base_may_be_named_by_the_adapter_or_lie_beside_it(adapter):
    folder = adapter("plain", base_model_name_or_path=str(BASE))
    assert base_folder(folder) == BASE
    found = checkpoints.load(folder)(BATCH)["sequence"]
    folder = adapter("plain")
    for name in ("config.json", "model.safetensors"):
        shutil.copy(BASE / name, folder)
    np.testing.assert_array_equal(checkpoints.load(folder)(BATCH)["sequence"], found)


def test_a_bundle_has_the_head_of_the_adapter_and_the_words_of_its_base(adapter, tmp_path, caplog):
    assert convert(adapter("classifier"), tmp_path / "bundle", base=BASE).task == "classify"
    assert set(Predictor(tmp_path / "bundle").predict(["a good film"])[0]["probabilities"]) == {"0", "1", "2"}
    assert "does not name its 3 classes" in caplog.text


def test_the_encoder_alone(adapter):
    wanted = checkpoints.load(adapter("tagger"), base=BASE).encoder(BATCH)["sequence"]
    np.testing.assert_array_equal(checkpoints.load(adapter("tagger"), part="encoder", base=BASE)(BATCH)["sequence"],
                                  wanted)


@pytest.mark.parametrize("changes, words", [
    ({}, r"an adapter of PEFT \(LORA\), .* its base model \(BASE\); .* --base FOLDER"),
    ({"peft_type": "IA3"}, "of the type IA3; bertkit merges LORA alone"),
    ({"peft_type": "PREFIX_TUNING"}, "of the type PREFIX_TUNING"),
    ({"init_lora_weights": "pissa"}, "init_lora_weights='pissa'"), ({"lora_bias": True}, "lora_bias=True"),
    ({"trainable_token_indices": [3]}, "trainable_token_indices"),
    ({"peft_type": None}, "peft_type"), ({"lora_alpha": "7"}, "lora_alpha")], ids=str)
def test_what_cannot_be_merged_is_named(adapter, changes, words):
    with pytest.raises(Error, match=words):
        checkpoints.load(adapter("plain", **changes))


@pytest.mark.parametrize("changes, words", [
    ({"alpha_pattern": {r".*\.query": 3}}, "alpha_pattern has"), ({"task_type": "CAUSAL_LM"}, "task_type='CAUSAL_LM'")])
def test_settings_that_bertkit_does_not_read_are_named(adapter, changes, words):
    with pytest.raises(Error, match=words):
        checkpoints.load(adapter("plain", **changes), base=BASE)


def test_another_base_is_refused(adapter):
    with pytest.raises(Error, match="which fit nothing in .* base model of this adapter"):
        checkpoints.load(adapter("plain"), base=GOLDEN / "families" / "distilbert")
    folder = adapter("plain")
    tensors = load_file(folder / "adapter_model.safetensors")
    name = next(name for name in tensors if "lora_A" in name)
    save_file({**tensors, name: np.zeros((4, 31), "float32")}, folder / "adapter_model.safetensors")
    with pytest.raises(Error, match=r"give \[32, 31\], and the base model has \[32, 32\]"):
        checkpoints.load(folder, base=BASE)
    save_file({"base_model.model.x.weight": np.zeros(3, "float32")}, folder / "adapter_model.safetensors")
    with pytest.raises(Error, match="no matrices of LoRA"):
        checkpoints.load(folder, base=BASE)


def test_a_base_for_a_whole_model_is_refused():
    with pytest.raises(Error, match="is the base model of an adapter"):
        checkpoints.load(BASE, base=BASE)


def test_a_copy_without_its_weights_is_named(adapter):
    folder = adapter("plain")
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(Error, match="copy the adapter's weights too"):
        checkpoints.load(folder, base=BASE)
    assert json.loads((folder / "adapter_config.json").read_text())["peft_type"] == "LORA"

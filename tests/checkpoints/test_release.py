"""Whose TensorFlow 1 release a folder holds, told by the config beside the checkpoint."""

import json

import pytest

from bertkit.checkpoints.release import release
from bertkit.errors import Error
from bertkit.family import albert, bert, electra


@pytest.fixture
def folder(tmp_path):
    """Return a function that puts empty files, and configs given as mappings, beside a checkpoint's index."""
    def make(*names, checkpoint="model.ckpt-7.index", **configs):
        for name in (*names, checkpoint):
            (tmp_path / name).write_bytes(b"")
        for name, values in configs.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(values))
        return tmp_path
    return make


@pytest.mark.parametrize("name, page", [("bert_config", bert), ("albert_config", albert), ("config", electra)])
def test_the_name_of_the_config_tells(folder, name, page):
    assert release(folder(**{name: {}})) == (page, page.GOOGLE)


def test_a_config_of_a_common_name_tells_less_than_another(folder):
    assert release(folder(bert_config={}, config={"model_type": "electra"}))[0] is bert


def test_a_checkpoint_may_have_any_name(folder):
    assert release(folder(checkpoint="electra_small.index", config={}))[0] is electra


@pytest.mark.parametrize("weights", ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                     "tf_model.h5", "model.weights.h5"])
def test_weights_of_another_form_beside_a_common_name_come_first(folder, weights):
    assert release(folder(weights, config={"model_type": "electra"})) is None


def test_a_config_that_names_another_model_is_not_electras(folder):
    assert release(folder(config={"model_type": "bert"})) is None


def test_without_a_checkpoint_or_a_config_there_is_no_release(tmp_path, folder):
    (tmp_path / "bert_config.json").write_text("{}")
    assert release(tmp_path) is None
    (tmp_path / "bert_config.json").unlink()
    assert release(folder()) is None


def test_configs_of_two_papers_are_refused(folder):
    with pytest.raises(Error, match="holds bert_config.json and albert_config.json; keep the one"):
        release(folder(bert_config={}, albert_config={}))

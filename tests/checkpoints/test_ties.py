"""Copies of one tensor of a language model that differ: what transformers 5 uses is used, and both are named.

The logits are W h + b. So another bias moves them by the difference, and a matrix twice the table doubles W h.
"""

import json
import logging

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertkit import checkpoints, family
from bertkit.checkpoints import architectures, huggingface
from bertkit.encoder import Encoder
from bertkit.heads import LanguageModel
from tests.checkpoints.copies import change_json
from tests.recorded import GOLDEN

TIED = [name for name in family.PAGES if family.page(name).HUGGINGFACE.tied and "mlm" in family.page(name).HEADS
        and (GOLDEN / "families" / name).exists()]
APART = [name for name in TIED if family.page(name).HUGGINGFACE.names["mlm"]
         != family.page(name).HUGGINGFACE.names["mlm/decoder"]]


def at_length(names):
    """Three families in the default suite, the others among the slow tests: one rule decides for all."""
    return [name if name in ("bert", "deberta", "mobilebert") else pytest.param(name, marks=pytest.mark.slow)
            for name in names]


IDS = {"token_ids": np.array([[7, 8, 9, 10, 11, 12]], "int32")}


class Saved:
    """A small language model of a family in a Hugging Face folder, and its logits."""

    def __init__(self, folder, name):
        path = GOLDEN / "families" / name / "config.json"
        page = family.page(name)
        model = LanguageModel(Encoder(architectures.encoder_config(json.loads(path.read_text()), page, path)))
        for weight in model.weights:
            if weight.path.endswith("mlm/bias"):
                weight.assign(np.linspace(-1, 1, weight.shape[0]))
        huggingface.save(folder, model)
        form = page.HUGGINGFACE
        self.family, self.folder, self.before = name, folder, np.asarray(model(IDS))
        self.table = form.prefix + form.names["encoder/embeddings/token"] + ".weight"
        self.own, self.decoder = form.names["mlm"] + ".bias", form.names["mlm/decoder"]
        self.bias = load_file(folder / "model.safetensors").get(self.own, 0)

    def change(self, change):
        tensors = load_file(self.folder / "model.safetensors")
        change(tensors)
        save_file(tensors, self.folder / "model.safetensors")

    def logits(self):
        return np.asarray(checkpoints.load(self.folder)(IDS))


@pytest.fixture
def saved(tmp_path, request):
    return Saved(tmp_path, request.param)


@pytest.mark.parametrize("saved", at_length(APART), indirect=True)
@pytest.mark.parametrize("tie", [True, pytest.param(None, marks=pytest.mark.slow)])
def test_the_bias_of_the_matrix_wins(saved, tie, caplog):
    change_json(saved.folder / "config.json", tie_word_embeddings=tie)
    saved.change(lambda held: held.update({f"{saved.decoder}.bias": held[saved.own] + 1}))
    np.testing.assert_allclose(saved.logits(), saved.before + 1, atol=1e-4)
    assert f"{saved.own} and {saved.decoder}.bias differ" in caplog.text


@pytest.mark.parametrize("saved", at_length(APART), indirect=True)
def test_the_bias_of_the_matrix_alone_is_enough(saved, caplog):
    saved.change(lambda held: held.update({f"{saved.decoder}.bias": held.pop(saved.own)}))
    np.testing.assert_allclose(saved.logits(), saved.before, atol=1e-4)
    assert "differ" not in caplog.text


@pytest.mark.parametrize("saved", at_length(TIED), indirect=True)
@pytest.mark.parametrize("tie", [True, pytest.param(None, marks=pytest.mark.slow)])
def test_a_matrix_that_is_not_the_table_wins(saved, tie, caplog):
    change_json(saved.folder / "config.json", tie_word_embeddings=tie)
    saved.change(lambda held: held.update({f"{saved.decoder}.weight": 2 * held[saved.table]}))
    if saved.family == "mobilebert":                    # a part of its matrix is not tied
        assert not np.allclose(saved.logits(), saved.before, atol=1e-3)
    else:
        np.testing.assert_allclose(saved.logits() - saved.bias, 2 * (saved.before - saved.bias), atol=1e-4)
    assert f"{saved.decoder}.weight and " in caplog.text and "differ" in caplog.text


@pytest.mark.parametrize("saved", at_length(TIED), indirect=True)
def test_equal_copies_are_one(saved, caplog):
    caplog.set_level(logging.WARNING)
    saved.change(lambda held: held.update({f"{saved.decoder}.weight": held[saved.table]}))
    np.testing.assert_allclose(saved.logits(), saved.before, atol=1e-5)
    assert checkpoints.load(saved.folder).kinds["mlm"].tied and not caplog.text


@pytest.mark.parametrize("saved", at_length(TIED), indirect=True)
def test_the_matrix_stands_for_a_table_that_is_missing(saved):
    saved.change(lambda held: held.update({f"{saved.decoder}.weight": held.pop(saved.table)}))
    np.testing.assert_allclose(saved.logits(), saved.before, atol=1e-5)


@pytest.mark.parametrize("saved", APART[:2], indirect=True)
def test_without_ties_the_matrix_has_its_own_bias(saved, caplog):
    change_json(saved.folder / "config.json", tie_word_embeddings=False)
    saved.change(lambda held: held.update({f"{saved.decoder}.weight": 2 * held[saved.table]}))
    np.testing.assert_allclose(saved.logits() - saved.bias, 2 * (saved.before - saved.bias), atol=1e-4)
    assert f"{saved.own} and no {saved.decoder}.bias" in caplog.text
    saved.change(lambda held: held.update({f"{saved.decoder}.bias": held[saved.own] + 3}))
    np.testing.assert_allclose(saved.logits() - saved.bias, 2 * (saved.before - saved.bias) + 3, atol=1e-4)

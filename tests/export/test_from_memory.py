"""A model in memory on its way out: what is written answers as it does, and nothing else is left behind."""

import tempfile

import numpy as np
import pytest

from bertkit import export, ondevice
from bertkit.card import Card
from bertkit.errors import Error
from bertkit.export import TARGETS
from bertkit.predictor import Predictor
from tests import exported, tiny

TEXTS = ["a good film", "it was dull , and cold", ""]


@pytest.fixture(scope="module")
def model():
    return exported.spread(tiny.classifier(7, exported.LABELS))


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where temporary folders are made."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def chances(answers):
    return [list(answer["probabilities"].values()) for answer in answers]


@pytest.fixture(scope="module")
def phone(model, tmp_path_factory):
    out = tmp_path_factory.mktemp("memory") / "phone"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bertkit.export.candidates.convert", exported.in_process)
        card = export(model, to="tflite", out=out, tokenizer=tiny.tokenizer(), precision="float32", length=12)
    assert card.recipe == "bertkit.save" and card.name == "phone" and card.parity["length"] == 12
    return out


@pytest.mark.slow
def test_the_phone_answers_as_the_model(model, phone):
    device = ondevice.load(phone)
    assert device.length == 12 and Card.read(phone / "card.json").task == "classify"
    np.testing.assert_allclose(chances(device.predict(TEXTS)),
                               chances(Predictor(model, tiny.tokenizer()).predict(TEXTS)), atol=1e-5)
    pair = [("good", "a film")]                 # its task was never told: it reads pairs too
    np.testing.assert_allclose(chances(device.predict(pair)),
                               chances(Predictor(model, tiny.tokenizer()).predict(pair)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("one", ["the film", b"the film", {"text": "the film"}, None])
def test_one_input_in_place_of_a_list_is_refused_on_the_device(phone, one):
    with pytest.raises(Error, match="came where a list of inputs was wanted; put it in a list"):
        ondevice.load(phone).predict(one)


def test_what_is_exported_is_the_model_and_nothing_is_left_beside_it(model, scratch, monkeypatch, tmp_path):
    seen = []

    def saved_model(folder, out):
        seen.append((Predictor(folder).predict(TEXTS), out))
        return "the card"

    monkeypatch.setitem(TARGETS, "saved_model", saved_model)
    assert export(model, "saved_model", tmp_path / "out", tiny.tokenizer()) == "the card"
    (answers, out), = seen
    assert answers == Predictor(model, tiny.tokenizer()).predict(TEXTS) and out == tmp_path / "out"
    assert list(scratch.iterdir()) == []
    monkeypatch.setitem(TARGETS, "saved_model", lambda folder, out: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(model, "saved_model", tmp_path / "out", tiny.tokenizer())
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("options, words", [
    ({"to": "coreml"}, "to='coreml' is unknown; bertkit exports to saved_model, tflite, web, mediapipe, onnx"),
    ({"precison": "int8"}, "precison='int8' is no option of tflite, which has precision, length, dev, max_drop"),
    ({"to": "saved_model", "length": 16}, "length=16 is no option of saved_model, which has none"),
    ({"tokenizer": None}, "has no tokenizer of its own"), ({"out": None}, "give the folder: out=FOLDER")])
def test_what_does_not_fit_is_refused(model, scratch, tmp_path, options, words):
    with pytest.raises(Error, match=words):
        export(model, **{"out": tmp_path / "out", "tokenizer": tiny.tokenizer(), **options})
    with pytest.raises(Error, match="keeps its own tokenizer"):
        export(exported.bundled(), out=tmp_path / "out", tokenizer=tiny.tokenizer())
    assert not (tmp_path / "out").exists() and list(scratch.iterdir()) == []

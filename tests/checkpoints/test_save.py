"""A model in memory as a bundle: equal when it is loaded again, whatever head it has, and answered by commands."""

import json

import keras
import numpy as np
import pytest

import bertkit
from bertkit import heads, kinds
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.save import save
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.training import lora
from tests import tiny

TEXTS = ["a good film", "it was dull , and cold", ""]
WITH = {"Encoder": lambda encoder: encoder,
        "Classifier": lambda encoder: heads.Classifier(encoder, ["no", "yes", "maybe"]),
        "several labels": lambda encoder: heads.Classifier(encoder, ["no", "yes"], multi_label=True),
        "score": lambda encoder: heads.Classifier(encoder, ["score"]),
        "DocumentClassifier": lambda encoder: heads.DocumentClassifier(encoder, ["no", "yes"], layers=1),
        "TokenClassifier": lambda encoder: heads.TokenClassifier(encoder, ["O", "B-X", "I-X"]),
        "QuestionAnswering": heads.QuestionAnswering, "MultipleChoice": heads.MultipleChoice,
        "BeamQuestionAnswering": lambda encoder: heads.BeamQuestionAnswering(encoder, head_config=kinds.Beam(2, 2)),
        "SentenceEmbedder": lambda encoder: heads.SentenceEmbedder(encoder, pooling="max"),
        "LanguageModel": heads.LanguageModel,
        "PretrainingModel": lambda encoder: heads.PretrainingModel(encoder, ["mlm", "nsp"])}
# What each says of a task, "encode" where it has none.
TASKS = {"Encoder": "encode", "several labels": "classify", "Classifier": "classify", "score": "score",
         "DocumentClassifier": "long_documents", "TokenClassifier": "tag", "QuestionAnswering": "answer",
         "MultipleChoice": "choose", "SentenceEmbedder": "embed"}


def made(kind, seed=3):
    keras.utils.set_random_seed(seed)
    return WITH[kind](Encoder(tiny.CONFIG))


def outputs(model):
    batch = tiny.tokenizer().pack(TEXTS, length=12)
    if getattr(model, "grouped", False):
        batch = {name: np.stack([values, values], 1) for name, values in batch.items()}
    if getattr(model, "together", False):
        batch["windows"] = np.array([[0, 1], [2, -1]], "int32")
    return [np.asarray(part) for part in keras.tree.flatten(model(batch))]


@pytest.mark.parametrize("kind", [
    kind if kind in ("Encoder", "Classifier", "TokenClassifier", "BeamQuestionAnswering", "SentenceEmbedder") else
    pytest.param(kind, marks=pytest.mark.slow) for kind in WITH])
def test_what_is_loaded_is_what_was_saved(kind, tmp_path):
    model = made(kind)
    save(model, tmp_path / "kept", tiny.tokenizer())
    again = bertkit.load(tmp_path / "kept")
    assert type(again) is type(model) and bundle.describe(again) == bundle.describe(model)
    for one, other, fresh in zip(outputs(again), outputs(model), outputs(made(kind, seed=4)), strict=True):
        np.testing.assert_array_equal(one, other)
        assert not np.array_equal(one, fresh)
    found = Tokenizer.load(tmp_path / "kept")
    assert [one.ids for one in found.encode(TEXTS)] == [one.ids for one in tiny.tokenizer().encode(TEXTS)]
    card = Card.read(tmp_path / "kept" / "card.json")
    assert card.task == TASKS.get(kind, "encode") and "knows nothing of its training" in card.notes[0]


def test_a_bundle_keeps_no_tokenizer_where_none_was_given(tmp_path):
    save(made("Classifier"), tmp_path / "kept")
    with pytest.raises(Error, match="no tokenizer"):
        Tokenizer.load(tmp_path / "kept")


def test_the_length_is_kept_and_is_that_of_the_positions_by_default(tmp_path):
    for length in (None, 9):
        save(made("Classifier"), tmp_path / "kept", tiny.tokenizer(), length=length)
        assert json.loads((tmp_path / "kept" / "bundle.json").read_text())["length"] == (length or 32)


class Derived(heads.Classifier):
    """A user's own head."""


@pytest.mark.parametrize("model", [
    lambda: keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]),
    lambda: Derived(Encoder(tiny.CONFIG), ["a", "b"]), lambda: "a folder"], ids=["Keras", "derived", "a string"])
def test_what_is_not_a_model_of_bertkit_is_refused(model, tmp_path):
    with pytest.raises(Error, match=r"keep it with Keras: model\.save\("):
        save(model(), tmp_path / "kept", tiny.tokenizer())
    assert not (tmp_path / "kept").exists()


def test_what_does_not_fit_the_model_is_refused(tmp_path):
    model = made("Classifier")
    with pytest.raises(Error, match="3 to 32 tokens"):
        save(model, tmp_path / "kept", tiny.tokenizer(), length=33)
    with pytest.raises(Error, match="entries and the encoder's table"):
        save(model, tmp_path / "kept", Tokenizer([*tiny.VOCABULARY, "more"]))
    with pytest.raises(Error, match="wanted a bertkit.Tokenizer"):
        save(model, tmp_path / "kept", "vocab.txt")
    lora.add(model, 2, 4)
    with pytest.raises(Error, match=r"LoRA beside its weights.*merge_adapters\(model\)"):
        save(model, tmp_path / "kept", tiny.tokenizer())
    lora.merge(model)
    save(model, tmp_path / "kept", tiny.tokenizer())

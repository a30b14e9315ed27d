"""`bertkit write` from pairs to texts: it learns a toy task, ships, evaluates, predicts."""

import io
import json

import keras
import numpy as np
import pytest

from bertkit import checkpoints, metrics
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.data.labelled import read_labelled
from bertkit.data.written import Seq2SeqSplits
from bertkit.encoder import Encoder
from bertkit.heads import EncoderDecoder, LanguageModel
from bertkit.tasks.writing import Writing
from bertkit.training.likelihood import log_likelihoods
from tests import tiny

pytestmark = pytest.mark.slow           # an encoder-decoder is trained first
WORDS = ("good", "bad", "warm", "dull")


@pytest.fixture(scope="module")
def place(steps, tmp_path_factory):
    """Return a folder with a masked model, rows whose target is a fixed word, and what was learned of them."""
    folder = tmp_path_factory.mktemp("write")
    keras.utils.set_random_seed(1)
    start = LanguageModel(Encoder(tiny.CONFIG.but(num_layers=1, dropout=0.0)))
    bundle.save(folder / "start", start, tiny.tokenizer(), Card("start", "encode", bundle.describe(start)))
    rng = np.random.default_rng(0)
    rows = [f"the film was {rng.choice(WORDS)}\ta good warm story and film .\n" for _ in range(24)]
    (folder / "rows.tsv").write_text("".join(rows))
    arguments = {"model": "start", "train": "rows.tsv", "dev": "rows.tsv", "out": "writer"}
    words = [text for name, value in arguments.items() for text in (f"--{name}", str(folder / value))]
    assert main(["write", *words, "--epochs", "4", "--learning-rate", "1e-2", "--length", "16", "--longest", "8",
                 "--batch-size", "4", "--beams", "2"]) == 0
    return folder


@pytest.mark.slow
def test_it_learns_the_toy_task(place, capsys):
    card = json.loads((place / "writer" / "card.json").read_text())
    dev = card["scores"]["dev"]
    assert dev["rouge1"]["score"] == 1.0
    assert "Worst texts" in (place / "writer" / "report.html").read_text()
    assert card["training"]["perplexity"]["dev"]["score"] < len(tiny.VOCABULARY)
    assert main(["evaluate", str(place / "writer"), "--data", str(place / "rows.tsv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bleu"] == pytest.approx(dev["bleu"]["score"])
    assert found["distinct1"] == pytest.approx(7 / (24 * 7))         # one text of seven words, 24 times


def test_it_predicts_texts(place, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"the film was bad\nthe film was warm\n")))
    assert main(["predict", str(place / "writer")]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found == [{"text": "a good warm story and film."}] * 2


def test_its_perplexity_is_that_of_a_loop(place):
    model, task = checkpoints.load(place / "writer"), Writing(8)
    splits = Seq2SeqSplits("write", place / "rows.tsv", place / "rows.tsv", longest=8)
    tokenizer = tiny.tokenizer()
    found = log_likelihoods(model, splits.reference_rows(tokenizer, 16)["dev"], batch_size=5)
    labelled = read_labelled(task, place / "rows.tsv")
    for number in (0, 7):
        (text,), source = labelled.targets[number], labelled.inputs[number]
        ids = tokenizer.ids([text])[0]
        row = tokenizer.pack([source], length=16)
        logits = np.asarray(model({**row, "target_ids": np.array([[2, *ids]])}), "float64")[0]
        logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        np.testing.assert_allclose(found[number], logs[range(len(ids) + 1), [*ids, 3]], atol=1e-5)


def test_an_export_is_refused(place, capsys):
    for to in ("tflite", "saved_model"):
        assert main(["export", str(place / "writer"), "--out", str(place / to), "--to", to]) == 1
        assert "token after token" in capsys.readouterr().err


def test_bleu_of_counts_is_that_of_the_corpus():
    references, texts = [["the film was good"], ["a dull story", "a story"], ["one two three four five"]], [
        "the film was good and warm", "a story", "one two three four six"]
    counts = metrics.bleu_counts(references, texts)
    assert metrics.bleu_of(counts) == pytest.approx(metrics.bleu(references, texts)["bleu"])
    assert metrics.bleu_of(counts[[0, 0, 2]]) == pytest.approx(
        metrics.bleu([references[i] for i in (0, 0, 2)], [texts[i] for i in (0, 0, 2)])["bleu"])


def test_a_writer_that_goes_on_keeps_both_sides(place):
    model = checkpoints.load(place / "writer")
    again = EncoderDecoder.from_encoder(model, (2, 3), longest=8)
    for one, other in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one, other)

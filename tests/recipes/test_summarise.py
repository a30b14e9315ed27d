"""`bertkit summarise` from documents to extracts: learned from references, and by centrality."""

import json

import keras
import pytest

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.encoder import Encoder
from tests import tiny

MOODS = ("good", "bad", "warm", "dull", "cold", "fine")


def documents(count):
    """Return rows of five sentences, the second of which is the summary."""
    return [{"document": " ".join(f"The {noun} was {mood} and {MOODS[(i + j) % 6]}."
                                  for j, (noun, mood) in enumerate(zip(("film", "story", "scene", "actor", "film"),
                                                                      MOODS, strict=False))),
             "summary": [f"The story was bad and {MOODS[(i + 1) % 6]}.", "A story."]} for i in range(count)]


@pytest.fixture(scope="module")
def place(steps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("summarise")
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents(6)))
    return folder


def run(capsys, *words):
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_learns_and_ships_and_evaluates(place, capsys):
    card = run(capsys, "summarise", "--model", place / "encoder", "--train", place / "rows.jsonl", "--dev",
               place / "rows.jsonl", "--out", place / "learned", "--sentences", "1", "--epochs", "2", "--length", "32",
               "--learning-rate", "3e-3", "--batch-size", "4")
    dev = card["scores"]["dev"]
    assert dev["oracle_rouge1"]["score"] == 1.0 > dev["lead_rouge1"]["score"]
    assert {"rouge1", "rouge2", "rougeL"} < dev.keys()
    found = run(capsys, "evaluate", place / "learned", "--data", place / "rows.jsonl")
    assert found["rouge1"] == pytest.approx(dev["rouge1"]["score"]) and found["rows"] == 6
    assert "oracle" in (place / "learned" / "report.html").read_text()


def test_without_training_the_central_sentences_are_taken(place, capsys):
    card = run(capsys, "summarise", "--model", place / "encoder", "--dev", place / "rows.jsonl", "--out",
               place / "central", "--sentences", "2", "--length", "32")
    assert card["scores"]["dev"]["oracle_rouge1"]["score"] >= card["scores"]["dev"]["rouge1"]["score"]
    assert "oracle" in (place / "central" / "report.html").read_text()
    found = run(capsys, "evaluate", place / "central", "--data", place / "rows.jsonl")
    assert found["rouge2"] == pytest.approx(card["scores"]["dev"]["rouge2"]["score"])


def test_a_bundle_of_centrality_needs_no_data(place, capsys):
    assert run(capsys, "summarise", "--model", place / "encoder", "--out", place / "alone", "--length", "32")["task"] \
        == "summarise-central"


def test_training_without_dev_is_refused(place, capsys):
    words = ["--model", str(place / "encoder"), "--train", str(place), "--out", str(place / "no")]
    assert main(["summarise", *words]) == 1
    assert "--dev" in capsys.readouterr().err

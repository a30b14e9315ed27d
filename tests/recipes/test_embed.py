"""`bertkit embed` from its files to vectors: pairs, triples and scores, in memory or chunk by chunk."""

import io
import json

import keras
import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.encoder import Encoder
from tests import tiny

MOODS = (["good", "fine", "warm"], ["bad", "dull", "cold"])


def sentence(chance, mood):
    return f"the {chance.choice(['film', 'story', 'scene', 'actor'])} was {chance.choice(MOODS[mood])}"


def write(path, header, count, row):
    chance = np.random.default_rng(count)
    lines = ["\t".join(map(str, row(chance, number % 2))) for number in range(count)]
    path.write_text(header.replace(" ", "\t") + "\n" + "\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def place(steps, tmp_path_factory):
    """Return a folder with an encoder and texts that are alike where their mood is."""
    folder = tmp_path_factory.mktemp("embed")
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    write(folder / "triples.tsv", "anchor positive negative", 40,
          lambda chance, mood: [sentence(chance, each) for each in (mood, mood, 1 - mood)])
    write(folder / "pairs.tsv", "first second", 40, lambda chance, mood: [sentence(chance, mood)] * 2)
    for name, count in (("sts", 48), ("dev", 30)):
        write(folder / f"{name}.tsv", "sentence1 sentence2 score", count,
              lambda chance, same: [sentence(chance, 0), sentence(chance, 1 - same), 1 + 4 * same])
    return folder


def embed(place, out, train, *more, epochs=6):
    knobs = {"model": place / "encoder", "train": place / train, "dev": place / "dev.tsv", "out": place / out,
             "epochs": epochs, "length": 16, "batch-size": 8, "learning-rate": 5e-3}
    return main(["embed", *(str(part) for name, value in knobs.items() for part in (f"--{name}", value)), "--json",
                 *more])


@pytest.fixture(scope="module")
def trained(place):
    assert embed(place, "scored", "sts.tsv", "--test", str(place / "sts.tsv")) == 0
    return place / "scored"


@pytest.mark.slow
def test_scored_pairs_teach_what_is_alike(trained):
    card = Card.read(trained / "card.json")
    assert card.scores["dev"]["pearson"]["score"] > 0.7 and set(card.scores) == {"dev", "test"}
    assert {"name": "embed", "width": tiny.CONFIG.hidden_dim}.items() <= bundle.read_metadata(trained)["task"].items()


@pytest.mark.slow
def test_a_bundle_embeds_and_is_evaluated(trained, place, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"the film was good\n\nthe film was fine\n")))
    assert main(["predict", str(trained)]) == 0
    good, _, fine = (np.array(json.loads(line)["embedding"]) for line in capsys.readouterr().out.splitlines())
    assert np.linalg.norm(good) == pytest.approx(1, abs=1e-5) and good @ fine > 0.9
    assert main(["evaluate", str(trained), "--data", str(place / "dev.tsv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pearson"] == pytest.approx(Card.read(trained / "card.json").scores["dev"]["pearson"]["score"])


@pytest.mark.slow
def test_triples_teach_too_chunk_by_chunk(place):
    assert embed(place, "triples", "triples.tsv", "--pooling", "cls", "--chunk", "5", epochs=1) == 0
    assert checkpoints.load(place / "triples").pooling == "cls"


@pytest.mark.parametrize("train, more, wrong", [
    ("pairs.tsv", ["--loss", "cosine"], "loss=cosine does not fit rows of 2 texts without scores"),
    ("pairs.tsv", ["--set", "r_drop=1"], "r_drop"), ("pairs.tsv", ["--chunk", "0"], "chunk=0"),
    ("pairs.tsv", ["--test", "pairs.tsv"], "has no scores to compare cosines with")])
def test_what_does_not_fit_is_one_sentence(place, capsys, monkeypatch, train, more, wrong):
    monkeypatch.chdir(place)
    assert embed(place, "never", train, *more) == 1
    assert wrong in capsys.readouterr().err and not (place / "never").exists()

"""Vectors of texts: those of the traced encoder, whatever comes beside a text, in memory and as a file."""

import json

import keras
import numpy as np
import pytest

import bertkit
from bertkit import extraction, family, kinds
from bertkit.cli import main
from bertkit.data.columns import Columns
from bertkit.data.texts import file_texts
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.extraction import features
from bertkit.text import Tokenizer
from tests import exported, tiny
from tests.recorded import GOLDEN

TEXTS = ["a good film", "it was dull and cold with the new actor", "", "the the the"]
POOLED = {"mean": lambda x: x.mean(0), "max": lambda x: x.max(0), "cls": lambda x: x[0]}


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(2)
    return exported.spread(Encoder(tiny.CONFIG), 8.0)


def traced(encoder, layer):
    batch = tiny.tokenizer().pack(TEXTS, length=16)
    states = np.asarray(encoder(batch, trace=True)["trace"][f"hidden/{layer}"])
    return [state[mask == 1] for state, mask in zip(states, batch["padding_mask"], strict=True)]


@pytest.mark.parametrize("layer, place", [(0, 0), (1, 1), (2, 2), (-1, 2), (-3, 0)])
def test_vectors_are_those_of_the_traced_encoder(encoder, layer, place):
    wanted = traced(encoder, place)
    assert [len(row) for row in wanted] == [5, 11, 2, 5]
    found = features(encoder, TEXTS, tiny.tokenizer(), layer=layer, pooling=None)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
    for pooling, pool in POOLED.items():
        vectors = features(encoder, TEXTS, tiny.tokenizer(), layer=layer, pooling=pooling)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, [pool(row) for row in wanted], atol=2e-5)
    others = [np.abs(found[1] - traced(encoder, other)[1]).max() for other in range(3) if other != place]
    assert min(others) > 0.01


def test_a_norm_after_the_last_block_is_not_in_a_layer():
    """ModernBERT's: what comes out of the encoder is not what the trace calls its last layer."""
    config = family.page("modernbert").CONFIG.but(
        vocabulary_size=len(tiny.VOCABULARY), num_layers=2, num_heads=2, hidden_dim=16, intermediate_dim=32,
        attention=(kinds.Rotary(),) * 2)
    encoder = Encoder(config)
    assert encoder.ending is not None
    for one, other in zip(features(encoder, TEXTS, tiny.tokenizer(), pooling=None), traced(encoder, 2), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_what_comes_beside_a_text_changes_nothing(encoder, monkeypatch):
    together = features(encoder, TEXTS, tiny.tokenizer())
    monkeypatch.setattr(extraction, "CHUNK", 3)
    for size in (1, 2):
        np.testing.assert_allclose(features(encoder, TEXTS, tiny.tokenizer(), batch_size=size), together, atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 0.01


def test_a_head_gives_those_of_its_encoder_and_pairs_are_read(encoder):
    model = bertkit.Classifier(encoder, ["a", "b"])
    np.testing.assert_array_equal(features(model, TEXTS, tiny.tokenizer()), features(encoder, TEXTS, tiny.tokenizer()))
    found, = features(encoder, [("good", "a film")], tiny.tokenizer(), pooling=None)
    batch = tiny.tokenizer().pack(["good"], ["a film"], length=6)
    np.testing.assert_allclose(found, np.asarray(encoder(batch)["sequence"])[0], atol=2e-5)


def test_the_classification_token_may_stand_at_the_end(encoder):
    template = {"single": [("$first", 0), ("[SEP]", 0), ("[CLS]", 1)], "padding_side": "left",
                "pair": [("$first", 0), ("[SEP]", 0), ("$second", 1), ("[SEP]", 1), ("[CLS]", 1)]}
    tokenizer = Tokenizer(tiny.VOCABULARY, template=template)
    wanted = [np.asarray(encoder(tokenizer.pack([text], length=size))["sequence"])[0, -1]
              for text, size in zip(TEXTS, (5, 11, 2, 5), strict=True)]         # its places count padding too
    np.testing.assert_allclose(features(encoder, TEXTS, tokenizer, pooling="cls", batch_size=1), wanted, atol=2e-5)


def test_a_longer_text_is_cut_and_this_is_said(encoder, capsys):
    long = ["a good film", "film " * 40]
    found = features(encoder, long, tiny.tokenizer(), pooling=None)
    assert [len(row) for row in found] == [5, 32]                     # positions of the encoder
    assert capsys.readouterr().err == "1 of 2 texts have more than 32 tokens and were cut.\n"
    assert len(features(encoder, long, tiny.tokenizer(), pooling=None, length=8)[1]) == 8
    capsys.readouterr()
    features(encoder, TEXTS, tiny.tokenizer())
    assert capsys.readouterr().err == ""


def test_nothing_asked_is_nothing_computed(encoder):
    assert features(encoder, [], tiny.tokenizer()).shape == (0, 16)
    assert features(encoder, [], tiny.tokenizer(), pooling=None) == []


@pytest.mark.parametrize("change, words", [
    ({"layer": 3}, "layer=3, and this encoder has 2 layers"), ({"layer": -4}, "layer=-4"),
    ({"pooling": "first"}, "pooling='first' is unknown"), ({"texts": "one text"}, "where a list of texts was wanted"),
    ({"texts": ["a", 3]}, "The text of row 2 is 3"), ({"batch_size": 0}, "batch_size=0"), ({"length": 2}, "length=2"),
    ({"model": keras.Sequential()}, "A Sequential came, and it has no encoder"),
    ({"tokenizer": Tokenizer([*tiny.VOCABULARY, "more"])}, "entries and the encoder's table")])
def test_what_does_not_fit_is_refused(encoder, change, words):
    with pytest.raises(Error, match=words):
        features(**{"model": encoder, "texts": TEXTS, "tokenizer": tiny.tokenizer(), **change})


# ------------------------------------------------------------------------------------------- the command


def test_a_command_writes_them(tmp_path, capsys):
    folder, data = GOLDEN / "bert_tiny_erf", tmp_path / "texts.txt"
    data.write_text("one text\n\nand another\n", encoding="utf-8")
    encoder, tokenizer = bertkit.load(folder), Tokenizer.load(folder)
    for pooling in ("mean", "none"):
        out = tmp_path / f"{pooling}.npz"
        assert main(["features", str(folder), "--data", str(data), "--out", str(out), "--layer", "1", "--pooling",
                     pooling, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer == {"written": str(out), "rows": 3, "width": encoder.config.hidden_dim}
        found = np.load(out)
        kind = None if pooling == "none" else pooling
        wanted = features(encoder, ["one text", "", "and another"], tokenizer, 1, kind)
        if pooling == "mean":
            np.testing.assert_array_equal(found["features"], wanted)
            continue
        for i, row in enumerate(wanted):
            np.testing.assert_array_equal(found["features"][found["starts"][i]:found["starts"][i + 1]], row)
    assert main(["features", str(folder), "--data", str(data), "--out", str(out)]) == 1
    assert "is already there; give another --out" in capsys.readouterr().err


def test_a_file_of_texts(tmp_path):
    for name, content, columns, wanted in (
            ("a.txt", b"\xef\xbb\xbfone\r\n\ntwo", Columns(), ["one", "", "two"]),
            ("a.tsv", b"label\tsentence\n\tone\n1\ttwo\n", Columns(), ["one", "two"]),      # a label may be missing
            ("b.tsv", b"what\twhere\none\ttwo\n", Columns("where"), ["two"]),
            ("a.csv", b"sentence1,sentence2\none,two\n", Columns(), [("one", "two")]),
            ("a.jsonl", b'{"text": "one"}\n', Columns(), ["one"])):
        (tmp_path / name).write_bytes(content)
        assert file_texts(tmp_path / name, columns) == wanted
    (tmp_path / "bad.txt").write_bytes(b"one\n\xff\n")
    with pytest.raises(Error, match="bad.txt: line 2, column 1: the byte 0xff is not UTF-8"):
        file_texts(tmp_path / "bad.txt")
    with pytest.raises(Error, match="no columns; leave --text and --second out"):
        file_texts(tmp_path / "a.txt", Columns("text"))

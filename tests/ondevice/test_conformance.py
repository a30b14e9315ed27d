"""The corpus for clients in other languages says what bertkit says."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from bertkit import ondevice
from bertkit.text import Tokenizer

CORPUS = Path(__file__).resolve().parents[2] / "tflite/conformance"
TOKENIZERS = sorted(path for path in (*CORPUS.glob("*.jsonl"), *CORPUS.glob("more/*.jsonl")))
ANSWERS = sorted(CORPUS.glob("answers/*.jsonl"))


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def flat(value, kind):
    """Return the parts of an answer that are of one kind, in order."""
    if isinstance(value, dict | list):
        return [x for part in (value.values() if isinstance(value, dict) else value) for x in flat(part, kind)]
    return [value] if isinstance(value, kind) else []


@pytest.mark.parametrize("path", TOKENIZERS, ids=lambda path: path.stem)
def test_its_ids_and_offsets_are_those_of_the_tokenizer(path):
    given = rows(path)
    found = Tokenizer.load(path.with_suffix("")).encode([row["text"] for row in given])
    odd = [row["text"] for row, one in zip(given, found, strict=True)
           if (row["ids"], row["offsets"]) != (one.ids, [list(pair) for pair in one.offsets])]
    assert not odd, odd[:3]


def test_it_is_large_and_its_texts_are_generated_again_the_same(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(CORPUS), *sys.path])
    import texts
    wanted = texts.texts()
    assert len(set(wanted)) >= 8000
    for name in ("wordpiece", "bpe", "unigram"):
        assert [row["text"] for row in rows(CORPUS / f"{name}.jsonl")] == wanted


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_its_answers_are_those_of_the_exported_file(path):
    given = rows(path)
    found = ondevice.load(path.with_suffix("")).predict([
        row["input"] if isinstance(row["input"], str) else tuple(row["input"]) for row in given])
    for row, answer in zip(given, found, strict=True):
        assert flat(answer, str | int) == flat(row["answer"], str | int), row["input"]
        np.testing.assert_allclose(flat(answer, float), flat(row["answer"], float), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_its_answers_are_those_of_the_bundle(path):
    from bertkit.predictor import Predictor
    given = rows(path)[:20]
    found = Predictor(path.with_suffix("")).predict([
        row["input"] if isinstance(row["input"], str) else tuple(row["input"]) for row in given])
    for row, answer in zip(given, found, strict=True):
        assert flat(answer, str | int) == flat(row["answer"], str | int), row["input"]
        np.testing.assert_allclose(flat(answer, float), flat(row["answer"], float), atol=1e-4)


def test_an_exported_folder_has_its_own_tokenizer(tmp_path):
    """Not the one that its vocab.txt alone would be guessed to be."""
    path = CORPUS / "more/google"
    assert Tokenizer.load(path).model.settings()["longest_word"] == 200
    (tmp_path / "vocab.txt").write_bytes((path / "vocab.txt").read_bytes())
    assert Tokenizer.load(tmp_path).model.settings()["longest_word"] == 100

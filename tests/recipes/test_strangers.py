"""The whole chain on files as strangers have them, and nobody touches the files: train, evaluate, predict, export."""

import json

import pytest

from bertkit.cli import main
from bertkit.data.encodings import encoding_name
from bertkit.data.lines import open_bytes
from tests.recipes.strangers import FILES
from tests.recorded import GOLDEN

pytest.importorskip("openpyxl")
KNOBS = ["--epochs", "1", "--batch-size", "8", "--length", "96", "--set", "warmup=0.1"]
ROWS, DEV = 24, 12
MODEL = str(GOLDEN / "families" / "eurobert")          # its bytes spell every script


def answered(capsys, *words):
    """Run a command, and return what it printed and what it said."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    written = capsys.readouterr()
    assert code == 0, written.err
    return written.out, written.err


def converted(path, capsys, task):
    """Do what the message about the bytes of Windows says: iconv -f WINDOWS-1252 -t UTF-8."""
    try:
        path.read_bytes().decode()
        return
    except UnicodeDecodeError:
        assert main([task, "--train", str(path), "--dev", str(path), "--out", str(path.parent / "no")]) == 1
    assert "iconv -f WINDOWS-1252 -t UTF-8" in capsys.readouterr().err
    path.write_bytes(path.read_bytes().decode("cp1252").encode())


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_a_strangers_file_goes_through(kind, eager, tmp_path, capsys):
    task, end, write, words = FILES[kind]
    train, dev, out = tmp_path / f"train.{end}", tmp_path / f"dev.{end}", tmp_path / "out"
    for path, count in ((train, ROWS), (dev, DEV)):
        path.write_bytes(write(count))
        if end != "xlsx":
            converted(path, capsys, task)
    _, said = answered(capsys, task, "--model", MODEL, "--train", train, "--dev", dev, "--out", out, *KNOBS, *words)
    assert "What was read: train" in said
    scores = json.loads(answered(capsys, "evaluate", out, "--data", dev, "--json", *words)[0])
    assert scores.get("rows", DEV) in (DEV, DEV + 1)
    rows = [json.loads(line) for line in answered(capsys, "predict", out, "--data", dev, *words)[0].splitlines()]
    assert len(rows) in (DEV, DEV + 1, DEV + 3)             # those that an annotator skipped are answered too
    answered(capsys, "predict", out, "--data", dev, "--out", tmp_path / "answers.csv", *words)
    answered(capsys, "export", out, "--to", "tflite", "--precision", "dynamic", "--length", "96", "--dev", dev, "--out",
             tmp_path / "phone", *words)
    card = json.loads((tmp_path / "phone" / "card.json").read_text())
    assert (tmp_path / "phone" / "model.tflite").exists() and card


@pytest.mark.parametrize("kind", FILES)
def test_the_files_are_what_they_say(kind, tmp_path):
    """Those of Windows are no UTF-8, and are told as such."""
    *_, write, _ = FILES[kind]
    path = tmp_path / "f"
    path.write_bytes(write(4))
    with open_bytes(path) as file:
        assert encoding_name(file) in ("UTF-8", "UTF-16", None)
    assert len(write(4)) < len(write(8))

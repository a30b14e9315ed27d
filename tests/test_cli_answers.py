"""`bertkit predict` and `bertkit evaluate` as a script sees them."""

import json
import sys

import numpy as np
import pytest

from bertkit.cli import commands, main
from bertkit.data.columns import Columns
from bertkit.data.readers import read_examples
from bertkit.errors import Error
from bertkit.predictor import Predictor
from tests import exported, tiny
from tests.recorded import GOLDEN
from tests.said import HOSTILE, sentence, stdin


def test_predict_answers_every_line_in_order(monkeypatch, capsys):
    stdin(monkeypatch, "\n".join(HOSTILE).encode() + b"\n\xff\xfe broken\r\nlast, without an end")
    assert main(["predict", str(exported.bundled())]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    wanted = Predictor(exported.bundled()).predict([*HOSTILE, "\ufffd\ufffd broken", "last, without an end"])
    assert [answer["label"] for answer in answers] == [answer["label"] for answer in wanted]
    for answer, right in zip(answers, wanted, strict=True):
        assert answer["probabilities"] == pytest.approx(right["probabilities"], abs=1e-6)
        assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_a_mark_of_byte_order_before_the_first_line_is_no_text(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(Predictor, "predict", lambda self, texts: seen.extend(texts) or [{}] * len(texts))
    stdin(monkeypatch, b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n")
    assert main(["predict", str(exported.bundled())]) == 0
    assert seen == ["one", "\ufefftwo"]


def test_predict_goes_on_beyond_a_chunk(monkeypatch, capsys):
    monkeypatch.setattr(commands, "CHUNK", 3)
    texts, _ = tiny.texts(10)
    stdin(monkeypatch, "\n".join(texts).encode())
    assert main(["predict", str(exported.bundled())]) == 0
    labels = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    assert labels == [answer["label"] for answer in Predictor(exported.bundled()).predict(texts)]
    assert len(set(labels)) > 1


def test_a_person_at_a_terminal_is_answered_at_once(monkeypatch):
    asked = []
    monkeypatch.setattr(Predictor, "predict", lambda self, texts: asked.append(texts) or [{}] * len(texts))
    stdin(monkeypatch, b"one\ntwo\n", terminal=True)
    assert main(["predict", str(exported.bundled())]) == 0
    assert asked == [["one"], ["two"]]


def test_predict_without_input(monkeypatch, capsys):
    stdin(monkeypatch, b"")
    assert main(["predict", str(exported.bundled())]) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "stdin", None)
    assert "Standard input is closed" in sentence(capsys, "predict", exported.bundled())


def test_pairs_have_one_tab(monkeypatch, capsys):
    folder = exported.bundled(**exported.PAIRS)
    stdin(monkeypatch, b"good film\told story\n\t\n")
    assert main(["predict", str(folder)]) == 0
    first, empty = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert set(first) == {"labels", "probabilities"} and set(empty["probabilities"]) == set(exported.LABELS)
    for line, tabs in ((b"no tab", 0), (b"one\ttwo\tthree", 2)):
        stdin(monkeypatch, b"a\tb\n" + line)
        assert f"line 2 of standard input has {tabs} tabs" in sentence(capsys, "predict", folder)


def test_evaluate_counts_what_predict_answers(monkeypatch, capsys):
    folder, path = exported.bundled(), exported.dev(40)
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    stdin(monkeypatch, "\n".join(text for text, _ in rows).encode())
    assert main(["predict", str(folder)]) == 0
    answers = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    assert main(["evaluate", str(folder), "--data", str(path), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    right = np.mean([answer == label for answer, (_, label) in zip(answers, rows, strict=True)])
    assert scores["accuracy"] == pytest.approx(right) == 0.9 and scores["rows"] == 40
    assert set(scores) == {"accuracy", "f1", "matthews", "rows"}


def test_evaluate_takes_labels_as_they_are_parted(tmp_path, capsys):
    folder, scores = exported.bundled(**exported.PAIRS), []
    for sign, words in (("|", ()), (";", ("--separator", ";"))):
        path = tmp_path / "pairs.tsv"
        path.write_text(f"first\tsecond\tlabel\ngood\tbad\tbad{sign}good\nold\tnew\t\n")
        assert main(["evaluate", str(folder), "--data", str(path), "--json", *words]) == 0
        scores.append(json.loads(capsys.readouterr().out))
    assert scores[0] == scores[1] and set(scores[0]) == {"accuracy", "f1", "rows"}


@pytest.mark.parametrize("content, words", [
    ("sentence\tlabel\ngood\tbest\n", "line 2: the label 'best' is not among those of training"),
    ("sentence\tlabel\n", "no row that can be used"), ("", "is empty"), ("\x00\x01\x02\x03\x04\x05", "is not text"),
    ("sentence\tlabel\ngood\tbad\t\n", "line 2, 3 fields came, 2 were wanted"),
    ("sentence\tmark\ngood\tbad\n", "which column is the label"),
    ("sentence1\tsentence2\tlabel\na\tb\tgood\n", "reads single texts")])
def test_evaluate_names_what_is_wrong_with_the_data(tmp_path, capsys, content, words):
    path = tmp_path / "dev.tsv"
    path.write_text(content)
    assert words in sentence(capsys, "evaluate", exported.bundled(), "--data", path)


def test_evaluate_refuses_lists_of_labels_where_one_is_wanted(tmp_path, capsys):
    path = tmp_path / "dev.jsonl"
    path.write_text('{"text": "good", "label": ["good", "bad"]}\n')
    assert "has lists of labels" in sentence(capsys, "evaluate", exported.bundled(), "--data", path)


@pytest.mark.parametrize("command", [["predict"], ["evaluate", "--data", "dev.tsv"]], ids=lambda words: words[0])
def test_what_is_no_bundle_of_a_task_is_said(tmp_path, capsys, command):
    name, *rest = [str(tmp_path / word) if word == "dev.tsv" else word for word in command]
    (tmp_path / "dev.tsv").write_text("text\tlabel\n")
    (tmp_path / "empty").mkdir()
    assert "is no bundle" in sentence(capsys, name, tmp_path / "empty", *rest)
    assert "is no bundle" in sentence(capsys, name, tmp_path / "nothing", *rest)
    assert main(["convert", str(GOLDEN / "bert_tiny_erf"), str(tmp_path / "encoder"), "--json"]) == 0
    capsys.readouterr()
    assert "fine-tune it first" in sentence(capsys, name, tmp_path / "encoder", *rest)


def test_rows_of_a_file_are_answered_beside_their_columns(tmp_path, monkeypatch, capsys):
    folder, path = exported.bundled(), tmp_path / "rows.csv"
    texts, _ = tiny.texts(6)
    path.write_text("id,message,label\n" + "".join(f"{number},{text},?\n" for number, text in enumerate(texts)))
    right = [answer["label"] for answer in Predictor(folder).predict(texts)]
    assert main(["predict", str(folder), "--data", str(path)]) == 0
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["predicted_label"] for row in rows] == right and [row["id"] for row in rows] == list("012345")
    assert "What was read: rows.csv, 6 rows (CSV)" in err and "not used: 'id', 'label'" in err
    for name in ("out.csv", "out.tsv", "out.jsonl"):
        out = tmp_path / name
        assert main(["predict", str(folder), "--data", str(path), "--text", "message", "--out", str(out)]) == 0
        assert read_examples(out, text="message", label="predicted_label").labels == right
    assert "--out and names of columns are for the rows of a file" in sentence(
        capsys, "predict", folder, "--out", tmp_path / "out.csv")
    assert "out.xml cannot be written" in sentence(
        capsys, "predict", folder, "--data", path, "--out", tmp_path / "out.xml")


def test_rows_are_written_for_an_annotation_tool_the_least_certain_first(tmp_path, capsys):
    folder, path, out = exported.bundled(), tmp_path / "rows.csv", tmp_path / "out.json"
    texts, _ = tiny.texts(6)
    path.write_text("id,message\n" + "".join(f"{number},{text}\n" for number, text in enumerate(texts)))
    words = ["predict", str(folder), "--data", str(path), "--order", "uncertain", "--text", "message"]
    assert main([*words, "--format", "labelstudio", "--out", str(out)]) == 0
    tasks = json.loads(out.read_text(encoding="utf-8"))
    scores = [task["predictions"][0]["score"] for task in tasks]
    shares = [list(answer["probabilities"].values()) for answer in Predictor(folder).predict(texts)]
    margins = [first - second for second, first in (sorted(row)[-2:] for row in shares)]
    assert scores == sorted(scores) == pytest.approx(sorted(margins))
    assert [task["data"]["id"] for task in tasks] == [str(row) for row in sorted(range(6), key=margins.__getitem__)]
    assert tasks[0]["predictions"][0]["model_version"] == Predictor(folder).version
    assert '<Text name="text" value="$message"/>' in capsys.readouterr().err
    assert main([*words, "--format", "doccano"]) == 0
    assert [json.loads(line)["score"] for line in capsys.readouterr().out.splitlines()] == scores
    assert "imports .json files" in sentence(capsys, *words, "--format", "labelstudio", "--out", tmp_path / "f.csv")
    assert "so are --format and --order" in sentence(capsys, "predict", folder, "--order", "uncertain")


@pytest.mark.parametrize("command", ["classify", "tag", "answer", "choose", "evaluate", "export", "predict"])
def test_the_flags_of_columns_exist_wherever_a_file_is_read(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert all(flag in text for flag in ("--text", "--second", "--label", "--word", "--tag", "--separator",
                                         "--skip-bad-rows"))


def test_export_reads_dev_as_evaluate_reads_it(tmp_path, monkeypatch, capsys):
    asked = []

    def read(task, path, columns, separator, **reading):
        asked.append((columns, separator, reading))
        raise Error("read.")

    monkeypatch.setattr("bertkit.export.tflite.read_labelled", read)
    sentence(capsys, "export", exported.bundled(), "--dev", exported.dev(40), "--out", tmp_path / "phone",
             "--text", "a", "--label", "b", "--separator", ";", "--skip-bad-rows")
    assert asked == [(Columns("a", None, "b"), ";", {"skip_bad_rows": True})]

"""What `bertkit classify` refuses: one sentence, and nothing is left behind."""

import json
import shutil

import pytest
from safetensors.numpy import load_file, save_file

from bertkit.cli import main
from tests.recipes.classifying import made, refusal, words
from tests.recorded import GOLDEN

HEADER = "sentence\tlabel\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with an encoder and three files of labelled texts."""
    return made(tmp_path_factory.mktemp("classify"))


@pytest.mark.parametrize("content, said", [
    (f"{HEADER}good\t1\nbad\t7\n", "line 3: the label '7' is not among those of training ('0', '1')"),
    ("sentence\tmark\ngood\t1\n", "which column is the label"), ("", "is empty"), (HEADER, "no row that can be used"),
    ("\x00\x01\x02\x03\x04\x05\x06", "is not text"),
    (f"{HEADER}good\tfilm\t1\n", "line 2, 3 fields came, 2 were wanted"),
    ("sentence1\tsentence2\tlabel\na\tb\t1\n", "has pairs, and this model"), (None, "cannot be read")])
def test_bad_rows_of_dev(place, tmp_path, capsys, content, said):
    if content is not None:
        (tmp_path / "dev.tsv").write_text(content)
    message = refusal(capsys, words(place, tmp_path / "out", dev=tmp_path / "dev.tsv"))
    assert said in message and str(tmp_path / "dev.tsv") in message
    assert {path.name for path in tmp_path.iterdir()} <= {"dev.tsv"}


@pytest.mark.parametrize("content, said", [
    (f"{HEADER}good\t1\nfine\t1\n", "has the label '1' in all of the 2 rows"),
    (f"{HEADER}good\tfilm\t1\n", "line 2, 3 fields came, 2 were wanted"),
    ("sentence1\tsentence2\tlabel\na\tb\t1\nc\td\t0\n", "has single texts, and this model"), ("", "is empty")])
def test_bad_rows_of_train(place, tmp_path, capsys, content, said):
    (tmp_path / "train.tsv").write_text(content)
    assert said in refusal(capsys, words(place, tmp_path / "out", train=tmp_path / "train.tsv"))
    assert [path.name for path in tmp_path.iterdir()] == ["train.tsv"]


def test_lists_of_labels_beside_single_ones(place, tmp_path, capsys):
    for name, labels in (("lists", (["a"], ["b"])), ("ones", ("a", "b"))):
        rows = [json.dumps({"text": "good", "label": label}) for label in labels]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    for train, dev in (("lists", "ones"), ("ones", "lists")):
        arguments = words(place, tmp_path / "out", tmp_path / f"{train}.jsonl", tmp_path / f"{dev}.jsonl")
        assert "write them alike" in refusal(capsys, arguments)


def test_rows_left_out_are_said(place, tmp_path, capsys):
    (tmp_path / "train.tsv").write_text(f"{HEADER}good\t1\nbad\ttab\t0\nfine\t1\n")
    arguments = words(place, tmp_path / "out", train=tmp_path / "train.tsv")
    assert main([*arguments, "--skip-bad-rows"]) == 1          # one class is left
    assert "left out 1 of its rows, first line 3" in capsys.readouterr().err


@pytest.mark.parametrize("flag, value, said", [
    ("--epochs", "0", "epochs=0 trains nothing"), ("--epochs", "-1", "epochs=-1 trains nothing"),
    ("--batch-size", "0", "batch_size=0"), ("--limit", "0", "limit=0"), ("--limit", "1", "in all of the 1 rows"),
    ("--learning-rate", "0", "learning_rate=0.0 trains nothing"), ("--learning-rate", "-1", "learning_rate=-1.0"),
    ("--learning-rate", "nan", "learning_rate=nan"), ("--learning-rate", "inf", "learning_rate=inf"),
    ("--seed", "-1", "seed=-1 lies outside"), ("--seed", str(2**32), "lies outside 0 to 4294967295"),
    ("--length", "2", "length=2 does not fit"), ("--length", "33", "takes 3 to 32 tokens"),
    ("--text", "nothing", "no columns 'nothing'"), ("--set", "patience=0", "patience=0"),
    ("--set", "separator=", "separator is empty"), ("--tuning", "nothing.json", "nothing.json is missing")])
def test_knobs_that_train_nothing(place, tmp_path, capsys, flag, value, said):
    assert said in refusal(capsys, [*words(place, tmp_path / "out"), flag, value])
    assert not list(tmp_path.iterdir())


def test_a_training_that_diverges_stops(steps, place, tmp_path, capsys):
    assert "The training diverged: the loss is nan" in refusal(
        capsys, [*words(place, tmp_path / "out"), "--learning-rate", "1e30"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("taken, said", [
    ("out/notes.txt", "a folder with other things in it"), ("out", "is a file"),
    ("out.tmp/notes.txt", "holds notes.txt"), ("out.tmp", "is a file")])
def test_a_place_that_is_taken_stays_as_it_is(place, tmp_path, capsys, taken, said):
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("mine")
    before = sorted(path for path in tmp_path.rglob("*"))
    assert said in refusal(capsys, words(place, tmp_path / "out"))
    assert sorted(path for path in tmp_path.rglob("*")) == before and (tmp_path / taken).read_text() == "mine"


def test_an_unwritable_place(place, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refusal(capsys, words(place, tmp_path / "file" / "out"))
    assert "too long" in refusal(capsys, words(place, tmp_path / ("n" * 300)))
    monkeypatch.setattr("bertkit.files.folders.os.access", lambda path, mode: False)
    assert "no folder one can write to" in refusal(capsys, words(place, tmp_path / "out"))


def damaged(place, tmp_path, change):
    """Return a copy of a Hugging Face folder after `change`(folder)."""
    folder = shutil.copytree(GOLDEN / "bert_tiny_erf", tmp_path / "model")
    change(folder)
    return folder


def truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def grow_vocabulary(folder):
    with open(folder / "vocab.txt", "a") as file:
        file.write("".join(f"more{i}\n" for i in range(100)))


def drop_a_tensor(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("encoder.layer.0.output.dense.bias")
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize("change, said", [
    (truncate, "not a whole safetensors file"), (drop_a_tensor, "missing: encoder.layer.0.output.dense.bias"),
    (grow_vocabulary, "entries and the encoder's table 60 rows"),
    (lambda folder: (folder / "vocab.txt").unlink(), "holds no tokenizer"),
    (lambda folder: (folder / "config.json").write_text("{"), "is not JSON")],
    ids=["truncated", "not whole", "too many words", "no words", "no config"])
def test_a_wrong_checkpoint(place, tmp_path, capsys, change, said):
    folder = damaged(place, tmp_path, change)
    assert said in refusal(capsys, words(place, tmp_path / "out", model=folder))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_address_that_leads_nowhere(place, tmp_path, capsys):
    for model, said in (("hf://name", "wanted hf://owner/name"), (str(tmp_path / "nothing"), "does not exist"),
                        (str(place / "train.tsv"), "is a file"), (str(tmp_path), "holds no checkpoint")):
        arguments = [*words(place, tmp_path / "out"), "--model", model]
        assert said in refusal(capsys, arguments)

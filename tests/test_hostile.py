"""Commands that are given what no one should give: exit code 1, one sentence, nothing left behind, nothing that waits.

Each test is a kind of input; readers of JSON have theirs in test_mutated_json.py, files without an end in
test_bounded.py, wrong values of functions in test_wrong_values.py, ends of processes in test_endings.py.
"""

import os

import pytest

from bertkit.card import Card
from bertkit.checkpoints import load
from bertkit.cli import main
from bertkit.errors import Error
from bertkit.files.folders import check_replaceable
from bertkit.pretraining.folder import Folder
from bertkit.report.head import appendix
from tests import exported


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return an empty current folder with two small files of texts."""
    monkeypatch.chdir(tmp_path)
    for name in ("ours", "theirs"):
        (tmp_path / f"{name}.txt").write_text("a film\nso\n")
    return tmp_path


def refused(capsys, *words):
    """Return the one sentence with which a command refuses."""
    assert main(list(map(str, words))) == 1
    out, err = capsys.readouterr()
    sentences = [line for line in err.splitlines() if line.startswith("bertkit: ")]
    assert len(sentences) == 1 and "Traceback" not in err and out == ""
    assert not any(ord(letter) < 32 for letter in sentences[0])
    return sentences[0]


@pytest.mark.parametrize("words, message", [
    (["--out", "s.html", "--seed", "-1"], "seed=-1; give a whole number"),
    (["--out", ""], "is no name for a sheet"), (["--out", "."], "is no name for a sheet"),
    (["--out", "s.txt"], "end it in .html or .csv")])
def test_a_sheet(place, capsys, words, message):
    assert message in refused(capsys, "annotate", "ours.txt", "theirs.txt", *words)
    assert sorted(path.name for path in place.iterdir()) == ["ours.txt", "theirs.txt"]


def test_a_length_of_a_corpus_that_no_encoder_reads(place, capsys):
    (place / "v.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    for length in ("0", "9" * 16, "9" * 25):
        said = refused(capsys, "corpus", "--text", "ours.txt", "--vocabulary", "v.txt", "--out", "o", "--length",
                       length)
        assert "length=" in said and not (place / "o").exists()


def test_an_output_that_is_a_link_to_itself(place, capsys):
    (place / "loop").symlink_to("loop")
    words = ["vocabulary", "--corpus", "ours.txt", "--size"]
    refused(capsys, *words, "300", "--kind", "bpe", "--out", "loop")
    assert main([*words, "20", "--out", "loop"]) == 0 and (place / "loop").is_file()    # a file takes the link's place


def test_epochs_without_end(place, capsys):
    (place / "t.tsv").write_text("sentence\tlabel\na\t1\nb\t0\n")
    said = refused(capsys, "classify", "--train", "t.tsv", "--out", "o", "--epochs", "9" * 400)
    assert "never end; give 1000000 at most" in said


def test_a_current_folder_that_is_gone(tmp_path, monkeypatch, capsys):
    before = os.getcwd()
    gone = tmp_path / "gone"
    gone.mkdir()
    try:
        os.chdir(gone)
        gone.rmdir()
        assert "current folder is gone" in refused(capsys, "cost", "bert-base-uncased")
        with pytest.raises(SystemExit):
            main(["cost", "--help"])
    finally:
        os.chdir(before)


@pytest.mark.parametrize("backend, fault", [("evil", "which Keras has not"), ("torch", "which is not installed")])
def test_a_backend_that_is_not_there(monkeypatch, capsys, backend, fault):
    pytest.importorskip("keras")
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr("bertkit.cli.find_spec", lambda name: None)
    assert fault in refused(capsys, "cost", "bert-base-uncased")


def test_a_name_that_is_no_utf_8(tmp_path):
    with pytest.raises(Error, match="is a name that is not UTF-8.*LC_ALL=C.UTF-8"):
        check_replaceable(tmp_path / os.fsdecode(b"caf\xe9"), "bundle")
    check_replaceable(tmp_path / "дом 家", "bundle")


def test_files_of_tensorflow_1_that_are_pipes(tmp_path):
    (tmp_path / "bert_config.json").write_text("{}")
    for name in ("bert_model.ckpt.index", "bert_model.ckpt.data-00000-of-00001"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(Error, match="is a pipe"):
            load(tmp_path)
        (tmp_path / name).unlink()
        (tmp_path / name).write_bytes(b"")


def test_a_column_is_no_file(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("message,id\na good film,1\n")
    assert main(["features", str(exported.bundled()), "--data", str(tmp_path / "t.csv"), "--text", "message", "--out",
                 str(tmp_path / "f.npz"), "--json"]) == 0
    assert '"rows": 1' in capsys.readouterr().out


def test_the_page_does_not_say_where_the_run_was_left():
    pages = [appendix(Card("a", "classify", {}, knobs={"out": out, "epochs": 3}, scores={}, data={}))
             for out in ("/first/a", "/second/a")]
    assert pages[0] == pages[1] and "epochs" in str(pages[0])


def test_a_pretraining_that_never_saved_a_state_leaves_no_folder(tmp_path):
    for name, kept in (("nothing", False), ("state-000001.json", True), ("theirs", True)):
        folder = Folder(tmp_path / name)
        folder.logs.mkdir(parents=True)
        (folder.logs / "events").write_text("x")
        if kept:
            (folder.path / name).write_text("x")
        folder.tidy()
        assert folder.path.exists() == kept and folder.logs.exists() == (name == "state-000001.json")

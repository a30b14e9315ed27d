"""What has no end is refused at once: pipes, devices, lines, documents and configs without a bound."""

import gzip
import io
import os
import tracemalloc
from pathlib import Path

import pytest

from bertkit.checkpoints.tensors import read_safetensors
from bertkit.checkpoints.torch_file import read_torch
from bertkit.cli import commands
from bertkit.config import EncoderConfig
from bertkit.corpus import documents, vocabulary
from bertkit.data.folders import read_folder
from bertkit.data.readers import read_examples
from bertkit.errors import Error
from bertkit.files import atomic, bounded
from bertkit.kinds import Hash, Local
from bertkit.pretraining import named
from bertkit.text import Tokenizer


@pytest.fixture(params=["fifo", "zero"])
def endless(request, tmp_path):
    """Return a function that makes a file of a name that has no end."""
    def made(name):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        os.mkfifo(path) if request.param == "fifo" else path.symlink_to("/dev/zero")
        return path

    return made


READERS = {
    "a text": lambda made: atomic.read_text(made("a.txt")),
    "JSON": lambda made: atomic.read_json(made("a.json")),
    "a sum": lambda made: atomic.sha256(made("a.json")),
    "a table": lambda made: read_examples(made("a.tsv")),
    "a folder of texts": lambda made: read_folder(made("class/a.txt").parents[1]),
    "documents": lambda made: list(documents.read_documents([made("a.txt")])),
    "packed documents": lambda made: list(documents.read_documents([made("a.txt.gz")])),
    "a vocabulary that would be replaced": lambda made: vocabulary.learn_vocabulary([__file__], made("vocab.txt"), 100),
    "a sentencepiece model": lambda made: Tokenizer.load(made("spiece.model").parent),
    "a tokenizer": lambda made: Tokenizer.load(made("tokenizer.json").parent),
    "safetensors": lambda made: read_safetensors([made("a.safetensors")], "a"),
    "a torch file": lambda made: read_torch(made("pytorch_model.bin")),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_file_without_an_end_is_refused(endless, read):
    with pytest.raises(Error, match="is a (pipe|device), which may have no end; write what it gives to a file"):
        read(endless)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "a.json", "wb") as file:
        file.truncate(10**12)                   # a sparse file, which takes no room
    tracemalloc.start()
    with pytest.raises(Error, match="has more than 268435456 bytes"):
        atomic.read_json(tmp_path / "a.json")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


@pytest.mark.parametrize("given", [5, None, True, ["a"], b"a", object(), 0.5])
def test_what_is_no_path_is_said(given):
    with pytest.raises(Error, match="came where the path of a tokenizer was wanted"):
        bounded.as_path(given, "a tokenizer")
    with pytest.raises(Error, match="holds the character NUL"):
        bounded.as_path("a\0b")


def test_a_packed_document_of_any_size_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST", 2**20)
    with gzip.open(tmp_path / "bomb.txt.gz", "wt", compresslevel=1) as file:
        for _ in range(40):
            file.write("a word\n" * 10**5)
    assert (tmp_path / "bomb.txt.gz").stat().st_size < 200_000
    tracemalloc.start()
    with pytest.raises(Error, match=r"bomb.txt.gz: line \d+, one document has .* put a blank line after each document"):
        list(documents.read_documents([tmp_path / "bomb.txt.gz"]))
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_a_line_of_standard_input_has_an_end():
    lines = commands._lines(io.BytesIO(b"short\n" + b"x" * (commands.LONGEST_LINE + 5)))
    assert next(lines) == "short"
    with pytest.raises(Error, match="line 2 of standard input has more than 2097152 bytes"):
        next(lines)
    assert list(commands._lines(io.BytesIO(b"\xef\xbb\xbfa\r\nb\n\nc"))) == ["a", "b", "", "c"]


def test_long_lines_are_answered_in_smaller_chunks():
    assert [len(chunk) for chunk in commands._chunks(iter(["a"] * 2500), 1024)] == [1024, 1024, 452]
    assert [len(chunk) for chunk in commands._chunks(iter(["a" * 200_000] * 20), 1024)] == [6, 6, 6, 2]
    assert list(commands._chunks(iter([]), 1024)) == []


@pytest.mark.parametrize("kind", [lambda: Local(chunk=2**63), lambda: Local(before=10**9), lambda: Local(after=10**100),
                                  lambda: Hash(hashes=10**9), lambda: Hash(buckets=10**9), lambda: Hash(seed=10**100)])
def test_an_absurd_attention_is_refused(kind):
    with pytest.raises(Error, match=r"(Local|Hash)\(\w+=\d+.*: give \d+ or less"):
        EncoderConfig(10, 1, 1, 8, 8, attention=kind())


@pytest.mark.parametrize("changes", [{"num_layers": 10_000}, {"hidden_dim": 2**20, "intermediate_dim": 2**22},
                                     {"vocabulary_size": 2**40}])
def test_an_encoder_that_no_machine_trains_is_refused_at_once(tmp_path, changes):
    atomic.write_json(tmp_path / "own.json", EncoderConfig(100, 2, 2, 8, 16).to_json() | changes)
    with pytest.raises(Error, match="layers, more than any|GiB of memory to train"):
        named.read_config(str(tmp_path / "own.json"), ("mlm",), 100, None)


def test_a_vocabulary_of_any_size_is_refused(tmp_path):
    with pytest.raises(Error, match="more than any vocabulary has"):
        vocabulary.learn_vocabulary([Path(__file__)], tmp_path / "vocab.txt", 10**12)


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
@pytest.mark.parametrize("place", ["/proc/evil", "file/out", "/dev/full"])
def test_a_vocabulary_that_cannot_be_written_is_one_sentence(tmp_path, kind, place):
    pytest.importorskip("sentencepiece")
    (tmp_path / "file").write_text("")
    (tmp_path / "a.txt").write_text("some words of a text, and others\n" * 30)
    with pytest.raises(Error, match="cannot be written|is there already|is a file"):
        vocabulary.learn_vocabulary([tmp_path / "a.txt"], tmp_path / place, 300, kind)

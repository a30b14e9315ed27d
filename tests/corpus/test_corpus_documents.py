"""Documents come out as they were put in, whatever the file; what is broken is named."""

import gzip
import json

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.corpus.documents import Counts, Selection, read_documents
from bertkit.errors import Error

PARAGRAPHS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cf")), min_size=1, max_size=20)
DOCUMENTS = st.lists(st.lists(PARAGRAPHS, min_size=1, max_size=4), min_size=1, max_size=5)


def plain(given):
    return "\n\n".join("\n".join(document) for document in given) + "\n"


def objects(given):
    return "".join(json.dumps({"id": 1, "text": "\n".join(document)}) + "\n" for document in given)


@given(DOCUMENTS, st.sampled_from(["", ".gz", ".zst"]), st.sampled_from([".txt", ".jsonl"]))
@settings(max_examples=40, deadline=None)
def test_what_was_written_is_read(tmp_path_factory, given, packed, suffix):
    path = tmp_path_factory.mktemp("d") / f"a{suffix}{packed}"
    content = (plain if suffix == ".txt" else objects)(given).encode()
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}[packed]
    path.write_bytes(pack(content))
    assert list(read_documents([path])) == given
    assert list(read_documents([path, path])) == given * 2


def test_selection_leaves_out_and_counts(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("One  two.\n\nshort\n\none TWO.\n\n" + "long " * 50 + "\n")
    counts = Counts()
    assert list(read_documents([path], Selection(least=6, most=100, copies=False), counts)) == [["One  two."]]
    assert counts == Counts(documents=1, characters=9, short=1, long=1, copies=1)


@pytest.mark.parametrize(("name", "content", "said"), [
    ("a.txt", b"good\nb\xe9d\n", "line 2, column 2: the byte 0xe9 is not UTF-8"), ("a.txt", b"", "is empty"),
    ("a.jsonl", b'{"text": "a"}\n\n{"title": "b"}\n', "line 3, .*wanted"),
    ("a.jsonl", b'{"text": 3}\n', "\"text\" is 3"),
    ("a.jsonl", b"[" * 10**5, "line 1, .*wanted"),
    ("a.txt.gz", gzip.compress(b"word\n" * 10**5, mtime=0)[:-20], "cannot be unpacked"),
    ("a.txt.gz", b"plain text", "cannot be unpacked"), ("a.txt", gzip.compress(b"word" * 1000, mtime=0), "is not text"),
    ("a.txt.zst", b"plain text", "cannot be unpacked")])
def test_what_is_broken_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Error, match=f"{name}.*{said}"):
        list(read_documents([tmp_path / name]))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(Error, match=r"none\.txt cannot be read"):
        list(read_documents([tmp_path / "none.txt"]))


def test_documents_come_one_at_a_time(tmp_path):
    """The second half of a file may be broken: the first document is out before it is reached."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"first\n\n" + b"x" * 10**6 + b"\n\xff\n")
    assert next(read_documents([path])) == ["first"]

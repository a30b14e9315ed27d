"""Entities in inline markers, and spaCy's .spacy as spaCy itself reads it."""

import json
import struct
import zlib
from pathlib import Path

import pytest

from bertkit.data import docbin
from bertkit.data.markers import marked_words
from bertkit.data.msgpack import unpack
from bertkit.data.tagged import read_tagged
from bertkit.errors import Error

GOLDEN = Path(__file__).parents[1] / "golden"


def tagged(path, **options):
    found = read_tagged(path, **options)
    return [[f"{word}/{tag}" for word, tag in zip(*pair, strict=True)]
            for pair in zip(found.words, found.tags, strict=True)]


LINES = """<?xml version="1.0"?>
<DOC> <!-- made by hand -->
<s>I saw <PER>Anna Lee</PER> in <ENAMEX TYPE="CITY">Rome</ENAMEX>.</s>

it rains, 1 < 2 &amp; 3 <3
<TIMEX type='last week'>last Monday</TIMEX><PER>Bo</PER><LOC> </LOC>
</DOC>
"""
FOUND = [["I/O", "saw/O", "Anna/B-PER", "Lee/I-PER", "in/O", "Rome/B-CITY", "./O"],
         ["it/O", "rains/O", ",/O", "1/O", "</O", "2/O", "&/O", "3/O", "</O", "3/O"],
         ["last/B-last_week", "Monday/I-last_week", "Bo/B-PER"]]


@pytest.mark.parametrize("name", ["f.txt", "f.xml", "f.sgml"])
def test_a_sentence_a_line(written, name):
    assert tagged(written(name, LINES)) == FOUND
    found = read_tagged(written(name, LINES))
    assert (found.lines, found.source.form) == ([3, 5, 6], "text with markers")


def test_a_column_of_a_table(written):
    rows = [{"id": 1, "text": "it rains"}, {"id": 2, "text": "I saw <PER>Anna</PER>"}]
    path = written("f.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert tagged(path) == [["it/O", "rains/O"], ["I/O", "saw/O", "Anna/B-PER"]]
    assert read_tagged(path).source.unused == ("id",)
    assert tagged(written("f.csv", "id,text\n1,in <LOC>Rome</LOC>\n")) == [["in/O", "Rome/B-LOC"]]


@pytest.mark.parametrize("text, message", [
    ("<PER>Anna", "<PER> is not closed"), ("Anna</PER>", "'</PER>' closes what was not opened"),
    ("<PER>Anna <LOC>Rome</LOC></PER>", "'<LOC>' stands inside <PER>"), ("<PER>Anna</LOC>", "'</LOC>' closes <PER>")])
def test_markers_that_do_not_match(written, text, message):
    path = written("f.txt", f"in <LOC>Rome</LOC>\n{text}\n")
    with pytest.raises(Error, match=f"line 2, {message}"):
        read_tagged(path)
    assert tagged(path, skip_bad_rows=True) == [["in/O", "Rome/B-LOC"]]


def test_columns_in_which_a_word_is_markup(written):
    assert tagged(written("f.conll", "see O\n<b>Anna</b> B-PER\nnow O\n")) == [["see/O", "<b>Anna</b>/B-PER", "now/O"]]


def test_characters_that_have_names():
    words, tags = marked_words(1, "<A>R&amp;D&#33;</A> AT&T &#xD800; &nbsp;")
    assert "".join(words) == "R&D!AT&T&#xD800;&nbsp;" and tags[:3] == ["B-A", "I-A", "O"]


# ------------------------------------------------------------------------------------------- .spacy


def test_spacy_reads_the_same():
    with pytest.raises(Error, match="line 5, of 2 of its 2 tokens nobody said"):
        read_tagged(GOLDEN / "docbin.spacy")
    found = read_tagged(GOLDEN / "docbin.spacy", skip_bad_rows=True)
    wanted = json.loads((GOLDEN / "docbin.json").read_text(encoding="utf-8"))[:-1]
    joined = [([], []), *zip(found.words, found.tags, strict=True)]
    words = [joined[1][0] + joined[2][0], *(pair[0] for pair in joined[3:])]
    tags = [joined[1][1] + joined[2][1], *(pair[1] for pair in joined[3:])]
    assert len(joined[1][0]) == 7                           # the first document has two sentences
    for number, doc in enumerate(wanted):
        kept = [place for place, word in enumerate(doc["words"]) if word.strip()]
        assert words[number] == [doc["words"][place] for place in kept]
        assert tags[number] == ["O" if doc["iob"][place] == "O" else "-".join(
            (doc["iob"][place], "_".join(doc["types"][place].split()))) for place in kept]


def test_a_docbin_without_entities_and_files_that_are_none(tmp_path):
    with pytest.raises(Error, match="keeps no entities"):
        read_tagged(GOLDEN / "docbin-without.spacy")
    whole = (GOLDEN / "docbin.spacy").read_bytes()
    for number, content in enumerate((b"", b"PK", whole[:-9], whole[:40], zlib.compress(b"\xdd\xff\xff\xff\xff"),
                                      zlib.compress(b"\x81\xa5attrs\x90"), zlib.compress(b"\x91" * 99999),
                                      zlib.compress(b"\xc1"))):
        path = tmp_path / f"{number}.spacy"
        path.write_bytes(content)
        with pytest.raises(Error, match=f"{number}.spacy is no .spacy file"):
            read_tagged(path)


def test_no_change_of_the_values_falls_over(tmp_path):
    """Each key gets values of another kind: an error or sentences come, nothing else."""
    value = unpack(zlib.decompress((GOLDEN / "docbin.spacy").read_bytes()))
    path = tmp_path / "f.spacy"
    for key in ("attrs", "strings", "lengths", "tokens"):
        for other in (None, 1, "a", b"", b"1234567", b"\xff" * 8, [], [1], ["a"], [None], {}, [2**64 - 1]):
            path.write_bytes(zlib.compress(packed({**value, key: other})))
            try:
                read_tagged(path, skip_bad_rows=True)
            except Error as error:
                assert str(path) in str(error)


def test_a_packed_file_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(docbin, "LARGEST", 2**16)
    (tmp_path / "f.spacy").write_bytes(zlib.compress(bytes(2**20)))
    with pytest.raises(Error, match="more than 65536 bytes when it is unpacked"):
        read_tagged(tmp_path / "f.spacy")


def packed(value):
    """Return a value in MessagePack, written as plainly as the format allows."""
    if isinstance(value, dict):
        return b"\xdf" + struct.pack(">I", len(value)) + b"".join(packed(k) + packed(v) for k, v in value.items())
    if isinstance(value, list):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(packed, value))
    if isinstance(value, str):
        return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    return b"\xcf" + struct.pack(">Q", value) if isinstance(value, int) else b"\xcb" + struct.pack(">d", value)


@pytest.mark.parametrize("value", [0, 127, 128, 2**64 - 1, 1.5, "", "é" * 40, b"x", [], [[]] * 20, {}, {"a": {1: None}},
                                   True, False])
def test_messagepack(value):
    assert unpack(packed(value)) == value


@pytest.mark.parametrize("content, value", [
    (b"\xff", -1), (b"\xe0", -32), (b"\xd0\x80", -128), (b"\xd1\xff\x00", -256), (b"\xa1a", "a"), (b"\xd9\x01a", "a"),
    (b"\x92\x01\x02", [1, 2]), (b"\xdc\x00\x01\xc0", [None]), (b"\x81\xa1a\x01", {"a": 1}),
    (b"\xca\x3f\x80\x00\x00", 1.0)])
def test_messagepack_short_forms(content, value):
    assert unpack(content) == value


def test_messagepack_that_is_none():
    for content in (b"", b"\xc1", b"\xd4\x01\x00", b"\xa5ab", b"\x01\x01", b"\x81\x90\x01", b"\xa1\xff"):
        with pytest.raises(ValueError):
            unpack(content)

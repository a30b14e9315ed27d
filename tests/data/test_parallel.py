"""Sources with targets: the layouts, and what a person gets wrong."""

import json

import pytest

from bertkit.data.columns import Columns
from bertkit.data.parallel import read_parallel
from bertkit.errors import Error

PLOT = {"question_number": 1, "responses": [{"response_text": "a"}, {"response_text": "b"}]}


def rows(path):
    found = read_parallel(path)
    return list(zip(found.sources, found.references, found.lines, strict=True))


@pytest.mark.parametrize(("name", "text", "wanted"), [
    ("a.tsv", "eins\tone\nzwei\ttwo\n", [("eins", ["one"], 1), ("zwei", ["two"], 2)]),
    ("a.tsv", "1990\t1990\neins\tone\n", [("1990", ["1990"], 1), ("eins", ["one"], 2)]),
    ("a.tsv", "source\ttarget\neins\tone\n", [("eins", ["one"], 2)]),
    ("a.csv", 'id,article,highlights\n7,"a, b",c\n', [("a, b", ["c"], 2)]),
    ("a.jsonl", '{"document": "d", "summary": ["s", "t"]}\n\n{"document": "e", "summary": "u"}\n',
     [("d", ["s", "t"], 1), ("e", ["u"], 3)]),
    ("a.jsonl", json.dumps({"metadata": {}, "document": "d", "questions": [{"question_number": 2}, PLOT]}) + "\n",
     [("d", ["a", "b"], 1)])])
def test_layouts(tmp_path, name, text, wanted):
    (tmp_path / name).write_text(text)
    assert rows(tmp_path / name) == wanted


@pytest.mark.parametrize(("name", "text", "words"), [
    ("a.tsv", "eins\tone\nzwei\n", "line 2, 1 fields came, 2 were wanted"),
    ("a.csv", "a,b\n1,2\n", "columns 'a', 'b'; wanted source and target"),
    ("a.jsonl", '{"document": "d", "summary": 3}\n', "line 1, column 'summary': a number came"),
    ("a.jsonl", '{"document": "d", "summary": []}\n', "line 1, column 'summary': an empty list"),
    ("a.jsonl", '{"document": "d", "summary": "s"}\n{"document": "d"}\n', "line 2, column 'summary': the object has"),
    ("a.jsonl", '{"document": "d", "questions": [{"question_number": 2}]}\n', "line 1, column 'questions': no"),
])
def test_what_cannot_be_used_is_named_or_listed(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(Error, match=words):
        read_parallel(tmp_path / name)
    if "line 2" in words:
        found = read_parallel(tmp_path / name, skip_bad_rows=True)
        assert len(found) == 1 and found.skipped[0][0] == 2


def test_named_columns_and_limit(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    found = read_parallel(tmp_path / "a.csv", Columns(text="y", label="x"), limit=1)
    assert (found.sources, found.references) == (["2"], [["1"]])
    with pytest.raises(Error, match="no columns 'z'"):
        read_parallel(tmp_path / "a.csv", Columns(text="z"))
    (tmp_path / "a.csv").write_text("source,source,target\na,b,c\n")
    with pytest.raises(Error, match="2 columns 'source'"):
        read_parallel(tmp_path / "a.csv")


def test_squality_is_read_as_published(shared):
    found = read_parallel(shared("data/longdoc/squality/dev.jsonl"))
    assert len(found) == 25 and {len(texts) for texts in found.references} == {4}


def test_without_a_header_a_row_may_come_again(tmp_path):
    path = tmp_path / "f.tsv"
    path.write_text("eins\tone\nzwei\ttwo\neins\tone\n")
    assert read_parallel(path).sources == ["eins", "zwei", "eins"]

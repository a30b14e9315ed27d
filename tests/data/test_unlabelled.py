"""Rows to answer: a row a row, its columns kept, the answer's beside them, in each form of file."""

import csv
import json

import pytest

from bertkit.data.columns import Columns
from bertkit.data.readers import read_examples
from bertkit.data.unlabelled import answered, read_rows, write_rows
from bertkit.errors import Error
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.tagging import Tagging

TEXTS, PAIRS = Classification(("no", "yes")), Classification(("no", "yes"), pairs=True)


def test_columns_are_kept_and_a_label_is_not_read(written):
    path = written("f.csv", "id,text,label,answer\n1,a film,nan,reject\n2,,[,accept\n")
    rows = read_rows(TEXTS, path)
    assert rows.inputs == ["a film", ""] and rows.columns[0] == {"id": "1", "text": "a film", "label": "nan",
                                                                 "answer": "reject"}
    made = answered(rows, [{"label": "yes", "probabilities": {"no": 0.25, "yes": 0.75}}] * 2)
    assert list(made[0]) == ["id", "text", "label", "answer", "predicted_label", "probabilities"]


@pytest.mark.parametrize("task, name, content, inputs", [
    (TEXTS, "f.txt", "a film\n\nso\n", ["a film", "", "so"]),
    (TEXTS, "f.tsv", "only\na film\n", ["a film"]),
    (PAIRS, "f.jsonl", '{"premise": "a", "hypothesis": "b"}\n', [("a", "b")]),
    (PAIRS, "f.txt", "a\tb\n", [("a", "b")]),
    (Answering("1.1"), "f.csv", "question,context\nwho?,Ann\n", [("who?", "Ann")]),
    (Answering("1.1"), "f.json", '{"data": [{"paragraphs": [{"context": "Ann", "qas": [{"id": 7, "question": "who?", '
                                 '"answers": [{"text": "Ann", "answer_start": 0}]}]}]}]}', [("who?", "Ann")]),
    (Tagging(("O", "B-X")), "f.conll", "Anna B-X\nleft O\n", [["Anna", "left"]]),
    (Tagging(("O", "B-X")), "f.jsonl", '{"text": "Anna left"}\n', ["Anna left"]),
    (Tagging(("O", "B-X")), "f.jsonl", '{"tokens": ["Anna", "left"], "id": 3}\n', [["Anna", "left"]]),
    (Tagging(("O", "B-X")), "f.tsv", "Anna\tB-X\nleft\tO\n", [["Anna", "left"]]),
    (Choosing(), "f.csv", "prompt,ending0,ending1\na,b,c\n", [("a", "b", "c")]),
])
def test_inputs_of_every_task(written, task, name, content, inputs):
    assert read_rows(task, written(name, content)).inputs == inputs


def test_flags_name_the_columns(written):
    path = written("f.csv", "title,body,text\na,b,c\n")
    assert read_rows(TEXTS, path, Columns(text="title")).inputs == ["a"]
    assert read_rows(PAIRS, path, Columns("title", "body")).inputs == [("a", "b")]
    with pytest.raises(Error, match="'text' would be read, and this model reads first text, second text; .*--second"):
        read_rows(PAIRS, path)


def test_a_row_that_cannot_be_used_is_told_or_left_out(written):
    path = written("f.csv", "id,text\n1,a\n2\n3,c\n")
    with pytest.raises(Error, match="line 3, 1 fields came.*--skip-bad-rows"):
        read_rows(TEXTS, path)
    rows = read_rows(TEXTS, path, skip_bad_rows=True)
    assert (rows.inputs, [line for line, _ in rows.skipped]) == (["a", "c"], [3])


def test_what_is_written_can_be_read(tmp_path):
    rows = [{"text": 'a "b",\n\tc', "label": "yes", "probabilities": {"yes": 0.75}}, {"text": "", "label": "no"}]
    for name in ("f.csv", "f.tsv"):
        write_rows(tmp_path / name, rows)
        with open(tmp_path / name, newline="") as file:
            found = list(csv.DictReader(file, delimiter="\t" if name == "f.tsv" else ","))
        assert [row["text"] for row in found] == ['a "b",\n\tc', ""]
        assert json.loads(found[0]["probabilities"]) == {"yes": 0.75} and found[1]["probabilities"] == ""
        assert read_examples(tmp_path / name).labels == ["yes", "no"]
    write_rows(tmp_path / "f.jsonl", rows)
    assert [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()] == rows
    with pytest.raises(Error, match="f.xml cannot be written; give a name that ends in .csv, .tsv or .jsonl"):
        write_rows(tmp_path / "f.xml", rows)

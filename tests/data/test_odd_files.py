"""Files that tools and offices leave: read as they are meant, in training and where rows are answered."""

import json

import pytest

from bertkit.data.conll import holds_tagged_columns
from bertkit.data.labelled import read_labelled
from bertkit.data.tagged import read_tagged
from bertkit.data.unlabelled import answered, read_rows, write_rows
from bertkit.errors import Error
from bertkit.tasks.classification import Classification
from bertkit.tasks.tagging import Tagging
from tests.recipes.strangers import FILES

TAGGING, CLASSES = Tagging(("O", "B-PER", "I-PER")), Classification(("Kritik", "Lob"))


def written(tmp_path, kind, count=6):
    _, end, write, _ = FILES[kind]
    path = tmp_path / f"rows.{end}"
    path.write_bytes(write(count))
    return path


def test_rows_of_empty_cells_at_the_end_are_left_out(tmp_path, caplog):
    caplog.set_level("INFO", "bertkit")
    path = written(tmp_path, "semicolon CSV")
    assert len(read_labelled(CLASSES, path)) == 6
    assert "rows from line" in caplog.text and "have empty cells alone and are left out" in caplog.text
    path.write_bytes(path.read_bytes() + b'7;;"noch einer";;Lob\r\n')
    with pytest.raises(Error, match="the label is empty"):
        read_labelled(CLASSES, path)


def test_a_text_that_an_annotator_left_unmarked_has_no_names(tmp_path):
    found = read_tagged(written(tmp_path, "Prodigy"))
    assert len(found.words) == 7 and found.words[-1] == ["Nikt", "."] and set(found.tags[-1]) == {"O"}
    path = tmp_path / "no.jsonl"
    path.write_text('{"text": "Anna", "spans": []}\n{"text": "Jan"}\n')
    with pytest.raises(Error, match="line 2.*the row has none of spans, entities.*write an empty list"):
        read_tagged(path)


def test_columns_of_tags_in_a_text_file_are_no_texts(tmp_path):
    path = tmp_path / "rows.txt"
    path.write_bytes(written(tmp_path, "French columns").read_bytes().decode("cp1252").encode())
    rows = read_rows(TAGGING, path)
    assert rows.inputs[0][:2] == ["Éloïse", "Lefèvre"] and len(rows) == 6
    assert rows.columns[0]["text"].startswith("Éloïse Lefèvre habite")
    path.write_text("Anna lives in Bonn\nshe is O\n")
    assert read_rows(TAGGING, path).inputs == ["Anna lives in Bonn", "she is O"]


@pytest.mark.parametrize("text, wanted", [
    ("a O\nb B-PER\n\n", True), ("1\ta b\tO\n2\tc\tI-LOC\n", True), ("# x\na O\n", True), ("a\nb\n", False),
    ("", False),
    ("a O\nb c O\n", False), ("a x\nb y\n", False), ("a O\nb \udcff\n", False)])
def test_columns_of_tags_are_told(tmp_path, text, wanted):
    path = tmp_path / "f.txt"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert holds_tagged_columns(path) == wanted


def test_tasks_of_label_studio_are_answered(tmp_path):
    path = written(tmp_path, "Label Studio")
    rows = read_rows(CLASSES, path, columns=_text("texto"))
    assert rows.inputs[0].startswith("me gustó") and rows.columns[0] == {"texto": rows.inputs[0], "idioma": "es"}
    path.write_text(json.dumps([{"data": {"text": "one"}}, {"data": {"text": "two"}}]))
    assert read_rows(CLASSES, path).inputs == ["one", "two"]
    path.write_text(json.dumps([{"data": {"text": "one"}}, {"data": 5}]))
    with pytest.raises(Error, match="the task has no data"):
        read_rows(CLASSES, path)


def _text(name):
    from bertkit.data.columns import Columns
    return Columns(text=name)


def test_numbers_of_a_file_stay_numbers(tmp_path):
    path, out = tmp_path / "f.jsonl", tmp_path / "out.jsonl"
    path.write_text('{"id": 7, "zip": "07", "text": "one", "meta": {"page": [1.5, null]}}\n')
    rows = read_rows(CLASSES, path)
    write_rows(out, answered(rows, [{"label": "a"}]))
    assert json.loads(out.read_text()) == {
        "id": 7, "zip": "07", "text": "one", "meta": {"page": [1.5, None]}, "label": "a"}

"""Rows in memory wherever a file is taken: frames of pandas, lists of dicts and of tuples, for each task's reader."""

import datetime

import numpy as np
import pytest

from bertkit.data.columns import Columns
from bertkit.data.frames import Frame, checksum, data_path, optional_path
from bertkit.data.labelled import learn_task
from bertkit.data.readers import read_examples
from bertkit.data.splits import Splits
from bertkit.data.tagged import read_tagged
from bertkit.errors import Error

ROWS = [{"id": 1, "text": "a film", "label": "good"}, {"id": 2, "text": "so", "label": "bad"}]


def test_a_frame_is_read_as_its_parquet_file_is(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"text": ["a", "b", "c"], "label": ["x", None, "y"], "n": [1.5, float("nan"), 2.0],
                              "day": pandas.to_datetime(["2026-01-01", None, "2026-01-02"]),
                              "kind": pandas.Categorical(["u", "v", "u"])}, index=[7, 8, 9])
    frame.to_parquet(tmp_path / "f.parquet")
    for path in (frame, tmp_path / "f.parquet"):
        with pytest.raises(Error, match="line 2, column 'label': null came where a label was wanted"):
            read_examples(path, text="text", label="label")
        found = read_examples(path, text="text", label="label", skip_bad_rows=True)
        assert (found.first, found.labels, found.lines) == (["a", "c"], ["x", "y"], [1, 3])
    assert read_examples(frame, text="kind", label="n", skip_bad_rows=True).labels == ["1.5", "2.0"]
    assert read_examples(frame[["text", "kind"]], label="kind").source.form == "in memory"


@pytest.mark.parametrize("rows, task, inputs, targets", [
    (ROWS, "classify", ["a film", "so"], [1, 0]),
    ([("a film", "good"), ("so", "bad")], "classify", ["a film", "so"], [1, 0]),
    ([["a", "b", 1], ["c", "d", 0]], "classify", [("a", "b"), ("c", "d")], [1, 0]),
    ([("a", "b", np.float32(2.5)), ("c", "d", 0)], "score", [("a", "b"), ("c", "d")], [2.5, 0.0]),
    ([(["Anna", "left"], ["B-PER", "O"])], "tag", [["Anna", "left"]], [["B-PER", "O"]]),
    ([{"text": "Anna left", "spans": [{"start": 0, "end": 4, "label": "PER"}]}], "tag", [["Anna", "left"]],
     [["B-PER", "O"]]),
    ([{"question": "who?", "context": "Ann", "answers": {"text": ["Ann"], "answer_start": [0]}}], "answer",
     [("who?", "Ann")], [[("Ann", 0)]]),
    ([{"prompt": "p", "ending0": "a", "ending1": "b", "label": 1}], "choose", [("p", "a", "b")], [1]),
])
def test_every_task_reads_them(rows, task, inputs, targets):
    learnt, part = learn_task(task, rows)
    assert part.inputs == inputs and np.asarray(part.targets, object).tolist() == np.asarray(targets, object).tolist()


def test_pairs_and_parallel_texts():
    pairs = [{"first": "a", "second": "b", "score": 0.5}, {"first": "a", "second": "c", "score": 1}]
    assert learn_task("embed", pairs)[1].inputs == [("a", "b"), ("a", "c")]
    assert learn_task("write", [{"source": "a", "target": "b"}])[1].inputs == ["a"]
    assert len(learn_task("rank", [{"query": "q", "document": "d", "grade": 1},
                                   {"query": "q", "document": "e", "grade": 0}])[1])


def test_splits_know_a_frame_from_none(capsys):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS * 8)
    splits = Splits("classify", frame, frame.iloc[:4], columns=Columns("text", None, "label"))
    assert set(splits.paths) == {"train", "dev"} and len(splits.parts["dev"]) == 4
    assert "What was read: rows in memory, 16 rows (in memory)" in capsys.readouterr().err
    assert optional_path(None) is optional_path("") is None


def test_the_content_is_the_checksum():
    one, again, other = (checksum(data_path(rows)) for rows in (ROWS, [dict(row) for row in ROWS], ROWS[:1]))
    assert one == again != other


@pytest.mark.parametrize("rows, message", [
    ([], "came are none"), (5, "5 came where rows were wanted"), ({"text": ["a"]}, "wanted; give the name of a file"),
    (["a", "b"], "Row 1 is 'a'; give a dict"), ([("a",)], "Row 1 is"), (b"ab", "came where rows"),
    ([{"text": "a"}], "which column is the label"), ([{"text": 3, "label": 1}], "'text': a number came"),
    ([{"text": "a", "label": {"b": object}}], "an object came")])
def test_what_is_no_row_is_named(rows, message):
    with pytest.raises(Error, match=message):
        read_examples(rows)


def test_odd_cells():
    rows = [{"text": "a", "label": np.array(["x", "y"])}, {"text": "b", "label": ("z",)}]
    assert read_examples(rows).labels == [["x", "y"], ["z"]]
    day = datetime.date(2026, 1, 1)
    assert read_examples([{"text": "a", "label": day}]).labels == ["2026-01-01"]
    assert read_tagged([{"tokens": np.array(["a", "b"]), "ner_tags": ["O", "B-X"]}]).tags == [["O", "B-X"]]
    pandas = pytest.importorskip("pandas")
    with pytest.raises(Error, match="two columns of one name"):
        data_path(pandas.DataFrame([[1, 2]], columns=["a", "a"]))
    assert isinstance(data_path(pandas.DataFrame(ROWS)), Frame)

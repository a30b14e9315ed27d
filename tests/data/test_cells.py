"""Label cells: lists in every spelling, vectors of 0 and 1, and what tools write where there is no label."""

import json

import pytest

from bertkit.data.classes import read_texts
from bertkit.data.columns import Columns
from bertkit.data.labelled import learn_task
from bertkit.data.readers import read_examples
from bertkit.errors import Error


def csv_of(written, cells, name="f.csv"):
    rows = "".join('{},"{}"\n'.format(f"text {number}", cell.replace('"', '""')) for number, cell in enumerate(cells))
    return written(name, "text,label\n" + rows)


def labels(path, **options):
    return read_texts(path, Columns(), options).labels


@pytest.mark.parametrize("cells, wanted", [
    (["['cs.CV', 'cs.LG']", "['cs.CV']", "[]"], [["cs.CV", "cs.LG"], ["cs.CV"], []]),
    (['["red", "blue"]', '["it\'s, so"]'], [["red", "blue"], ["it's, so"]]),
    (["('red', 'blue')", "('blue',)"], [["red", "blue"], ["blue"]]),
    (["{'red', 'blue'}", "{'blue'}"], [["red", "blue"], ["blue"]]),
    (['["a \\"b\\" c"]', "['d\\'e']"], [['a "b" c'], ["d'e"]]),
    (["['a\\x', '\\xe9', '\\u00e9', '\\\\']", '["\\ud83d\\ude00", "\\/"]'],
     [["a\\x", "\xe9", "\xe9", "\\"], ["\U0001f600", "/"]]),
    (['{"choices": ["pos", "neg"]}', "neg", "pos"], [["pos", "neg"], ["neg"], ["pos"]]),
    (["[1, 5]", "[5]"], [["1", "5"], ["5"]]),
    (["[OTHER]", "(none of these)", "[PAD]"], ["[OTHER]", "(none of these)", "[PAD]"]),
])
def test_lists_in_cells(written, cells, wanted):
    assert labels(csv_of(written, cells)) == wanted


@pytest.mark.parametrize("cell", ["['a' 'b']", "[0 1 0]", "['a', 'b'", "array(['a'], dtype=object)"])
def test_a_list_that_cannot_be_read_is_no_class(written, cell):
    if not cell.endswith("]"):
        assert labels(csv_of(written, [cell, "x"])) == [cell, "x"]
        return
    with pytest.raises(Error, match="line 2.*is a list that cannot be read; write it as JSON.*--separator"):
        labels(csv_of(written, [cell, "x"]))


def test_lists_beside_single_labels_are_refused(written):
    with pytest.raises(Error, match="line 3.*a list of labels and a single label"):
        labels(csv_of(written, ["['a']", "b"]))


def vectors(written, *rows):
    made = (json.dumps({"text": f"t{number}", "labels": row}) + "\n" for number, row in enumerate(rows))
    return written("f.jsonl", "".join(made))


def test_vectors_of_0_and_1_are_several_labels(written):
    for one, nought in ((1.0, 0.0), (1, 0)):
        examples = read_examples(vectors(written, [one, nought, nought], [one, one, nought], [nought] * 3))
        assert examples.labels == [["0"], ["0", "1"], []]
        assert "one-hot" in examples.source.notes[0] and "'0' to '2'" in examples.source.notes[0]
    assert read_examples(vectors(written, [0], [1], [0, 1])).labels == [["0"], ["1"], ["0", "1"]]
    assert read_examples(vectors(written, ["1", "0"], ["0", "1"])).labels == [["1", "0"], ["0", "1"]]


def test_numbers_that_are_no_0_or_1_are_refused(written):
    with pytest.raises(Error, match="line 1.*the list holds the number 0.2; wanted names of labels, or a vector"):
        read_examples(vectors(written, [0.2, 0.8], [1.0, 0.0]))


@pytest.mark.parametrize("missing", ["nan", "NaN", "null", "NULL", "N/A", "<NA>", "#N/A", "-1"])
def test_what_stands_for_no_label_is_no_class(written, missing):
    path = csv_of(written, ["yes", "no", missing, "yes"])
    with pytest.raises(Error, match="line 4, column 'label': '.*' is what tools write where a label is miss") as told:
        labels(path)
    assert missing in str(told.value) and "--skip-bad-rows" in str(told.value)
    assert labels(path, skip_bad_rows=True) == ["yes", "no", "yes"]


@pytest.mark.parametrize("names, missing", [(["0", "1", "2"], True), (["0", "1"], False), (["1"], False),
                                            (["0", "a"], False)])
def test_minus_one_is_a_class_where_it_may_be_one(written, names, missing):
    path = csv_of(written, ["-1", *names])
    if missing:
        with pytest.raises(Error, match="'-1' is what tools write"):
            labels(path)
    else:
        assert labels(path) == ["-1", *names]


def test_scores_of_minus_one_are_scores(written):
    assert list(learn_task("score", csv_of(written, ["-1", "0", "2"]))[1].targets) == [-1, 0, 2]


def test_a_label_with_a_line_end_is_refused_at_the_start(written):
    with pytest.raises(Error, match="line 2.*the label 'a.nb' holds a line end"):
        labels(csv_of(written, ["a\nb", "c"]))


def studio(text, *annotations):
    made = [{"result": [{"value": value, "type": "choices"}], "was_cancelled": cancelled}
            for value, cancelled in annotations]
    return {"id": 7, "data": {"text": text, "when": "x"}, "annotations": made}


def test_tasks_of_label_studio_are_rows(written):
    tasks = [studio("a", ({"choices": ["pos"]}, False)), studio("b", ({"choices": ["neg"]}, True)),
             studio("c", ({"choices": ["pos"]}, True), ({"choices": ["neg"]}, False)), studio("d")]
    examples = read_examples(written("f.json", json.dumps(tasks)))
    assert (examples.first, examples.labels) == (["a", "c"], ["pos", "neg"])
    assert [reason for _, reason in examples.skipped] == ["its annotations were cancelled",
                                                          "the task has no annotation"]
    assert examples.source.unused == ("when",)
    tasks[0] = studio("a", ({"choices": ["pos", "neg"]}, False))
    assert read_examples(written("f.json", json.dumps(tasks))).labels == [["pos", "neg"], ["neg"]]
    with pytest.raises(Error, match="line 1, the task has 0 choices, numbers or ratings"):
        read_examples(written("f.json", json.dumps([studio("a", ({"labels": ["x"]}, False))])))


def test_choices_of_prodigy_are_labels(written):
    rows = [{"text": "a", "options": [{"id": "x"}], "accept": ["x", "y"], "answer": "accept"},
            {"text": "b", "options": [{"id": "x"}], "accept": ["x"], "answer": "ignore"}]
    examples = read_examples(written("f.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    assert (examples.labels, len(examples.skipped)) == ([["x", "y"]], 1)

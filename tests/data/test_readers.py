"""Every format, layout, quirk and fault of the files that people train on."""

import csv
import io
import json
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertkit.data import label_indices, label_names, read_examples
from bertkit.errors import Error

HEADER = "sentence\tlabel\n"
ROWS = "a good film\t1\na bad film\t0\n"


@pytest.mark.parametrize("file, kind, rows, pairs, labels", [
    ("SST-2/train.tsv", "SST-2", 67349, False, {"0": 29780, "1": 37569}),
    ("SST-2/dev.tsv", "SST-2", 872, False, {"0": 428, "1": 444}),
    ("CoLA/train.tsv", "CoLA", 8551, False, {"0": 2528, "1": 6023}),
    ("CoLA/dev.tsv", "CoLA", 527, False, {"0": 162, "1": 365}),
    ("MRPC/train.tsv", "MRPC", 3668, True, {"0": 1194, "1": 2474}),
    ("MRPC/dev.tsv", "MRPC", 408, True, {"0": 129, "1": 279}),
    ("QQP/train.tsv", "QQP", 15000, True, {"0": 9375, "1": 5625}),
    ("QQP/dev.tsv", "QQP", 3000, True, {"0": 1892, "1": 1108}),
    ("MNLI/train.tsv", "MNLI", 8281, True,
     {"contradiction": 2726, "entailment": 2811, "neutral": 2744}),
    ("MNLI/dev_matched.tsv", "MNLI", 1000, True,
     {"contradiction": 328, "entailment": 343, "neutral": 329}),
    ("QNLI/train.tsv", "QNLI", 8999, True, {"entailment": 4523, "not_entailment": 4476}),
    ("QNLI/dev.tsv", "QNLI", 2947, True, {"entailment": 1455, "not_entailment": 1492}),
    ("RTE/train.tsv", "RTE or WNLI", 2240, True, {"entailment": 1125, "not_entailment": 1115}),
    ("RTE/dev.tsv", "RTE or WNLI", 250, True, {"entailment": 124, "not_entailment": 126}),
    ("WNLI/train.tsv", "RTE or WNLI", 565, True, {"0": 283, "1": 282}),
    ("WNLI/dev.tsv", "RTE or WNLI", 70, True, {"0": 40, "1": 30}),
])
def test_glue_files(shared, file, kind, rows, pairs, labels):
    examples = read_examples(shared(f"data/glue/{file}"))
    names = label_names(examples)
    counts = np.bincount(label_indices(examples, names)).tolist()
    assert (examples.kind, len(examples), examples.second is not None) == (kind, rows, pairs)
    assert dict(zip(names, counts, strict=True)) == labels
    assert all(examples.first)


@pytest.mark.parametrize("file, rows", [("train.tsv", 5749), ("dev.tsv", 1500)])
def test_sts_b_scores(shared, file, rows):
    examples = read_examples(shared(f"data/glue/STS-B/{file}"))
    assert (examples.kind, examples.columns["label"], len(examples)) == ("STS-B", "score", rows)
    assert all(0 <= float(score) <= 5 for score in examples.labels)


def test_reading_all_of_sst_2_takes_linear_time(shared):
    """A quarter of a second alone; a pass of the garbage collector among all tests takes one more."""
    path, start = shared("data/glue/SST-2/train.tsv"), time.process_time()
    read_examples(path)
    assert time.process_time() - start < 10


MNLI_DEV = ("index promptID pairID genre sentence1_binary_parse sentence2_binary_parse "
            "sentence1_parse sentence2_parse sentence1 sentence2 "
            "label1 label2 label3 label4 label5 gold_label").split()


@pytest.mark.parametrize("header, kind, columns", [
    (["sentence", "label"], "SST-2", ("sentence", None, "label")),
    (["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"], "MRPC",
     ("#1 String", "#2 String", "Quality")),
    (["id", "qid1", "qid2", "question1", "question2", "is_duplicate"], "QQP",
     ("question1", "question2", "is_duplicate")),
    (["index", "question", "sentence", "label"], "QNLI", ("question", "sentence", "label")),
    (MNLI_DEV, "MNLI", ("sentence1", "sentence2", "gold_label")),
    (["id", "Review", "Sentiment"], "columns", ("Review", None, "Sentiment")),
    (["premise", "hypothesis", "label", "label_text"], "columns",
     ("premise", "hypothesis", "label")),
    (["text", "label", "score"], "columns", ("text", None, "label")),
])
def test_columns_are_recognised_by_name(written, header, kind, columns):
    row = [f"value of {name}" for name in header]
    examples = read_examples(written("f.tsv", "\t".join(header) + "\n" + "\t".join(row) + "\n"))
    roles = dict(zip(("text", "second", "label"), columns, strict=True))
    assert examples.kind == kind
    assert examples.columns == {role: name for role, name in roles.items() if name}
    assert examples.first == [f"value of {columns[0]}"]
    assert examples.second == (columns[1] and [f"value of {columns[1]}"])
    assert examples.labels == [f"value of {columns[2]}"]


def test_named_columns_override_what_would_be_recognised(written):
    path = written("f.csv", "text,sentence,title,label,genre\nA,B,C,1,fun\n")
    examples = read_examples(path, text="title", second="text", label="genre")
    assert (examples.first, examples.second, examples.labels) == (["C"], ["A"], ["fun"])
    assert read_examples(path, text="sentence").second is None
    only_second = read_examples(written("g.csv", "text,title,label\nA,C,1\n"), second="title")
    assert (only_second.first, only_second.second) == (["A"], ["C"])


def test_cola_needs_no_header_and_can_be_named(written):
    path = written("train.tsv", "gj04\t1\t\tIt broke.\ngj04\t0\t*\tBroke it the.\n")
    examples = read_examples(path)
    assert (examples.kind, examples.first) == ("CoLA", ["It broke.", "Broke it the."])
    assert (examples.labels, examples.lines) == (["1", "0"], [1, 2])
    assert read_examples(path, text="source", label="mark", limit=1, skip_bad_rows=True).first == [
        "gj04"]


def test_a_header_of_numbers_is_not_taken_for_cola(written):
    examples = read_examples(written("f.tsv", "0\t1\t2\t3\na\tb\tc\td\n"), text="3", label="1")
    assert (examples.kind, examples.first, examples.labels) == ("columns", ["d"], ["b"])


@pytest.mark.parametrize("header, first, second", [
    ("index\tsentence", "sentence", None),
    ("index\tquestion\tsentence", "question", "sentence"),
    ("index\t#1 ID\t#2 ID\t#1 String\t#2 String", "#1 String", "#2 String"),
    ("id\tquestion1\tquestion2", "question1", "question2"),
    ("index\tpromptID\tpairID\tgenre\tsentence1\tsentence2", "sentence1", "sentence2"),
])
def test_glue_test_files_have_no_labels(written, header, first, second):
    row = "\t".join(f"value of {name}" for name in header.split("\t"))
    path = written("test.tsv", header + "\n" + row + "\n")
    examples = read_examples(path, labels_required=False)
    assert (examples.first, examples.second, examples.labels) == (
        [f"value of {first}"], second and [f"value of {second}"], None)
    with pytest.raises(Error, match="--label COLUMN"):
        read_examples(path)
    with pytest.raises(Error, match="--label"):
        label_names(examples)


def test_tsv_does_not_know_quotes_nor_other_line_ends(written):
    text = 'he said "so\u2028and\x0bon\x85and\x1c \x00 on\r more'
    examples = read_examples(written("f.tsv", f'{HEADER}{text}\t1\r\n"\t0\n'))
    assert (examples.first, examples.labels, examples.lines) == ([text, '"'], ["1", "0"], [2, 3])


@pytest.mark.parametrize("suffix, content", [
    ("tsv", "text\tlabel\r\na\t 1 \r\n\r\nb\t2"),
    ("csv", '"text",label\r\na, 1 \r\n\r\n"b",2'),
    ("jsonl", '{"text": "a", "label": " 1 "}\r\n\r\n{"text": "b", "label": 2}'),
    ("TSV", "label\ttext\n1\ta\n\n2\tb\n\n\n"),
])
def test_byte_order_mark_line_ends_and_blank_lines(written, suffix, content):
    for mark in ("", "\ufeff"):
        examples = read_examples(written(f"f.{suffix}", mark + content))
        assert (examples.first, examples.labels) == (["a", "b"], ["1", "2"])
        assert examples.lines[1] - examples.lines[0] == 2


def test_csv_is_that_of_rfc_4180(written):
    path = written("f.csv", 'text,label\r\n"a, ""b""\nand c",1\r\nplain,0\r\n')
    examples = read_examples(path)
    assert examples.first == ['a, "b"\nand c', "plain"]
    assert examples.lines == [2, 4]


def test_json_labels_keep_their_spelling(written):
    values = ["5.000", "10", "true", '"x y"', "123456789012345678901234567890"]
    rows = "".join(f'{{"text": "a", "label": {value}}}\n' for value in values)
    assert read_examples(written("f.jsonl", rows)).labels == [
        "5.000", "10", "true", "x y", "123456789012345678901234567890"]


def test_multi_label(written):
    rows = '{"text": "a", "labels": ["b", 1]}\n{"text": "c", "labels": []}\n'
    examples = read_examples(written("f.jsonl", rows))
    assert examples.labels == [["b", "1"], []]
    assert label_indices(examples, label_names(examples)).tolist() == [[1, 1], [0, 0]]
    table = read_examples(written("f.csv", "text,label\na,b|1\nc,\n"), separator="|")
    assert table.labels == examples.labels
    assert read_examples(written("f.csv", "text,label\na,b|1\n")).labels == ["b|1"]
    with pytest.raises(Error, match="line 1, column 'labels': a list came where a label was wanted"):
        read_examples(written("f.jsonl", '{"text": "a", "labels": [["b"]]}\n'))


def test_limit_takes_the_first_rows_and_reads_no_further(written):
    path = written("f.tsv", HEADER + ROWS + "too\tmany\t1\n")
    assert read_examples(path, limit=2).first == ["a good film", "a bad film"]
    with pytest.raises(Error, match="limit=0"):
        read_examples(path, limit=0)


@pytest.mark.parametrize("suffix, form", [
    ("tsv", "text\tlabel\n{}\t1\n"), ("csv", 'text,label\n"{}",1\n'),
    ("jsonl", '{{"text": "{}", "label": 1}}\n')])
def test_a_word_of_5_mb_is_a_word(written, suffix, form):
    assert len(read_examples(written(f"f.{suffix}", form.format("w" * 5_000_000))).first[0]) == 5e6


def test_labels_sort_by_value_if_all_are_integers(written):
    def names(labels):
        rows = "".join(f"a\t{label}\n" for label in labels)
        return label_names(read_examples(written("f.tsv", HEADER + rows)))

    assert names(["10", "9", "-1", "9"]) == ["-1", "9", "10"]
    assert names(["10", "9", "nine"]) == ["10", "9", "nine"]
    assert names(["2", "\u00b2"]) == ["2", "\u00b2"]


def test_an_order_of_labels_must_be_whole(written):
    examples = read_examples(written("f.tsv", HEADER + ROWS))
    assert label_names(examples, order=("1", "0", "2")) == ["1", "0", "2"]
    with pytest.raises(Error, match="line 3: the label '0'"):
        label_names(examples, order=["1"])
    with pytest.raises(Error, match="twice"):
        label_names(examples, order=["1", "0", "1"])


def test_a_label_that_training_never_saw(written):
    names = label_names(read_examples(written("train.tsv", HEADER + ROWS)))
    dev = read_examples(written("dev.tsv", HEADER + ROWS + "a film\t7\n"))
    with pytest.raises(Error, match="dev.tsv: line 4: the label '7'.*'0', '1'"):
        label_indices(dev, names)
    assert label_indices(dev, [*names, "7"]).tolist() == [1, 0, 2]
    assert label_indices(dev, [*names, "7"]).dtype == np.int32


# Round trips: any text and label that a format can hold comes back as it was.

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r")
LABELS = st.text(CHARACTERS, min_size=1).map(str.strip).filter(bool)
ROUND_TRIP = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tsv(rows):
    return "".join("\t".join(row) + "\n" for row in rows)


def rfc_4180(rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue()


def jsonl(rows):
    names, *rows = rows
    return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)


@ROUND_TRIP
@pytest.mark.parametrize("suffix, write, banned", [
    ("tsv", tsv, "\t\n"), ("csv", rfc_4180, ""), ("jsonl", jsonl, "")])
@given(data=st.data())
def test_round_trip(written, suffix, write, banned, data):
    kept = CHARACTERS.filter(lambda character: character not in banned)
    label = LABELS.filter(lambda name: not set(name) & set(banned))
    # An all-control text would be taken for a binary file, so the rows follow plain ones.
    plain = [("plain " * 20, "words " * 20, "label")] * 20
    rows = plain + data.draw(st.lists(st.tuples(st.text(kept), st.text(kept), label), max_size=5))
    path = written(f"f.{suffix}", write([("premise", "hypothesis", "label"), *rows]))
    examples = read_examples(path)
    found = zip(examples.first, examples.second, examples.labels, strict=True)
    assert list(found) == rows

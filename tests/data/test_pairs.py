"""Texts that belong together: which columns are which, and what is said where rows cannot be used."""

import numpy as np
import pytest

from bertkit.data.columns import Columns
from bertkit.data.pairs import read_pairs
from bertkit.errors import Error


def written(tmp_path, text, name="rows.tsv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["first\tsecond", "query\tpositive", "anchor\tpositive", "Question1\tQuestion2",
                                    "query\tdocument", "question\tanswer", "links\trechts"])
def test_two_columns_are_a_pair(tmp_path, header):
    found = read_pairs(written(tmp_path, f"{header}\na b\tc\n d\t\n"))
    assert found.groups == [("a b", "c"), (" d", "")] and found.scores is None and found.lines == [2, 3]


@pytest.mark.parametrize("header", ["first\tpositive\tnegative", "anchor\tpositive\tnegative", "query\tpos\tneg",
                                    "sentence1\tsentence2\thard_negative", "eins\tzwei\tdrei"])
def test_three_columns_are_a_triple(tmp_path, header):
    assert read_pairs(written(tmp_path, f"{header}\na\tb\tc\n")).groups == [("a", "b", "c")]


def test_columns_are_known_by_name_and_not_by_place(tmp_path):
    rows = '{"negative": "c", "id": 1, "positive": "b", "anchor": "a"}\n'
    assert read_pairs(written(tmp_path, rows, "rows.jsonl")).groups == [("a", "b", "c")]


def test_a_score_is_a_number_beside_two_texts(tmp_path):
    found = read_pairs(written(tmp_path, "sentence1,sentence2,score\na,b,2.50\nc,d,5\ne,f,0\n", "rows.csv"))
    assert found.scores == [2.5, 5, 0]
    assert found.labels().tolist() == [0.5, 1, 0] and found.labels().dtype == np.float32


def test_sts_b_is_read_whole(shared):
    found = read_pairs(shared("data/glue/STS-B/dev.tsv"))
    assert len(found) == 1500 and found.groups[0][0] == "A man with a hard hat is dancing."
    assert (min(found.scores), max(found.scores)) == (0, 5) and not found.skipped


def test_equal_texts_have_equal_numbers(tmp_path):
    found = read_pairs(written(tmp_path, "first\tsecond\na\tx\nb\ty\nx\ta\n"))
    assert found.labels().tolist() == [[0, 1], [2, 3], [1, 0]] and found.labels().dtype == np.int32


def test_columns_may_be_named(tmp_path):
    path = written(tmp_path, "id\tleft\tright\tlike\n1\ta\tb\t3\n")
    found = read_pairs(path, Columns(text="left", second="right", label="like"))
    assert (found.groups, found.scores) == ([("a", "b")], [3])


@pytest.mark.parametrize("rows, wrong", [
    ("first\tsecond\na\n", "line 2, 1 fields came"),
    ("sentence1\tsentence2\tscore\na\tb\t3\nc\td\thigh\n", "line 3, column 'score': the score 'high' is no number"),
    ("sentence1\tsentence2\tscore\na\tb\tnan\n", "line 2, column 'score'"),
    ("first\tsecond\n", "no row that can be used"),
    ("who is she\tthe queen of the sea\n", "say nothing of pairs"),
    ("a\tb\tc\td\n1\t2\t3\t4\n", "say nothing of pairs"),
    ("text\n1\n", "say nothing of pairs"),
])
def test_what_cannot_be_used_is_named(tmp_path, rows, wrong):
    with pytest.raises(Error, match=wrong):
        read_pairs(written(tmp_path, rows))


def test_a_key_that_is_missing_and_a_text_that_is_none_are_named(tmp_path):
    for row, wrong in (('{"first": "a"}', "no such key"), ('{"first": "a", "second": 3}', "a number came")):
        with pytest.raises(Error, match=f"line 2, column 'second': .*{wrong}"):
            read_pairs(written(tmp_path, '{"first": "a", "second": "b"}\n' + row + "\n", "rows.jsonl"))


def test_bad_rows_are_skipped_only_when_asked(tmp_path):
    path = written(tmp_path, "first\tsecond\na\tb\nc\nd\te\n")
    found = read_pairs(path, skip_bad_rows=True)
    assert found.groups == [("a", "b"), ("d", "e")] and [line for line, _ in found.skipped] == [3]
    assert len(read_pairs(path, limit=1)) == 1
    with pytest.raises(Error, match="limit=0"):
        read_pairs(path, limit=0)


def test_named_columns_exist(tmp_path):
    with pytest.raises(Error, match="no columns 'left'"):
        read_pairs(written(tmp_path, "first\tsecond\na\tb\n"), Columns(text="left"))


def test_scores_that_are_all_equal_teach_nothing(tmp_path):
    with pytest.raises(Error, match="scores all of the 2 rows that were read 3"):
        read_pairs(written(tmp_path, "first\tsecond\tscore\na\tb\t3\nc\td\t3\n")).labels()

"""What was read is said, and kept in the card: columns, classes, the first row, and what is odd."""

import json

import pytest

from bertkit.data.columns import Columns
from bertkit.data.labelled import learn_task, read_labelled
from bertkit.data.splits import Splits
from bertkit.data.summary import described
from bertkit.errors import Error

MESSY = ("id;Text;label;remarks\n1;a film;Pos;x\n2;a film;neg;x\n3;so;pos;x\n4;so;pos;x\n5;it;None;x\n6;he;label;x\n"
         "7;she;neg;x\n")


def lines(capsys):
    return [line.strip() for line in capsys.readouterr().err.splitlines()]


def test_a_messy_table_is_described_before_anything_is_trained(written, capsys):
    task, part = learn_task("classify", written("f.csv", MESSY))
    said = lines(capsys)
    assert said == [
        "What was read: f.csv, 7 rows (CSV with ';' between the cells)",
        "columns: text 'Text', label 'label'; not used: 'id', 'remarks'",
        "classes: 'None' 1, 'Pos' 1, 'label' 1, 'neg' 2, 'pos' 2",
        "first row: label 'Pos', text 'a film'",
        "note: texts with different labels: 1, first 'a film'",
        "note: rows that repeat another one, label and all: 1",
        "note: classes of one row: 'None', 'Pos', 'label'",
        "note: classes that differ in case or blanks alone: 'Pos', 'pos'",
        "note: 'None' (rows: 1) is read as a class; it may say that there is no label, or be the name of the column",
        "note: 'label' (rows: 1) is read as a class; it may say that there is no label, or be the name of the column"]
    found = json.loads(json.dumps(described(task, part)))
    assert found["columns"] == {"text": "Text", "label": "label"} and found["unused"] == ["id", "remarks"]
    assert found["classes"]["neg"] == 2 and found["first"] == {"label": "Pos", "text": "a film"}
    assert len(found["remarks"]) == 6


def test_rows_of_dev_that_stand_in_train_are_counted(written, capsys):
    train = written("train.tsv", "text\tlabel\na film\t1\nso\t0\nit\t1\nhe\t0\n")
    dev = written("dev.tsv", "text\tlabel\n a film\t1\nnew\t0\nso\t0\n")
    splits = Splits("classify", train, dev)
    assert "note: rows of dev.tsv that stand in train too: 2 of 3, first ' a film'; the score on these says nothing " \
           "of new texts" in lines(capsys)
    assert any("stand in train too" in remark for remark in splits.metadata()["dev"]["remarks"])
    other = Splits("classify", train, written("other.tsv", "text\tlabel\nx\t1\nz\t1\ny\t0\nv\t0\n"))
    assert "remarks" not in other.metadata()["dev"] and "stand in train" not in "".join(lines(capsys))


def test_tags_and_answers_show_their_first_row_as_it_was_read(written, capsys):
    task, part = learn_task("tag", written("f.conll", "1-1\tAnna\tB-PER\n1-2\tleft\tO\n1-3\tBonn\tB-LOC\n\n"))
    said = lines(capsys)
    assert "entities: 'LOC' 1, 'PER' 1" in said
    assert "first row: words and tags 'Anna/B-PER left/O Bonn/B-LOC'" in said
    assert "columns: word 'column 2', tag 'column 3'; not used: 'column 1'" in said
    rows = [{"question": "Where?", "context": "It is in Bonn.", "answers": {"text": ["Bonn"], "answer_start": [9]}},
            {"question": "Who?", "context": "It is in Bonn.", "answers": {"text": [], "answer_start": []}}]
    task, part = learn_task("answer", written("f.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    said = lines(capsys)
    assert task.version == "2.0" and "questions: 'with an answer' 1, 'without' 1" in said
    assert "first row: question 'Where?', context 'It is in [[Bonn]].'" in said


@pytest.mark.parametrize("task, content, wanted", [
    ("score", "sentence1\tsentence2\tscore\na\tb\t1\nc\td\t3\n", "scores: 'lowest' 1.0, 'mean' 2.0, 'highest' 3.0"),
    ("choose", "prompt\tending0\tending1\tlabel\na\tb\tc\t1\n", "right endings: '1' 1"),
    ("embed", "first\tsecond\na\tb\nc\td\n", "first row: first 'a', second 'b'"),
    ("rank", "query\tdocument\tgrade\na\tb\t1\na\td\t0\n", "first row: query 'a', document 'b'"),
    ("write", "source\ttarget\na\tb\n", "first row: source 'a', target 'b'")])
def test_every_task_says_what_it_read(written, capsys, task, content, wanted):
    learn_task(task, written("f.tsv", content))
    assert wanted in lines(capsys)


def test_a_score_that_nobody_names_is_asked_for(written):
    for name in ("similarity_score", "gold_label", "human_rating", "relation_class"):
        path = written("f.csv", f"sentence1,sentence2,{name}\na,b,4.8\nc,d,0.0\n")
        with pytest.raises(Error, match=f"the column '{name}' may say which texts belong together.*--label {name}"):
            learn_task("embed", path)
        assert list(learn_task("embed", path, Columns(label=name))[1].targets) == [1.0, 0.0]
    learn_task("embed", written("f.csv", "sentence1,sentence2,source\na,b,x\nc,d,y\n"))


def test_two_columns_of_tags_are_for_the_user_to_choose(written):
    path = written("f.tsv", "#\thttp://a\t[2009]\t\n1\tAnna\tB-PER\tO\n2\tof\tO\tO\n3\tUni\tB-ORG\tO\n4\tBonn\tI-ORG\tB-LOC\n")
    with pytest.raises(Error, match=r"the columns 3 \(ORG, PER\) and 4 \(LOC\) all hold tags.*--tag 3 or --tag 4"):
        learn_task("tag", path)
    assert read_labelled(learn_task("tag", path, Columns(tag="4"))[0], path, Columns(tag="4")).targets == [
        ["O", "O", "O", "B-LOC"]]
    assert learn_task("tag", path, Columns(tag="3"))[1].targets == [["B-PER", "O", "B-ORG", "I-ORG"]]


def test_phrases_beside_names_are_no_choice(written):
    path = written("f.conll", "Anna NNP B-NP B-PER\nleft VBD B-VP O\n\n")
    assert learn_task("tag", path)[1].targets == [["B-PER", "O"]]


@pytest.mark.parametrize("form", ["s1.w{n}\t{w}\t{t}", "doc1-{n}\t{w}\t{t}", "7\t{w}\t{t}", "{n}.0\t{w}\t{t}",
                                  "1-{n}\t0-4\t{w}\t{t}\t", "doc\t{n}\t{w}\t{t}", "{n} {w} {t}"])
def test_numbers_of_words_are_no_words(written, form):
    words = [("Anna", "B-PER"), ("lives", "O"), ("in", "O"), ("Bonn2", "B-LOC")]
    content = "".join(form.format(n=n, w=w, t=t) + "\n" for n, (w, t) in enumerate(words, 1))
    assert learn_task("tag", written("f.tsv", content))[1].inputs == [["Anna", "lives", "in", "Bonn2"]]

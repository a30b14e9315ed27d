"""Folders of texts, a folder a class: what is read, what belongs together, what is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.data.folders import read_folder
from bertkit.data.labelled import Labelled, learn_task, read_labelled
from bertkit.data.splits import Splits
from bertkit.errors import Error


@pytest.fixture
def corpus(tmp_path):
    """Return a folder like those published: three levels of each article, and what is no text beside them."""
    for number in range(12):
        for level in ("adv", "ele", "int"):
            file = tmp_path / level / f"WNL article {number:02}-{level}.txt"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"\xef\xbb\xbf" + f"text {number}\r\nof {level}\n".encode())
    (tmp_path / "README").write_text("how it was made")
    return tmp_path


def test_texts_are_as_they_are_written_and_classes_alternate(corpus):
    found = read_folder(corpus)
    assert (len(found), found.labels[:4], found.second) == (36, ["adv", "ele", "int", "adv"], None)
    assert found.first[:2] == ["text 0\r\nof adv\n", "text 0\r\nof ele\n"]
    assert found.lines == list(range(1, 37)) and found.skipped == []
    assert read_folder(corpus, limit=4).first == found.first[:4]


def test_classes_alternate_whatever_their_files_are_called(tmp_path):
    for name in ("a/a1", "a/a2", "a/a3", "b/b1", "b/b2"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.txt").write_text(name)
    assert read_folder(tmp_path).first == ["a/a1", "b/b1", "a/a2", "b/b2", "a/a3"]
    assert read_folder(tmp_path, limit=2).labels == ["a", "b"]


def test_levels_of_an_article_belong_together_and_numbered_files_of_a_class_do_not(corpus):
    assert read_folder(corpus).groups[:4] == [*["WNL article 00"] * 3, "WNL article 01"]
    (corpus / "adv" / "other_1.txt").write_text("a")
    (corpus / "adv" / "other_2.txt").write_text("b")
    (corpus / "adv" / "alone.txt").write_text("c")
    assert read_folder(corpus).groups[-3:] == ["alone", "other_1", "other_2"]


def test_a_byte_that_is_not_utf_8_is_told_with_its_place(corpus):
    wrong = corpus / "int" / "WNL article 03-int.txt"
    wrong.write_bytes("first\nçá".encode() + b"\xe9 rest")
    with pytest.raises(Error, match=r"article 03-int.txt: line 2, column 3: the byte 0xe9 is not UTF-8; mend it, or"):
        read_folder(corpus)
    found = read_folder(corpus, skip_bad_rows=True)
    assert len(found) == 35 and found.skipped == [
        (12, "WNL article 03-int.txt: line 2, column 3: the byte 0xe9 is not UTF-8")]


def test_a_link_to_nowhere_is_no_text_that_is_passed_over(corpus):
    (corpus / "adv" / "lost.txt").symlink_to(corpus / "nowhere")
    with pytest.raises(Error, match="lost.txt: it cannot be read .No such file or directory.; mend it, or"):
        read_folder(corpus)
    assert len(read_folder(corpus, skip_bad_rows=True)) == 36


def test_what_is_no_text_among_the_texts_is_not_passed_over(corpus):
    (corpus / "adv" / ".DS_Store").write_bytes(b"hidden")
    assert len(read_folder(corpus)) == 36
    (corpus / "adv" / "more.pdf").write_bytes(b"%PDF")
    with pytest.raises(Error, match="more.pdf: a class's folder holds texts alone, NAME.txt; mend it, or"):
        read_folder(corpus)
    found = read_folder(corpus, skip_bad_rows=True)
    assert len(found) == 36 and found.skipped == [(37, "more.pdf: a class's folder holds texts alone, NAME.txt")]


def test_a_text_that_is_no_text_is_not_taken_into_memory(corpus):
    with open(corpus / "adv" / "huge.txt", "wb") as file:
        file.truncate(2**40)
    with pytest.raises(Error, match="huge.txt: 1099511627776 bytes came, and a text has at most"):
        read_folder(corpus)


def test_a_folder_without_texts_and_a_limit_of_none_are_told(corpus, tmp_path):
    with pytest.raises(Error, match="holds no texts; wanted a folder for each class"):
        read_folder(corpus / "adv")
    with pytest.raises(Error, match="limit=0 reads nothing"):
        read_folder(corpus, limit=0)
    for number in range(3):
        (corpus / "only" / "bad").mkdir(parents=True, exist_ok=True)
        (corpus / "only" / "bad" / f"{number}.txt").write_bytes(b"\xff")
    with pytest.raises(Error, match="holds no text that can be used .3 were skipped"):
        read_folder(corpus / "only", skip_bad_rows=True)


def test_a_folder_is_read_for_every_task_of_classes(corpus, capsys):
    for name in ("classify", "long_documents"):
        task, labelled = learn_task(name, corpus)
        assert (task.name, task.labels) == (name, ("adv", "ele", "int"))
        assert labelled.targets.tolist() == [0, 1, 2] * 12 and labelled.metadata()["rows"] == 36
        assert read_labelled(task, corpus).inputs == labelled.inputs
    (corpus / "int" / "x.txt").write_bytes(b"\xff")
    learn_task("classify", corpus, skip_bad_rows=True)
    assert "left out 1 of its rows, first file 37 (x.txt: line 1, column 1" in capsys.readouterr().err


def test_dev_is_a_share_of_train_and_the_same_one_whatever_else_there_is(corpus):
    splits = Splits("long_documents", corpus, None, held_back=0.4)
    train, dev = splits.parts["train"], splits.parts["dev"]
    assert not set(train.groups) & set(dev.groups) and len(train) + len(dev) == 36 and len(dev) % 3 == 0
    assert splits.paths == {"train": corpus} and sorted(train.inputs + dev.inputs) == sorted(read_folder(corpus).first)
    (corpus / "adv" / "more.txt").write_text("more")
    again = Splits("long_documents", corpus, None, held_back=0.4).parts
    assert set(dev.groups) <= set(again["dev"].groups) and set(train.groups) <= set(again["train"].groups)
    wider = Splits("long_documents", corpus, None, held_back=0.7).parts["dev"]
    assert set(dev.groups) < set(wider.groups)


@given(st.lists(st.text(), min_size=1, unique=True), st.floats(0, 1))
def test_dividing_loses_nothing(texts, share):
    whole = Labelled("f.tsv", texts, list(range(len(texts))), [(3, "empty")])
    try:
        parts = whole.split_by_group(share)
    except Error:
        return
    rest, held = parts
    assert sorted(rest.targets + held.targets) == whole.targets and rest.inputs and held.inputs
    assert all(texts[target] == text for part in parts for text, target in zip(part.inputs, part.targets, strict=True))
    assert (rest.skipped, held.skipped) == (whole.skipped, [])


@pytest.mark.parametrize("share", [0.0, -1.0, 1.0, 5.0])
def test_a_share_that_leaves_nothing_is_told(corpus, share):
    with pytest.raises(Error, match="would be held back at held_back="):
        Splits("classify", corpus, None, held_back=share)

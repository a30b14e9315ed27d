"""Prompts with endings: the layouts, and what a person gets wrong."""

import pytest

from bertkit.data.choices import read_choices
from bertkit.errors import Error

SWAG = "video-id,startphrase,sent1,sent2,ending0,ending1,label\nv,He sat. He,He sat.,He,stood.,flew.,1\n"
CODAH = "o\tI am\ta.\tb.\tc.\td.\t3\n"
ASKED = "id,Context,question,answer0,answer1,label\n1,He fell.,Why?,ice,sun,0\n"
CAUSES = "premise\tchoice1\tchoice2\tquestion\tlabel\nHe fell.\tice\tsun\tcause\t0\n"


@pytest.mark.parametrize(("name", "text", "wanted"), [
    ("a.csv", SWAG, ("He sat.", ["He stood.", "He flew."], 1)),
    ("a.tsv", CODAH, ("I am", ["a.", "b.", "c.", "d."], 3)),
    ("a.csv", "prompt,ending10,ending2,label\np,x,y,0\n", ("p", ["y", "x"], 0)),
    ("a.jsonl", '{"question": "q", "option1": "x", "option2": "y", "label": 1}\n', ("q", ["x", "y"], 1)),
    ("a.csv", ASKED, ("He fell.", ["Why? ice", "Why? sun"], 0)),
    ("a.tsv", CAUSES, ("He fell.", ["cause ice", "cause sun"], 0))])
def test_layouts(tmp_path, name, text, wanted):
    (tmp_path / name).write_text(text)
    found = read_choices(tmp_path / name)
    assert (found.prompts[0], found.endings[0], found.labels[0]) == wanted and len(found) == 1


@pytest.mark.parametrize(("row", "words"), [
    ('{"prompt": "p", "ending0": "a", "ending1": "b", "label": 2}', "column 'label': '2' came, wanted .* 0 to 1"),
    ('{"prompt": "p", "ending0": "a", "ending1": "b", "label": true}', "column 'label': 'True' came"),
    ('{"prompt": "p", "ending0": "a", "ending1": 3, "label": 0}', "column 'ending1': a number came"),
    ('{"prompt": "p", "ending0": "a", "label": 0}', "column 'ending1': the object has no such key"),
    ('{"prompt": "p", "ending0": "a", "ending1": "b", "ending2": "c", "label": 0}',
     "column 'ending2': the row has more endings than the first, which has 2")])
def test_what_cannot_be_used_is_named_or_listed(tmp_path, row, words):
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "p", "ending0": "a", "ending1": "b", "label": 0}\n' + row + "\n")
    with pytest.raises(Error, match=f"line 2, {words}"):
        read_choices(path)
    found = read_choices(path, skip_bad_rows=True)
    assert len(found) == 1 and found.skipped[0][0] == 2


def test_a_column_that_is_there_twice_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("prompt,ending0,ending0,label\np,a,b,0\n")
    with pytest.raises(Error, match="has 2 columns 'ending0', its columns are .*; leave one of them"):
        read_choices(tmp_path / "a.csv")


def test_a_file_of_something_else_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\na,0\n")
    with pytest.raises(Error, match="is no file of multiple choices, its columns are 'text', 'label'"):
        read_choices(tmp_path / "a.csv")

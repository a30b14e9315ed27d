"""What cannot be read is named with file and line, or, where that is asked for, left out and counted."""

import pytest

from bertkit.data import read_examples
from bertkit.errors import Error

HEADER = "sentence\tlabel\n"
ROWS = "a good film\t1\na bad film\t0\n"


def binary():
    return bytes((i * i * 31 + i * 7 + (i >> 3)) % 256 for i in range(20000))


FAULTS = {
    "an empty file": ("f.tsv", "", ["is empty"]),
    "a header and nothing else": ("f.tsv", HEADER, ["no row"]),
    "blank lines": ("f.tsv", "\n\n", ["blank lines"]),
    "an unknown suffix": ("f.txt", HEADER + ROWS, [".tsv, .csv or .jsonl"]),
    "binary": ("f.tsv", binary(), ["is not text"]),
    "binary jsonl": ("f.jsonl", binary(), ["is not text"]),
    "UTF-16 without a mark": ("f.csv", "text,label\na,1\n".encode("utf-16-le"),
                              ["UTF-16LE", "byte order mark", "iconv"]),
    "UTF-16 without a mark, big-endian": ("f.tsv", "текст\tlabel\nпривет 😀\t1\n".encode("utf-16-be"),
                                          ["UTF-16BE", "byte order mark", "iconv -f UTF-16BE"]),
    "UTF-16 that is cut": ("f.tsv", (HEADER + ROWS).encode("utf-16")[:-1], ["begins as UTF-16", "truncated"]),
    "UTF-32": ("f.tsv", (HEADER + ROWS).encode("utf-32"), ["UTF-32", "iconv"]),
    "NUL-heavy": ("f.csv", b"text,label\na\0\0\0\0b\0\0\0c\0\0,1\n", ["is not text"]),
    "Latin-1 in TSV": ("f.tsv", (HEADER + ROWS + "un caf\xe9\t1\n").encode("latin-1"),
                       ["line 4, column 7", "0xe9", "iconv"]),
    "Latin-1 in CSV": ("f.csv", "text,label\n\"a\ncaf\xe9\",1\n".encode("latin-1"),
                       ["line 3, column 4", "iconv"]),
    "Latin-1 in JSONL": ("f.jsonl", '{"text": "\xe9", "label": 1}\n'.encode("latin-1"),
                         ["line 1, column 11", "iconv"]),
    "Latin-1 in the header": ("f.tsv", "caf\xe9\tlabel\n".encode("latin-1"), ["line 1, column 4"]),
    "a tab too many": ("f.tsv", HEADER + ROWS + "one\ttwo\t1\n",
                       ["line 4, 3 fields came, 2 were wanted"]),
    "a tab too few": ("f.tsv", HEADER + "one 1\n", ["line 2, 1 fields came, 2 were wanted"]),
    "a comma too many": ("f.csv", "text,label\na, b,1\n", ["line 2, 3 fields came"]),
    "an empty label": ("f.tsv", HEADER + "a film\t  \n", ["line 2", "'label'", "label is empty"]),
    "an empty label of several": ("f.tsv", HEADER + "a film\tx||y\n", ["line 2", "is empty"]),
    "no gold label": ("f.tsv", "sentence1\tsentence2\tgold_label\na\tb\t-\n",
                      ["line 2", "'gold_label'", "is empty"]),
    "no text column": ("f.tsv", "name\tlabel\na\t1\n", ["'name', 'label'", "--text"]),
    "two text columns": ("f.tsv", "text\tsentence\tlabel\na\tb\t1\n", ["--text"]),
    "two pairs": ("f.csv", "question,context,answer,label\na,b,c,1\n", ["--text"]),
    "no label column": ("f.tsv", "sentence\tother\na\t1\n", ["'sentence', 'other'", "--label"]),
    "two label columns": ("f.tsv", "text\tclass\tintent\na\t1\t2\n", ["--label"]),
    "no header": ("f.tsv", ROWS, ["'a good film', '1'", "--text"]),
    "a quote never closed": ("f.csv", 'text,label\nx,0\n"a,1\nb,2\n',
                             ["line 3 to line 4", "quotes"]),
    "a quote closed in the middle": ("f.csv", 'text,label\n"a" b,1\n', ["line 2 to line 2"]),
    "a bare carriage return in CSV": ("f.csv", "text,label\na\rb,1\n", ["line 2 to line 2"]),
    "JSON cut short": ("f.jsonl", '{"text": "a", "label": 1}\n{"text": "a"\n',
                       ["line 2, column", "not JSON"]),
    "a JSON list": ("f.jsonl", '["a", 1]\n', ["line 1", "a list came", "object"]),
    "a JSON number": ("f.jsonl", "3\n", ["line 1", "a number came"]),
    "NaN": ("f.jsonl", '{"text": "a", "label": NaN}\n', ["line 1", "NaN"]),
    "deep JSON": ("f.jsonl", "[" * 100_000 + "\n", ["line 1", "not JSON"]),
    "half a surrogate pair": ("f.jsonl", '{"text": "\\ud83d", "label": 1}\n',
                              ["line 1", "surrogates"]),
    "a text that is a number": ("f.jsonl", '{"text": 7, "label": 1}\n',
                                ["line 1", "'text'", "a number came"]),
    "a text that is null": ("f.jsonl", '{"text": null, "label": 1}\n', ["line 1", "null came"]),
    "a label that is null": ("f.jsonl", '{"text": "a", "label": null}\n', ["line 1", "null came"]),
    "a label that is an object": ("f.jsonl", '{"text": "a", "label": {}}\n', ["an object came"]),
    "a label that is a list of lists": ("f.jsonl", '{"text": "a", "label": [null]}\n', ["null"]),
    "a missing key": ("f.jsonl", '{"text": "a", "label": 1}\n{"text": "a"}\n',
                      ["line 2", "no key 'label'"]),
    "an empty object": ("f.jsonl", '{"text": "a", "label": 1}\n{}\n', ["line 2", "no key 'text'"]),
    "one label, then a list": ("f.jsonl",
                               '{"text": "a", "label": 1}\n{"text": "a", "label": [1]}\n',
                               ["line 2", "a list of labels and a single label"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named(written, fault):
    name, content, words = FAULTS[fault]
    path = written(name, content)
    separator = "|" if "of several" in fault else None
    with pytest.raises(Error) as raised:
        read_examples(path, separator=separator)
    message = str(raised.value)
    assert all(word in message for word in [str(path), *words]), message
    assert "\n" not in message
    assert len(message) < 600


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(Error, match="nowhere.tsv cannot be read"):
        read_examples(tmp_path / "nowhere.tsv")
    with pytest.raises(Error, match="is a folder"):
        read_examples(tmp_path)


@pytest.mark.parametrize("role", ["text", "second", "label"])
def test_a_named_column_that_is_not_there(written, role):
    with pytest.raises(Error, match=f"no columns 'missing'.*'sentence', 'label'.*--{role}"):
        read_examples(written("f.tsv", HEADER + ROWS), **{"text": "sentence", role: "missing"})


def test_a_name_used_by_two_columns_is_refused(written):
    with pytest.raises(Error, match="2 columns 'label'"):
        read_examples(written("f.tsv", "text\tlabel\tlabel\na\t0\t1\n"), label="label")


def test_bad_rows_can_be_skipped_and_are_counted(written):
    content = (HEADER + "a\t1\none\ttwo\t1\nb\t\ncaf\xe9\t1\nc\t0\n").encode("latin-1")
    examples = read_examples(written("f.tsv", content), skip_bad_rows=True)
    assert (examples.first, examples.lines) == (["a", "c"], [2, 6])
    assert [line for line, _ in examples.skipped] == [3, 4, 5]
    rows = 'no JSON\n{"text": "a", "label": 1}\n[]\n{"text": "b", "label": 2}\n'
    examples = read_examples(written("f.jsonl", rows), skip_bad_rows=True)
    assert (examples.first, [line for line, _ in examples.skipped]) == (["a", "b"], [1, 3])
    examples = read_examples(written("f.csv", "text,label\na,b,c\nd,1\n"), skip_bad_rows=True)
    assert (examples.first, examples.skipped[0][0]) == (["d"], 2)


@pytest.mark.parametrize("content, words", [
    ('text,label\n"a" b,1\nc,1\n', "line 2"),
    ("text,label\ncaf\xe9,1\nc,1\n", "iconv"),
    ("text,label\na,b,1\n", "1 were skipped"),
])
def test_what_hides_the_next_row_is_never_skipped(written, content, words):
    with pytest.raises(Error, match=words):
        read_examples(written("f.csv", content.encode("latin-1")), skip_bad_rows=True)

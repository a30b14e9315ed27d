"""CoNLL columns in every layout and scheme, and what is wrong with those that cannot be read."""


import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.data.columns import Columns
from bertkit.data.conll import read_conll
from bertkit.data.sentences import tag_names
from bertkit.errors import Error

PLACES = [(["in", "New", "York"], ["O", "B-LOC", "I-LOC"]), (["Ann", "#", "ate"], ["B-PER", "O", "O"])]


@pytest.fixture
def written(tmp_path):
    """Return a function content -> path of a file that holds it."""
    def write(content, name="f.conll"):
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return write


def lines(*rows):
    return "".join(f"{row}\n" for row in rows)


def listed(sentences):
    return list(zip(sentences.words, sentences.tags, strict=True))


@pytest.mark.parametrize("file, tag, sentences, tokens, begun", [
    ("wnut17/wnut17train.conll", 1, 3394, 62730, 1975), ("wnut17/emerging.dev.conll", 1, 1009, 15733, 836),
    ("uner_english_ewt/en_ewt-ud-dev.iob2", 2, 2001, 25149, 966),
    ("wikineural/en/val.conllu", 2, 11590, 267839, 5904 + 5593 + 4173 + 3512)])
def test_published_files(shared, file, tag, sentences, tokens, begun):
    path = shared(f"data/ner/{file}")
    found = read_conll(path)
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if not line.startswith("# ")]
    tags = [row[tag].strip() if len(row) > tag else "O" for row in rows]
    # What an I- begins: one behind O or the start of a sentence, or of another type.
    loose = sum(now[0] == "I" and now[2:] != before[2:] for before, now in zip(["O", *tags], tags, strict=False))
    assert (len(found), sum(map(len, found.words)), sum(now[0] == "B" for now in tags)) == (sentences, tokens, begun)
    assert sum(tag[0] == "B" for row in found.tags for tag in row) == begun + loose
    assert (found.scheme, found.skipped) == ("mixed" if loose else "IOB2", [])
    words = [row[tag - 1].strip(" ") for row in rows if len(row) > tag]
    assert [word for sentence in found.words for word in sentence] == words
    lines = path.read_text(encoding="utf-8").split("\n")
    assert all(words[0] in lines[line - 1].split("\t") for words, line in zip(found.words, found.lines, strict=True))


@pytest.mark.parametrize("content", [
    lines("in\tO", "New\tB-LOC", "York\tI-LOC", "", "Ann\tB-PER", "#\tO", "ate\tO"),
    lines("in O", "New  B-LOC", "York B-LOC ".replace("B", "I"), "", "Ann B-PER", "# O", "ate O", ""),
    "\ufeff" + lines("in\tO", "New\tB-LOC", "York\tI-LOC", " \t", "", "\t", "Ann\tB-PER", "#\tO", "ate\tO").replace(
        "\n", "\r\n"),
    lines("-DOCSTART- -X- -X- O", "", "in IN B-PP O", "New NNP B-NP B-LOC", "York NNP I-NP I-LOC", "",
          "-DOCSTART-", "Ann NNP B-NP B-PER", "# # O O", "ate V O O"),
    lines("# newdoc id = 1", "# text = in\tNew York", "1\tin\tO\t-\t-", "2\tNew\tB-LOC\t-\tme", "3\tYork\tI-LOC\t-\tme",
          "", "# sent_id = 2", "1\tAnn\tB-PER\t-\tme", "2\t#\tO\t-\t-", "3\tate\tO\t-\t-", ""),
    lines("0\tin\tO", "1\tNew\tB-LOC", "2\tYork\tI-LOC", "", "0\tAnn\tB-PER", "1\t#\tO", "2\tate\tO"),
    lines(*["in " + "x " * 9 + "O", "New " + "x " * 9 + "B-LOC", "York " + "x " * 9 + "I-LOC", "",
            "Ann " + "x " * 9 + "B-PER", "# " + "x " * 9 + "O", "ate " + "x " * 9 + "O"]),
    lines("in\tO\tO", "New\tB-LOC\tO", "York\tI-LOC\tO", "", "Ann\tB-PER\tO", "#\tO\tO", "ate\tO\tO"),
], ids=["tabs", "blanks", "BOM, CRLF, stray blanks", "CoNLL 2003", "UNER", "numbered", "eleven columns",
        "a layer of O"])
def test_layouts(written, content):
    sentences = read_conll(written(content))
    assert listed(sentences) == PLACES
    assert [content.replace("\r", "").split("\n")[line - 1] != "" for line in sentences.lines] == [True, True]


def test_columns_that_are_named(written):
    path = written(lines("B-X\tNew\tcity", "O\tYork\tcity", "I-X\there\tO"))
    found = read_conll(path, Columns(word="2", tag="3"))
    assert (listed(found), found.scheme) == ([(["New", "York", "here"], ["B-city", "I-city", "O"])], "bare")
    assert read_conll(path, Columns(word="2", tag="1")).tags == [["B-X", "O", "B-X"]]
    for wrong in (0, 4):
        with pytest.raises(Error, match=f"3 columns and tag={wrong} came"):
            read_conll(path, Columns(tag=str(wrong)))


def spelt(tags, scheme):
    """Return IOB2 tags in another scheme, from its definition."""
    found = []
    for i, tag in enumerate(tags):
        after = tags[i + 1] if i + 1 < len(tags) else "O"
        before = tags[i - 1] if i else "O"
        prefix, kind, last = tag[0], tag[2:], after[:2] + after[2:] != f"I-{tag[2:]}"
        if tag == "O":
            found.append("O")
        elif scheme == "IOB1":
            found.append(f"{'B' if prefix == 'B' and before[2:] == kind and before != 'O' else 'I'}-{kind}")
        elif scheme in ("IOBES", "BILOU"):
            single, end = ("S", "E") if scheme == "IOBES" else ("U", "L")
            found.append(f"{(single if prefix == 'B' else end) if last else prefix}-{kind}")
        else:
            found.append(tag)
    return found


ENTITIES = st.lists(st.tuples(st.sampled_from(["O", "a", "b-c"]), st.integers(1, 3)), min_size=1, max_size=6)


@given(st.lists(ENTITIES, min_size=1, max_size=4), st.sampled_from(["IOB1", "IOB2", "IOBES", "BILOU"]))
def test_schemes_say_the_same_entities(tmp_path_factory, sentences, scheme):
    tags = [[tag for kind, size in sentence for tag in (
        ["O"] * size if kind == "O" else [f"B-{kind}", *[f"I-{kind}"] * (size - 1)])] for sentence in sentences]
    path = tmp_path_factory.getbasetemp() / "scheme.conll"
    path.write_text("\n".join("".join(f"w\t{tag}\n" for tag in spelt(row, scheme)) for row in tags), encoding="utf-8")
    found = read_conll(path)
    assert found.tags == tags
    used = {tag[0] for row in tags for tag in spelt(row, scheme)}
    if used & set("ESLU"):
        assert found.scheme == "IOBES"
    elif scheme == "IOB1":
        assert found.scheme in ("IOB1", "IO" if "B" not in used else "IOB1", "IOB2" if used == {"O"} else "IOB1")
    elif scheme == "IOB2":
        assert found.scheme == "IOB2"


def test_an_i_that_continues_nothing_begins_an_entity(written):
    found = read_conll(written(lines("a B-X", "b B-Y", "c I-X", "d O", "e I-Y")))
    assert (found.tags, found.scheme) == ([["B-X", "B-Y", "B-X", "O", "B-Y"]], "mixed")


def test_tags_to_learn(written):
    found = read_conll(written(lines("a I-y", "b O", "", "c I-x-z")))
    assert tag_names(found) == ["O", "B-x-z", "I-x-z", "B-y", "I-y"]


def test_limit_counts_sentences(written):
    path = written(lines("a O", "", "b O", "", "c O", "d ?"))
    assert read_conll(path, limit=2).words == [["a"], ["b"]]
    with pytest.raises(Error, match="limit=0"):
        read_conll(path, limit=0)


GOOD = lines("a O", "b B-X", "", "c O")
FAULTS = {
    "a tag of no scheme": (GOOD + "d person\n", ["line 5", "column 2", "'person'", "--skip-bad-rows"]),
    "a row that is too long": (GOOD + "d of O\n", ["line 5", "3 columns", "2 were wanted"]),
    "a row that is too short": (GOOD + "d\n", ["line 5", "1 columns"]),
    "an empty word": (lines("a\tO", "\tO"), ["line 2", "column 1", "word is empty"]),
    "an empty tag": (lines("a\tO", "b\tO", "c\t"), ["line 3", "column 2", "''"]),
    "a byte that is none": (b"a O\nb\xff O\n", ["line 2", "column 2", "0xff"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named_or_skipped_with_their_sentence(written, fault):
    content, words = FAULTS[fault]
    path = written(content)
    with pytest.raises(Error) as told:
        read_conll(path)
    assert all(word in str(told.value) for word in [str(path), *words]), told.value
    path = written((content.encode() if isinstance(content, str) else content) + b"\nz O\n".replace(
        b" ", b"\t" if b"\t" in path.read_bytes() else b" "))
    found = read_conll(path, skip_bad_rows=True)
    assert found.words[-1] == ["z"] and ["d"] not in found.words and len(found.skipped) == 1
    assert all(word in "line {}, {}".format(*found.skipped[0]) for word in words[:-1])


@pytest.mark.parametrize("name, content, words", [
    ("f.json", '{"data": [{"title": "x"}]}', ["is JSON", "CoNLL columns"]),
    ("f.json", '{\n  "data": []\n}', ["is JSON"]),
    ("f.tsv", lines("sentence\tlabel", "a film\t1", "b\t0"), ["no column of tags", "'label', '1', '0'"]),
    ("f.txt", lines("one", "two"), ["lines of one column ('one')"]),
    ("f.txt", lines("", "# a comment", ""), ["holds no word"]), ("f.txt", "", ["is empty"]),
    ("f.gz", bytes(range(256)), ["cannot be unpacked"]), ("f.conll", bytes(range(256)), ["is not text"]),
])
def test_files_of_another_kind(written, name, content, words):
    path = written(content, name)
    with pytest.raises(Error) as told:
        read_conll(path)
    assert all(word in str(told.value) for word in [str(path), *words]) and "\n" not in str(told.value)


def test_a_missing_file_and_a_folder(tmp_path):
    for path, words in ((tmp_path / "none", "cannot be read"), (tmp_path, "is a folder")):
        with pytest.raises(Error, match=words):
            read_conll(path)

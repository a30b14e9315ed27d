"""A vocabulary is learnt once and for all: the same text, the same file, in every process."""

import subprocess
import sys

import pytest

from bertkit.corpus.vocabulary import learn_vocabulary, measure_fit, wordpiece
from bertkit.errors import Error
from bertkit.text import Tokenizer
from tests import tiny

TEXT = "\n".join("The Rivers ran to the sea; a naïve café, 3.5 % of 2,000 wells, 東京 and ελληνικά: {i}".replace(
    "{i}", str(i)) for i in range(300)) + "\n"
CHILD = ("import sys; from bertkit.corpus.vocabulary import learn_vocabulary; "
         "learn_vocabulary([sys.argv[1]], sys.argv[2], 300, sys.argv[3])")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def content(out):
    files = [out] if out.is_file() else sorted(out.iterdir())
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
def test_the_same_text_gives_the_same_file_in_another_process(tmp_path, text, kind):
    learn_vocabulary([text], tmp_path / "one", 300, kind)
    subprocess.run([sys.executable, "-c", CHILD, text, tmp_path / "two", kind], check=True)
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    assert list(one.values()) == list(two.values()) and one


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
@pytest.mark.parametrize("cased", [False, True])
def test_the_tokenizer_reads_what_was_learnt(tmp_path, text, kind, cased):
    found = learn_vocabulary([text], tmp_path / "out", 300, kind, cased)
    tokenizer = Tokenizer.load(tmp_path / "out")
    assert len(tokenizer) == found["entries"] <= 300
    assert found["documents"] == 1 and found["characters"] == len(TEXT) - 300
    held = found["held_out"]
    assert held["paragraphs"] == 6 and held["unknown"] < 0.05 and held["coverage"] > 0.9 and 1 <= held["fertility"] < 6
    upper, lower = tokenizer.ids(["Rivers", "rivers"])
    assert (upper != lower) == (cased or kind == "bpe")
    assert tokenizer.mask_id != tokenizer.pad_id == tokenizer.pack(["a"], length=9)["token_ids"][0, -1]


def test_every_letter_can_stand_alone_and_go_on_in_a_word(text):
    entries = wordpiece(lambda: TEXT.split("\n"), 400)
    assert entries[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] and len(set(entries)) == len(entries)
    assert {"r", "##r", "3", "##3", "λ", "##λ", "東", ";"} <= set(entries)
    assert not {"##;", "##東", "R", " ", "## "} & set(entries)
    assert "R" in wordpiece(lambda: TEXT.split("\n"), 400, cased=True)


def test_no_more_entries_come_than_are_asked_for(tmp_path):
    """Of more letters than fit the frequent ones stay."""
    letters = [chr(0x4E00 + i) for i in range(600)]
    (tmp_path / "a.txt").write_text("\n".join("".join(letters[:n]) for n in range(1, 601)) + "\nthe end of it\n")
    assert learn_vocabulary([tmp_path / "a.txt"], tmp_path / "v", 200)["entries"] <= 200
    assert letters[0] in (tmp_path / "v").read_text() and letters[599] not in (tmp_path / "v").read_text()
    with pytest.raises(Error, match="size=260 holds nothing but the special tokens and the 256 bytes; give 261"):
        learn_vocabulary([tmp_path / "a.txt"], tmp_path / "b", 260, "bpe")
    assert learn_vocabulary([tmp_path / "a.txt"], tmp_path / "b", 270, "bpe")["entries"] <= 270


def test_where_each_letter_is_a_word_letters_fill_the_vocabulary():
    """Of 300 ideographs, the first the most frequent, 200 entries hold all that there is room for."""
    letters = [chr(0x4E00 + i) for i in range(300)]
    entries = wordpiece(lambda: ["".join(letters[:n]) for n in range(1, 301)], 200)
    assert len(entries) == 200 and set(entries[5:]) == set(letters[:195])


def test_pieces_of_words_keep_a_third_of_the_entries():
    words = [chr(ord("a") + i) + chr(ord("a") + j) for i in range(26) for j in range(26)]
    entries = wordpiece(lambda: [*words, "".join(chr(0x4E00 + i) for i in range(300))], 150)
    assert len(entries) == 150 and sum(len(entry.removeprefix("##")) > 1 for entry in entries[5:]) >= 45
    assert {f"##{letter[1]}" for letter in words} | set("abc") <= set(entries)


def test_a_size_that_does_not_hold_the_letters_says_how_many_there_are(tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(chr(0x4E00 + i) * 9 + chr(0x4E00 + i + 1) for i in range(600)))
    with pytest.raises(Error, match=r"size=100 does not hold the different characters of this text, which are \d{3}"):
        learn_vocabulary([tmp_path / "a.txt"], tmp_path / "out", 100, "unigram")
    assert not (tmp_path / "out").exists()


def test_a_paragraph_longer_than_sentencepiece_takes_is_learnt_from(tmp_path, monkeypatch):
    monkeypatch.setattr("bertkit.corpus.vocabulary.LONGEST", 50)
    (tmp_path / "a.txt").write_text(" ".join(f"word{i} \u4e1c" for i in range(400)))
    learn_vocabulary([tmp_path / "a.txt"], tmp_path / "out", 60, "unigram")
    tokenizer = Tokenizer.load(tmp_path / "out")
    assert tokenizer.unk_id not in tokenizer.ids(["word399 \u4e1c"])[0]


def test_what_is_there_is_replaced_only_by_its_like(tmp_path, text):
    (tmp_path / "new").mkdir()
    for _ in range(2):
        learn_vocabulary([text], tmp_path / "new" / "er" / "vocab.txt", 300)
    before = text.read_bytes()
    with pytest.raises(Error, match="is the text itself, which the vocabulary would replace"):
        learn_vocabulary([text], text.parent / "." / text.name, 300)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Error, match="notes.txt is there already and holds something else than a vocabulary"):
        learn_vocabulary([text], tmp_path / "notes.txt", 300)
    assert text.read_bytes() == before and (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
def test_of_nothing_nothing_is_learnt(tmp_path, kind):
    (tmp_path / "a.txt").write_text("\n \n\n")
    with pytest.raises(Error, match="The text holds no document"):
        learn_vocabulary([tmp_path / "a.txt"], tmp_path / "out", 300, kind)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_fit_counts_by_hand():
    tokenizer = tiny.tokenizer()
    found = measure_fit(tokenizer, ["good films", "ünknown the 東"])
    ids = [i for text in tokenizer.ids(["good films", "ünknown the 東"]) for i in text]
    assert found == {"paragraphs": 2, "words": 5, "fertility": len(ids) / 5,
                     "characters_per_token": 20 / len(ids),
                     "unknown": ids.count(tokenizer.unk_id) / len(ids), "coverage": pytest.approx(0.8)}
    assert set(list(measure_fit(tokenizer, []).values())[2:]) == {None}


@pytest.mark.parametrize(("out", "size", "kind", "said"), [
    ("out", 10, "wordpiece", "size=10 holds nothing"), ("out", 300, "bytes", "kind='bytes' is unknown"),
    (".", 300, "wordpiece", "is a folder"), ("b.txt", 300, "bpe", "is there already"),
    (".", 300, "unigram", "is there already")])
def test_wrong_knobs_are_one_sentence(tmp_path, out, size, kind, said):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("text\n")
    with pytest.raises(Error, match=said):
        learn_vocabulary([tmp_path / "a.txt"], tmp_path / out, size, kind)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]

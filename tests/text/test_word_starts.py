"""Which entries begin a word: by hand, and where the texts of every kind of tokenizer have blanks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.text import Tokenizer
from bertkit.text.models.bytelevel import letters
from bertkit.text.word_starts import word_starts

NAMES = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"}
SPECIAL = list(NAMES.values())


def said(tokenizer, entries):
    found = word_starts(tokenizer)
    assert found.dtype == bool and len(found) == len(tokenizer)
    return {entry: bool(found[tokenizer.id(entry)]) for entry in entries}


def test_wordpiece():
    entries = {"river": True, "##s": False, "#": True, "##漢": False, "漢": True, ".": True, "é": True, "##": False}
    tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *entries], added=["##x"])
    assert said(tokenizer, entries) == entries
    assert all(said(tokenizer, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##x"]).values())


def test_wordpiece_with_another_prefix():
    tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##a", "@a"], prefix="@")
    assert said(tokenizer, ["##a", "@a"]) == {"##a": True, "@a": False}


def test_bytelevel():
    entries = {"Ġriver": True, "s": False, "Ġ": True, "Ċ": True, "ĠĠĠ": True, ".": True, "'t": True, "Ã©": False,
               "æ¼¢": True, "æ¼": False, "¼": False, "Ġ.": True}            # the bytes of é and 漢, whole and parted
    vocabulary = [*SPECIAL, *dict.fromkeys([*letters(), *entries])]
    tokenizer = Tokenizer(vocabulary, kind="bytelevel", special=NAMES)
    assert said(tokenizer, entries) == entries and all(said(tokenizer, SPECIAL).values())


@pytest.mark.parametrize(("kind", "table"), [("unigram", "scores"), ("bpe", "merges")])
def test_sentencepiece(kind, table):
    entries = {"▁": True, "▁the": True, "the": False, "é": False, ".": True, "漢": True, "▁漢": True, "字a": True,
               "ти": False, "1": False}
    vocabulary = [*SPECIAL, *entries]
    tables = {"scores": [-1.0] * len(vocabulary)} if table == "scores" else {"merges": []}
    tokenizer = Tokenizer(vocabulary, kind=kind, special=NAMES, **tables)
    assert said(tokenizer, entries) == entries and all(said(tokenizer, SPECIAL).values())


@pytest.mark.parametrize("case", ["bert", "mbert_cased", "roberta", "albert", "xlnet", "xlmr", "camembert"])
def test_words_of_letters_begin_behind_blanks(shared, case):
    tokenizer = Tokenizer.load(shared(f"checkpoints/{case}/base"))
    begins = word_starts(tokenizer)

    @given(st.lists(st.text("abcdeghinorstu", min_size=1, max_size=9), min_size=1, max_size=8))
    @settings(max_examples=40, deadline=None)
    def check(words):
        encoding = tokenizer.encode([" ".join(words)])[0]
        starts = np.cumsum([0, *(len(word) + 1 for word in words[:-1])])
        found = {begin for (begin, _), i in zip(encoding.offsets, encoding.ids, strict=True) if begins[i]}
        assert found | {0} == set(starts.tolist())

    check()

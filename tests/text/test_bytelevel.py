"""Byte-level BPE against the library `tokenizers`: ids and offsets, on hard and on random texts."""

import random
import time

import pytest
from bytelevel_references import TEXTS, rust, trained
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.text.added import BLANKS
from bertkit.text.models.bytelevel import ByteLevel, letters
from bertkit.text.unicode.codepoints import BLANK, LETTER, NUMBER, OTHER, categories

pytest.importorskip("tokenizers")
VOCABULARY, MERGES = trained()
SETTINGS = [{}, {"nfc": True}, {"prefix_space": True}, {"prefix_space": True, "nfc": True}]
MODELS = [ByteLevel(VOCABULARY, merges=MERGES, **some) for some in SETTINGS]
REFERENCES = [rust(VOCABULARY, MERGES, **some) for some in SETTINGS]
PLAIN = MODELS[0]
ALPHABET = st.one_of(st.sampled_from(sorted(set("".join(TEXTS)))), st.sampled_from(" '\n stmdrevl"),
                     st.characters(exclude_categories=["Cs"]))


def agree(number, text):
    wanted, model = REFERENCES[number].encode(text), MODELS[number]
    assert model.ids(text) == wanted.ids, ascii(text)
    ids, offsets = model.encode(text)
    assert ids == wanted.ids, ascii(text)
    if not model.prefix_space:                # a space that is put first stands for the first character there
        assert offsets == wanted.offsets, ascii(text)


@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=map(str, SETTINGS))
def test_hard_corpus_equals_tokenizers(number):
    for text in TEXTS:
        agree(number, text)


@given(st.text(ALPHABET), st.integers(0, len(SETTINGS) - 1))
def test_random_text_equals_tokenizers(text, number):
    agree(number, text)


LETTERS = letters()
PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=25)


def tangled(pairs):
    """Return a vocabulary and merges in an order that no training gives: later ones may make what earlier ones take."""
    entries = [LETTERS[ord(c)] for c in "abc "]
    merges = []
    for left, right in pairs:
        left, right = entries[left % len(entries)], entries[right % len(entries)]
        if len(left + right) < 9:
            merges.append(f"{left} {right}")
            entries += [left + right] * (left + right not in entries)
    merges = list(dict.fromkeys(merges))
    random.Random(len(merges)).shuffle(merges)
    return [*LETTERS, *(entry for entry in entries if len(entry) > 1)], merges


@settings(max_examples=200)
@given(PAIRS, st.lists(st.text("abc ", max_size=20), max_size=5))
def test_merges_in_any_order_equal_tokenizers(pairs, texts):
    vocabulary, merges = tangled(pairs)
    model, reference = ByteLevel(vocabulary, merges=merges), rust(vocabulary, merges)
    for text in texts:
        assert model.ids(text) == reference.encode(text).ids


def test_a_planted_fault_is_found():
    wrong = ByteLevel(VOCABULARY, merges=[*MERGES[1:], MERGES[0]])
    assert any(wrong.ids(text) != PLAIN.ids(text) for text in TEXTS)


def test_categories_equal_the_pattern_of_tokenizers():
    from tokenizers import pre_tokenizers
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    kinds = categories()
    edges = {c for c in range(1, 0x110000) if kinds[c] != kinds[c - 1]}
    for c in {*edges, *(c - 1 for c in edges), *range(0, 0x110000, 997)} - set(range(0xD800, 0xE000)):
        for sign, kind in (("a", LETTER), ("1", NUMBER), ("!", OTHER)):
            assert (len(split(sign + chr(c))) == 1) == (kinds[c] == kind), hex(c)
    assert [ord(c) for c in BLANKS] == (kinds == BLANK).nonzero()[0].tolist()


def test_letters_are_those_of_tokenizers():
    from tokenizers import pre_tokenizers
    assert sorted(LETTERS) == sorted(pre_tokenizers.ByteLevel.alphabet())


SMALL = [*LETTERS, "Ã©", "Ġt"], ["Ã ©", "Ġ t"]


def test_offsets_are_of_the_given_text():
    model = ByteLevel(SMALL[0], merges=SMALL[1], nfc=True)
    ids, offsets = model.encode(" t e\u0301.")
    assert [SMALL[0][i] for i in ids] == ["Ġt", "Ġ", "Ã©", "."]
    assert offsets == [(1, 2), (3, 3), (3, 4), (5, 6)]


def test_a_space_that_is_put_first_covers_nothing():
    model = ByteLevel(SMALL[0], merges=SMALL[1], prefix_space=True)
    assert model.encode("t") == ([257], [(0, 1)]) and model.ids("t") == model.ids(" t")
    assert model.encode("\t").offsets == [(0, 0), (0, 1)] and model.ids("") == []


def test_lone_surrogates_read_as_replacement_characters():
    assert MODELS[1].encode("a\ud800 \udfffb") == MODELS[1].encode("a\ufffd \ufffdb")
    assert PLAIN.ids("\ud83d") == PLAIN.ids("\ufffd")


@pytest.mark.parametrize(("part", "times"), [("x", 10**5), (" ", 10**5), ("'s", 10**5), ("ab", 10**5), ("漢", 10**5),
                                             ("e\u0301", 10**5), ("\n ", 10**5)], ids=ascii)
def test_a_huge_text_takes_linear_time(part, times):
    start = time.process_time()
    MODELS[1].ids(part * times)
    assert time.process_time() - start < 10


def test_the_cache_changes_nothing_and_is_bounded(monkeypatch):
    monkeypatch.setattr("bertkit.text.models.bytelevel.CACHED_WORDS", 3)
    model = ByteLevel(VOCABULARY, merges=MERGES)
    assert [model.encode(text) for text in TEXTS] == [PLAIN.encode(text) for text in TEXTS]
    assert len(model._cache) <= 3


def test_many_languages_equal_tokenizers(shared):
    for path in sorted(shared("data/pretrain/multi").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").split("\n")
        for text in random.Random(5).sample(lines, min(60, len(lines))):
            agree(0, text)
            agree(1, text)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: ByteLevel(VOCABULARY, limit=3), "setting 'limit' is unknown; known are prefix_space, normalization"),
    (lambda: ByteLevel(VOCABULARY, prefix_space="yes"), "setting prefix_space is 'yes'; give one of type bool"),
    (lambda: ByteLevel(["river"]), "no entry for any byte; give one of byte-level BPE"),
    (lambda: ByteLevel(LETTERS, merges=["a b"]), "The merge 'a b', number 1, is not of two entries"),
])
def test_what_cannot_be_used_is_refused(call, message):
    with pytest.raises(Error, match=message):
        call()


def test_bytes_that_utf8_does_not_have_may_be_missing():
    assert ByteLevel([letter for byte, letter in enumerate(LETTERS) if byte not in (0xC0, 0xF5, 0xFF)]).ids("a") == [97]

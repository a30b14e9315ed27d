"""WordPiece against both references: ids and offsets, on a hard corpus and on random text."""

import time
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from text_references import HOSTILE, original, rust, vocabulary

from bertkit.errors import Error
from bertkit.text.codepoints import provenance
from bertkit.text.wordpiece import WordPiece

ENTRIES = vocabulary()
IDS = {entry: i for i, entry in enumerate(ENTRIES)}
GOOGLE = {"rules": "google", "longest_word": 200}
NORMALIZATIONS = [
    {}, {"lowercase": False, "strip_accents": False}, {"strip_accents": False},
    {"lowercase": False}, {"clean": False}, {"split_ideographs": False},
]
# Marks that decomposition puts into another order and that stay: a table cannot see them.
REORDERED = {chr(c) for c in range(0x110000)
             if unicodedata.combining(chr(c)) and unicodedata.category(chr(c)) != "Mn"}
texts = st.text(st.one_of(st.sampled_from(sorted(set("".join(HOSTILE)) - REORDERED)),
                          st.characters(exclude_categories=["Cs"])))


def agree(model, reference, text):
    wanted = reference.encode(text, add_special_tokens=False)
    assert model.ids(text) == wanted.ids, ascii(text)
    assert model.encode(text) == (wanted.ids, wanted.offsets), ascii(text)


@pytest.mark.parametrize("settings", NORMALIZATIONS, ids=str)
def test_hard_corpus_equals_tokenizers(settings):
    pytest.importorskip("tokenizers")
    model, reference = WordPiece(ENTRIES, **settings), rust(IDS, **{"strip_accents": True} | settings)
    for text in HOSTILE:
        agree(model, reference, text)


@given(texts, st.sampled_from(NORMALIZATIONS))
def test_random_text_equals_tokenizers(text, settings):
    pytest.importorskip("tokenizers")
    assume(not REORDERED & set(text))
    agree(WordPiece(ENTRIES, **settings), rust(IDS, **{"strip_accents": True} | settings), text)


@pytest.mark.parametrize("lowercase", [True, False])
def test_hard_corpus_equals_the_original(lowercase):
    model = WordPiece(ENTRIES, lowercase=lowercase, strip_accents=lowercase, **GOOGLE)
    for text in HOSTILE:
        assert [ENTRIES[i] for i in model.ids(text)] == original(text, IDS, lowercase), ascii(text)


@given(texts, st.booleans())
def test_random_text_equals_the_original(text, lowercase):
    assume(not REORDERED & set(text))
    if unicodedata.unidata_version not in provenance("google"):
        assume(all(unicodedata.ucd_3_2_0.category(c) != "Cn" for c in text))
    model = WordPiece(ENTRIES, lowercase=lowercase, strip_accents=lowercase, **GOOGLE)
    assert [ENTRIES[i] for i in model.ids(text)] == original(text, IDS, lowercase)


# Where the references themselves differ on the corpus, found by the first words of the text.
DIFFERENCES = {
    "private": "private use: only tokenizers drops it",
    "ΟΔΥΣΣΕΥΣ": "final sigma: only the original has it",
    "ΟΔΟΣ": "final sigma",
    "ΑΣ\u0301Β": "final sigma",
    "漢Σ": "final sigma",
    "ꟊ": "letters that have lower case since Unicode 16 only",
    "\u0898\u0899": "marks that tokenizers does not know yet",
    "\U00020000": "tokenizers begins one range of ideographs at U+2B920, not U+2B820",
    "\u2e4f\u2e52": "punctuation that tokenizers does not know yet",
    "x" * 101: "longer than 100", "x" * 200: "longer than 100",
    "e\u0301" * 101: "longer than 100", "한" * 34: "longer than 100 when decomposed",
}


def test_where_the_references_differ_is_known():
    pytest.importorskip("tokenizers")
    reference = rust(IDS)
    found = {(text.split(" ") if len(text) < 99 else [text])[0][:len(text)] for text in HOSTILE
             if reference.encode(text, add_special_tokens=False).tokens != original(text, IDS)}
    found = {next((key for key in DIFFERENCES if word.startswith(key)
                   and (len(key) < 99 or key == word)), word) for word in found}
    assert found == set(DIFFERENCES)


def test_what_a_table_cannot_do_is_known():
    """Canonical reordering of marks that stay is the one rule left out, in all forms alike."""
    text = "a\u302e\U0001d165"
    entries = [*ENTRIES, "##\u302e", "##\U0001d165"]
    ids = {entry: i for i, entry in enumerate(entries)}
    model = WordPiece(entries, **GOOGLE)
    assert [entries[i] for i in model.ids(text)] == ["a", "##\u302e", "##\U0001d165"]
    assert original(text, ids) == ["a", "##\U0001d165", "##\u302e"]


@pytest.mark.parametrize(("settings", "longest"), [({}, 100), (GOOGLE, 200)])
def test_the_limit_counts_normalised_characters(settings, longest):
    model = WordPiece(["[UNK]", "e", "##e"], **settings)
    assert len(model.ids("e\u0301" * longest)) == longest
    assert model.encode("e\u0301" * longest + "e") == ([0], [(0, 2 * longest + 1)])


@pytest.mark.parametrize("text", ["x" * 5_000_000, "e\u0301" * 2_500_000, "Σ" * 5_000_000,
                                  "\u200b" * 5_000_000], ids=ascii)
def test_a_huge_word_takes_linear_time(text):
    model = WordPiece(["[UNK]", "x", "##x", "σ", "##σ"], **GOOGLE)
    start = time.process_time()
    assert model.ids(text) == ([0] if text[0] != "\u200b" else [])
    assert time.process_time() - start < 15


def test_offsets_are_of_the_given_text():
    model = WordPiece(["[UNK]", "cafe", "##s", "한".encode().decode(), "\u1112\u1161\u11ab"])
    text = "\ufeff Cafe\u0301s 한!"
    ids, offsets = model.encode(text)
    assert [text[a:b] for a, b in offsets] == ["Cafe", "s", "한", "!"]
    assert ids == [1, 2, 4, 0]


def test_the_cache_changes_nothing_and_is_bounded(monkeypatch):
    monkeypatch.setattr("bertkit.text.wordpiece.CACHED_WORDS", 3)
    model = WordPiece(ENTRIES)
    once = [model.encode(text) for text in HOSTILE]
    assert [model.encode(text) for text in reversed(HOSTILE)] == once[::-1]
    assert len(model._cache) <= 3


def test_lone_surrogates_vanish():
    assert WordPiece(ENTRIES).ids("ca\ud800fe \udfff") == WordPiece(ENTRIES).ids("cafe")


def test_of_equal_entries_the_last_counts():
    pytest.importorskip("tokenizers")
    assert WordPiece(["[UNK]", "the", "a", "the"]).ids("the") == [3]


def test_another_prefix():
    assert WordPiece(["[UNK]", "a", "@@b"], prefix="@@").ids("ab") == [1, 2]


@pytest.mark.parametrize(("settings", "message"), [
    ({"limit": 3}, "setting 'limit' is unknown; known are prefix"),
    ({"lowercase": "yes"}, "setting lowercase is 'yes'; give a bool"),
    ({"longest_word": True}, "give a int"),
    ({"unknown": "<unk>"}, "vocabulary has no <unk>"),
])
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(Error, match=message):
        WordPiece(ENTRIES, **settings)

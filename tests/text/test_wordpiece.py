"""WordPiece against both references: ids and offsets, on a hard corpus and on random text."""

import time
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from text_references import HOSTILE, original, rust, vocabulary

from bertkit.errors import Error
from bertkit.text.models.wordpiece import WordPiece
from bertkit.text.unicode.codepoints import provenance

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
    model = WordPiece(ENTRIES, **settings)
    reference = rust(IDS, **{"strip_accents": True} | settings)
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


# The texts of the corpus on which the references themselves differ.
DIFFERENCES = {
    "private \ue000\U000f0000 use": "only tokenizers drops private use",
    "ΟΔΥΣΣΕΥΣ": "only the original has the final sigma",
    "ΟΔΟΣ ΑΣ. Σ ΑΣΑ ΑΣ'Α Α.Σ ΣΑΣ": "final sigma",
    "ΑΣ\u0301Β ΑΣ\u0301 Α\u00adΣ\u00ad ΑΣ-ΑΣ": "final sigma",
    "漢Σ ΑΣ漢Β": "final sigma",
    "Αʰ^Σ a\u0345·Σ": "final sigma",
    "ꟊ \ua7cb \ua7c0 \U00010570 \U00016e40": "a letter with lower case since Unicode 16 only",
    "\u0898\u0899 a\u089b \u1abfx \u180f": "marks that tokenizers does not know yet",
    "\u2e4f\u2e52 \u2e5b \u1b7d \U00011fff \U00016e97 \u061d": "so with punctuation",
    "\U00020000\U0002a6d6\U0002b820\U0002ceb0\U0002ebf0\U00030000":
        "tokenizers begins one range of ideographs at U+2B920, not U+2B820",
    "x" * 101: "over 100 characters", "x" * 200: "over 100", "e\u0301" * 101: "over 100",
    "한" * 34: "over 100 when decomposed",
}


def test_where_the_references_differ_is_known():
    pytest.importorskip("tokenizers")
    reference = rust(IDS)
    assert {text for text in HOSTILE if original(text, IDS) != reference.encode(
        text, add_special_tokens=False).tokens} == set(DIFFERENCES)


@given(st.text(st.sampled_from("ΣΣΣσςΑαaZ.'’-1 \t\u0301\u0345\u00ad\u200d\u2028ʰ漢\0^·")))
def test_final_sigmas_equal_the_original(text):
    model = WordPiece(ENTRIES, **GOOGLE)
    assert [ENTRIES[i] for i in model.ids(text)] == original(text, IDS)


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


@pytest.mark.parametrize(("part", "times"), [("x", 5_000_000), ("e\u0301", 10**6), ("Σ", 10**6),
                                             ("\u200b", 10**6)], ids=ascii)
def test_a_huge_word_takes_linear_time(part, times):
    model = WordPiece(["[UNK]", "x", "##x", "σ", "##σ"], **GOOGLE)
    start = time.process_time()
    assert model.ids(part * times) == ([0] if part != "\u200b" else [])
    assert time.process_time() - start < 15


def test_offsets_are_of_the_given_text():
    model = WordPiece(["[UNK]", "cafe", "##s", "\u1112\u1161\u11ab"])
    text = "\ufeff Cafe\u0301s 한!"
    ids, offsets = model.encode(text)
    assert [text[a:b] for a, b in offsets] == ["Cafe", "s", "한", "!"]
    assert ids == [1, 2, 3, 0]


def test_the_cache_changes_nothing_and_is_bounded(monkeypatch):
    monkeypatch.setattr("bertkit.text.models.wordpiece.CACHED_WORDS", 3)
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
    ({"lowercase": "yes"}, "setting lowercase is 'yes'; give one of type bool"),
    ({"longest_word": True}, "give one of type int"),
    ({"unknown": "<unk>"}, "vocabulary has no <unk>"),
])
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(Error, match=message):
        WordPiece(ENTRIES, **settings)

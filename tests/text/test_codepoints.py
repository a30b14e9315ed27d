"""The codepoint table, codepoint by codepoint, against both references."""

import itertools
import unicodedata

import numpy as np
import pytest
from text_references import is_ideograph, is_sign

from bertkit.errors import Error
from bertkit.text.unicode.codepoints import DELETED, ISOLATED, JOINED, SIZE, SPACE, Codepoints, codepoints, provenance

VARIANTS = list(itertools.product((False, True), repeat=2))        # lowercase, strip_accents
same_unicode = pytest.mark.skipif(
    f"Unicode {unicodedata.unidata_version}" not in provenance("google"),
    reason="the table is of another Unicode version than this Python")


def probes():
    """Every codepoint that some variant treats specially, and every 89th of the rest."""
    special = np.zeros(SIZE, bool)
    special[::89] = True
    for rules in ("huggingface", "google"):
        table = codepoints(rules, True, True)
        special |= table.kinds != JOINED
        special[[ord(c) for c in table.becomes]] = True
    special[0x4E10:0x9FF0] = special[0xAC10:0xD7A0] = special[0xD800:0xE000] = False
    special[0x20010:0x2A6D0] = special[0x2A710:0x2CEA0] = False
    return [chr(c) for c in np.flatnonzero(special)]


def faults(table, expected):
    """The codepoints c whose row, (kind, what c becomes), is not `expected(c)`."""
    def row(c):
        kind = table.kinds[ord(c)]
        return kind, None if kind == SPACE else table.becomes.get(c, c)

    return [c for c in probes() if row(c) != expected(c)]


def tokenizers_row(lowercase, strip_accents):
    """Return what asks the library `tokenizers` for the row of one codepoint."""
    tokenizers = pytest.importorskip("tokenizers")
    normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lowercase,
                                                       strip_accents=strip_accents)
    split = tokenizers.pre_tokenizers.BertPreTokenizer()

    def row(c):
        words = len(split.pre_tokenize_str(normalizer.normalize_str(f"0{c}0")))
        becomes = normalizer.normalize_str(c).strip(" ")
        if words == 2:
            return SPACE, None
        return (ISOLATED if words == 3 else JOINED if becomes else DELETED), becomes

    return row


def original_row(c):
    """Return the row of one codepoint by the uncased rules of the original code."""
    if c not in "\t\n\r" and unicodedata.category(c) in ("Cc", "Cf") or c == "\ufffd":
        return DELETED, ""
    if c.isspace():
        return SPACE, None
    kept = "".join(d for d in unicodedata.normalize("NFD", c.lower())
                   if unicodedata.category(d) != "Mn")
    if not kept:
        return DELETED, ""
    return (ISOLATED if is_ideograph(ord(c)) or is_sign(kept[0]) else JOINED), kept


@pytest.mark.parametrize(("lowercase", "strip_accents"), VARIANTS)
def test_huggingface_equals_the_library(lowercase, strip_accents):
    table = codepoints("huggingface", lowercase, strip_accents)
    assert faults(table, tokenizers_row(lowercase, strip_accents)) == []


@same_unicode
def test_google_equals_the_original_rules():
    assert faults(codepoints("google", True, True), original_row) == []


@same_unicode
def test_a_planted_fault_is_found():
    table = codepoints("google", True, True)
    wrong = Codepoints(table.kinds, table.becomes | {"É": "f"})
    assert faults(wrong, original_row) == ["É"]
    kinds = table.kinds.copy()
    kinds[ord("、")] = JOINED
    assert faults(Codepoints(kinds, table.becomes), original_row) == ["、"]


@pytest.mark.parametrize("rules", ["huggingface", "google"])
@pytest.mark.parametrize(("lowercase", "strip_accents"), VARIANTS)
def test_what_one_codepoint_becomes_is_all_of_one_kind(rules, lowercase, strip_accents):
    table = codepoints(rules, lowercase, strip_accents)
    plain = codepoints(rules, False, False)
    for c, text in table.becomes.items():
        kinds = {plain.kinds[ord(d)] for d in text}
        assert len(kinds) < 2 or table.kinds[ord(c)] == SPACE, ascii(c)
        assert len(text) < 2 or kinds == {JOINED}, ascii(c)


def test_surrogates_are_deleted():
    for rules in ("huggingface", "google"):
        assert (codepoints(rules, True, True, clean=False).kinds[0xD800:0xE000] == DELETED).all()


def test_unknown_rules_are_refused():
    with pytest.raises(Error, match="'elsewhere' are unknown; give one of huggingface, google"):
        codepoints("elsewhere", True, True)


def test_tokenizers_has_no_final_sigma():
    assert codepoints("huggingface", True, True).final_sigmas("ΑΣ") == "ΑΣ"
    assert codepoints("google", False, False).final_sigmas("ΑΣ") == "ΑΣ"
    assert codepoints("google", True, True).final_sigmas("ΑΣ") == "Ας"

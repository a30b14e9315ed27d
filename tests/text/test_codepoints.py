"""The codepoint table, codepoint by codepoint, against both references."""

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_references import _ideograph, _sign

from bertkit.errors import Error
from bertkit.text.codepoints import (DELETED, ISOLATED, JOINED, SIZE, SPACE, Codepoints, codepoints,
                                     provenance)

VARIANTS = list(itertools.product((False, True), repeat=2))        # lowercase, strip_accents
KINDS = {0: DELETED, 1: JOINED, 2: SPACE, 3: ISOLATED}
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
    """The codepoints c whose row does not say what `expected(c)` does: kind, and what c becomes."""
    return [c for c in probes() if (table.kinds[ord(c)], table.becomes.get(c, c)) != expected(c)]


def tokenizers_row(lowercase, strip_accents):
    """What the library `tokenizers` does to one codepoint, asked through its public face."""
    tokenizers = pytest.importorskip("tokenizers")
    normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lowercase,
                                                       strip_accents=strip_accents)
    split = tokenizers.pre_tokenizers.BertPreTokenizer()

    def row(c):
        becomes = normalizer.normalize_str(c)
        around = split.pre_tokenize_str(normalizer.normalize_str(f"0{c}0"))
        if len(around) == 2:
            return SPACE, becomes if becomes != " " else row_of_space(c)
        return (KINDS[len(around)] if becomes.strip() else DELETED), becomes.strip()

    def row_of_space(c):
        return codepoints("huggingface", lowercase, strip_accents).becomes.get(c, c)

    return row


def original_row(c):
    """What the uncased rules of the original code make of one codepoint."""
    if c not in "\t\n\r" and unicodedata.category(c) in ("Cc", "Cf") or c == "\ufffd":
        return DELETED, ""
    if c.isspace():
        return SPACE, codepoints("google", True, True).becomes.get(c, c)
    kept = "".join(d for d in unicodedata.normalize("NFD", c.lower())
                   if unicodedata.category(d) != "Mn")
    if not kept:
        return DELETED, ""
    return (ISOLATED if _ideograph(ord(c)) or _sign(kept[0]) else JOINED), kept


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


@same_unicode
@given(st.text(st.sampled_from("ΣΣΣσςΑαaZ.'’-1 \t\u0301\u0345\u00ad\u200d\u2028ʰ漢\0^·")))
def test_final_sigmas_are_those_of_lower_casing(text):
    table = codepoints("google", True, True)
    clean = "".join(c for c in text if c not in "\0\u00ad\u200d")
    words = "".join(f" {c} " if c == "漢" else c for c in clean).split()
    found = "".join(c for c in table.final_sigmas(text) if table.kinds[ord(c)] != SPACE)
    found = "".join(c for c in found if c not in "\0\u00ad\u200d")
    assert found.lower().replace("σ", "ς") == "".join(words).lower().replace("σ", "ς")
    final = [c == "ς" for c, given in zip(found, "".join(words), strict=True) if given == "Σ"]
    wanted = [c == "ς" for word in words for c, given in zip(word.lower(), word, strict=True)
              if given == "Σ"]
    assert final == wanted


def test_tokenizers_has_no_final_sigma():
    assert codepoints("huggingface", True, True).final_sigmas("ΑΣ") == "ΑΣ"
    assert codepoints("google", False, False).final_sigmas("ΑΣ") == "ΑΣ"
    assert codepoints("google", True, True).final_sigmas("ΑΣ") == "Ας"

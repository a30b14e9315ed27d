"""Normalisation against the library `tokenizers`: text and alignment of every step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece_references import RULES, STEPS, compiled, normalizer
from text_references import HOSTILE

from bertkit.errors import Error
from bertkit.text.unicode.charsmap import charsmap
from bertkit.text.unicode.normalize import Normalizer
from bertkit.text.unicode.tables import combining_classes, compositions, decompositions, members, provenance

CASES = STEPS | {name: [[name]] for name in ("nfc", "nfd", "nfkc", "nfkd", "accents", "lowercase")}
MARKS = [*combining_classes()][::9]
ALPHABET = st.one_of(
    st.sampled_from([*RULES, *"aeo `''\r\n\t\u0600\u06dd\u200d\u00a0ßİ가각한글각"]), st.sampled_from(MARKS),
    st.sampled_from(sorted(set("".join(HOSTILE)))), st.characters(exclude_categories=["Cs"]))
REMOVED = ["a\x01b", "a\x01\x01 b\x01", "A\x01é\x01\u0301\x01漢"]
texts = st.lists(ALPHABET, max_size=9).map("".join)


def reference(steps):
    """Return a function text -> the normalised text and where each of its characters is from."""
    tokenizers = pytest.importorskip("tokenizers")
    library = tokenizers.Tokenizer(tokenizers.models.WordLevel({"u": 0}, unk_token="u"))
    library.normalizer = normalizer(steps)
    library.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(r"[\s\S]"), "isolated")
    return lambda text: (library.normalizer.normalize_str(text), library.encode(text).offsets)


def agree(mine, wanted, text):
    found, sources = mine.aligned(text)
    assert found == mine(text) == wanted(text)[0], ascii(text)
    # The library counts wrong behind characters that are removed where a text or a longer form begins.
    if "\x01" not in text or text in REMOVED:
        assert [(i, i + 1) for i in sources] == wanted(text)[1], ascii(text)


PAIRS = {}


def pair(name):
    if name not in PAIRS:
        PAIRS[name] = Normalizer(CASES[name], charsmap(compiled(RULES))), reference(CASES[name])
    return PAIRS[name]


@pytest.mark.parametrize("name", CASES)
def test_hard_corpus_equals_tokenizers(name):
    for text in HOSTILE + REMOVED:
        agree(*pair(name), text)


@settings(max_examples=300, deadline=None)
@given(texts, st.sampled_from(sorted(CASES)))
def test_random_text_equals_tokenizers(text, name):
    agree(*pair(name), text)


def test_a_planted_fault_is_found():
    mine = Normalizer([["charsmap"]], charsmap(compiled(RULES)) | {"²": "3"})
    with pytest.raises(AssertionError):
        agree(mine, pair("charsmap")[1], "x²")


def test_characters_behind_a_removed_beginning_are_from_where_they_stand():
    assert pair("charsmap")[0].aligned("\x01ab") == ("ab", [1, 2])


@pytest.mark.parametrize(("text", "becomes"), [
    ("²\u0301", "2"),                         # a small cluster whose beginning is an entry
    ("²\u0301\u0302\u0303", "2\u0301\u0302\u0303"),        # six bytes
    ("e\u0301", "é"), ("\u0600e\u0301", "\u0600e\u0301"),  # a codepoint that goes with the one behind it
    ("\t\u0301", " \u0301"), ("\r\n", " ")])
def test_clusters(text, becomes):
    assert pair("charsmap")[0](text) == becomes


def probes():
    """Every codepoint that some table has, and every 89th of the rest."""
    special = np.zeros(0x110000, bool)
    special[::89] = True
    for name in ("accents", "extend", "prepend", "control"):
        special |= members(name)
    for table in (decompositions("canonical"), decompositions("compatibility"), combining_classes()):
        special[[ord(c) for c in table]] = True
    special[0xAC10:0xD7A0] = special[0xD800:0xE000] = False
    special[0xE0100:0xE0FFF] = False
    return [chr(c) for c in np.flatnonzero(special)]


def test_every_codepoint_equals_tokenizers():
    library = pytest.importorskip("tokenizers").normalizers
    for name, step in (("nfc", library.NFC()), ("nfkc", library.NFKC()), ("nfd", library.NFD()),
                       ("nfkd", library.NFKD()), ("accents", library.StripAccents())):
        mine = Normalizer([[name]])
        assert [c for c in probes() if mine(c) != step.normalize_str(c)] == [], name


def test_every_mark_has_its_place():
    library = pytest.importorskip("tokenizers").normalizers.NFD()
    mine = Normalizer([["nfd"]])
    for mark in combining_classes():
        for other in ("\u0334", "\u05b0", "\u0327", "\u0316", "\u0301", "\u0345"):
            text = "a" + mark + other + mark
            assert mine(text) == library.normalize_str(text), ascii(text)


def test_what_composes_is_what_decomposes():
    compose, decompose = Normalizer([["nfc"]]), Normalizer([["nfd"]])
    for two, one in compositions().items():
        assert compose(two) == one
        assert decompose(one) == decompose(two)


def test_the_tables_tell_their_version():
    assert "Unicode 16" in provenance()


@pytest.mark.parametrize("step", [["nothing"], ["replace", "a"], ["replace", "", "b"], ["nfc", "x"], "nfc", [], None,
                                  ["squeeze", 1], ["charsmap", "x"], [["nfc"]]])
def test_unknown_steps_are_refused(step):
    with pytest.raises(Error, match="is unknown; bertkit has nfc, nfd"):
        Normalizer([step])


def test_lone_surrogates_stay():
    assert pair("albert")[0]("A\ud800É²") == "a\ud800e2"

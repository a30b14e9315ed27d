"""Normalization form C in TensorFlow against unicodedata and against the form in Python, with alignment."""

import unicodedata

import pytest
from bytelevel_references import TEXTS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bertkit.text.unicode.normalize import Normalizer
from bertkit.text.unicode.tables import combining_classes, compositions, decompositions

tf = pytest.importorskip("tensorflow")
from bertkit.text.graph import nfc as graph_nfc  # noqa: E402
from bertkit.text.graph.nfc import UnicodeForm  # noqa: E402

OLD = {c for c in map(chr, range(0xD800)) if unicodedata.ucd_3_2_0.category(c) != "Cn"}       # known to every Python
PARTS = {part for pair in compositions() for part in pair}
KINDS = [sorted(OLD & set(kind)) for kind in (combining_classes(), PARTS, decompositions("canonical"))]
NFC = Normalizer([["nfc"]])
COMMON = "ae\u0301\u0323\u1161\u11a8\uac00x"
texts = st.text(st.one_of(*map(st.sampled_from, KINDS), st.sampled_from(COMMON)), max_size=10)


@pytest.fixture(scope="module")
def composed():
    """Return a function of texts: (text, where each character is from) of each, by the graph."""
    step = UnicodeForm("nfc")
    row = tf.TensorSpec([None], tf.int32)
    call = tf.function(step.__call__, input_signature=[row] * 3)

    def run(texts):
        text = tf.strings.unicode_decode(tf.constant(texts, tf.string), "UTF-8")
        places = tf.ragged.range(tf.cast(text.row_lengths(), tf.int32)).flat_values
        found = [("", []) for _ in texts]
        rows = tf.cast(text.value_rowids(), tf.int32)
        for code, row, place in zip(*map(list, call(text.flat_values, rows, places)), strict=True):
            before, sources = found[row]
            found[row] = before + chr(code), [*sources, int(place)]
        return found
    return run


@settings(max_examples=60, deadline=None)
@given(batch=st.lists(texts, min_size=1, max_size=8))
@example(batch=["\u0301", "\u0301e", "e", "\u0301"])
def test_random_marks(composed, batch):
    for text, found in zip(batch, composed(batch), strict=True):
        assert found[0] == unicodedata.normalize("NFC", text), ascii(text)
        wanted = NFC.aligned(text)
        assert found == (wanted.text, list(wanted.sources)), ascii(text)


def test_hard_corpus(composed):
    for text, found in zip(TEXTS, composed(TEXTS), strict=True):
        assert found == (NFC(text), list(NFC.aligned(text).sources)), ascii(text)


def test_a_planted_fault_is_found(composed, monkeypatch):
    text = "a\u0301\u0323"
    assert composed([text])[0][0] == unicodedata.normalize("NFC", text)
    monkeypatch.setattr(graph_nfc, "_order", lambda groups, classes: tf.range(tf.size(groups, tf.int64)))
    codes, _, _ = UnicodeForm("nfc")(tf.constant([*map(ord, text)]), tf.zeros([3], tf.int32), tf.range(3))
    assert "".join(map(chr, codes.numpy())) != unicodedata.normalize("NFC", text)

"""Words of raw text, and the pieces that cover them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.data.conll import read_conll
from bertkit.text.words import covering_pieces, join_words, words

MARKS = "aB9 \t\u00a0.,'\"()#@-\u2019\u4eac\u2014\u0301\u200b\n"
TEXTS = st.text(st.sampled_from(MARKS) | st.characters(), max_size=30)


@given(TEXTS)
def test_words_are_all_that_is_not_blank(text):
    spans = words(text)
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    ends = [0, *(end for _, end in spans)]
    assert all(before <= start < end for before, (start, end) in zip(ends, spans, strict=False))


@pytest.mark.parametrize("text, found", [
    ("Obama, who", ["Obama", ",", "who"]),
    ("in the U.S.A.)", ["in", "the", "U.S.A.", ")"]),
    ("J. K. Rowling's book.", ["J.", "K.", "Rowling", "'s", "book", "."]),
    ("Merkel\u2019s, \u00abBerlin\u00bb", ["Merkel", "\u2019s", ",", "\u00ab", "Berlin", "\u00bb"]),
    ("I 'm 's don't 'here'", ["I", "'m", "'s", "don't", "'", "here", "'"]),
    ("@paul #tag AT&T 50% new-york :-) ...", ["@paul", "#tag", "AT&T", "50%", "new-york", ":-)", "..."]),
    ("\u6771\u4eac\u3001Kyoto\u2014a", ["\u6771", "\u4eac", "\u3001", "Kyoto", "\u2014", "a"]),
    (" \t", []), ("", []), ("'s", ["'s"]),
])
def test_words_are_those_of_tagged_data(text, found):
    assert [text[start:end] for start, end in words(text)] == found


@pytest.mark.parametrize("file, share", [
    ("wnut17/wnut17train.conll", 0.992), ("uner_english_ewt/en_ewt-ud-dev.iob2", 0.998),
    ("wikineural/en/val.conllu", 0.999)])
def test_published_words_are_found_again(shared, file, share):
    same = total = 0
    for sentence in read_conll(shared(f"data/ner/{file}"), limit=2000).words:
        text, spans = join_words(sentence)
        same += len(set(spans) & set(words(text)))
        total += len(spans)
    assert same / total >= share


@given(st.lists(st.text(max_size=5), max_size=6))
def test_joined_words_are_slices_of_the_text(parts):
    text, spans = join_words(parts)
    assert text == " ".join(parts) and [text[start:end] for start, end in spans] == parts


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=12),
       st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9)), max_size=8))
def test_covering_pieces_are_those_that_share_a_character(steps, spans):
    offsets, at = [], 0
    for gap, size in steps:
        offsets.append((at + gap, at + gap + size))
        at += gap + size
    spans = [(start, start + size) for start, size in spans]
    for (start, end), first, last in zip(spans, *covering_pieces(offsets, spans), strict=True):
        shared = [i for i, (a, b) in enumerate(offsets) if set(range(a, b)) & set(range(start, end))]
        assert (first == -1) == (last == -1) == (not shared)
        assert not shared or (first, last) == (shared[0], shared[-1])

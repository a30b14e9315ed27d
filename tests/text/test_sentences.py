"""Sentences: the rules, one by one, and that no character of a text is lost or said twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.text.sentences import sentences

TEXTS = st.lists(st.sampled_from(["A", "b", " ", "  ", ".", "!", "?", "…", "\n", "\n\n", "Mr.", "J.", '"', "”", ")",
                                  "。", "Go", "é", "\t", "\u3000"]), max_size=30).map("".join)


def cut(text):
    return [text[start:end] for start, end in sentences(text)]


@given(st.one_of(TEXTS, st.text(max_size=60)))
def test_sentences_are_in_order_and_hold_all_but_blanks(text):
    spans = sentences(text)
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    assert all(end <= start and not text[end:start].strip() for end, start in zip(ends, starts, strict=True))
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in spans)


@pytest.mark.parametrize(("text", "wanted"), [
    ("", []), (" \n ", []), ("One", ["One"]), ("One. Two", ["One.", "Two"]),
    ("One! Two? Three…", ["One!", "Two?", "Three…"]),
    ("Mr. Fox ran. He hid.", ["Mr. Fox ran.", "He hid."]), ("By A. B. Lee. Then", ["By A. B. Lee.", "Then"]),
    ("The U.S. Army came. It", ["The U.S. Army came.", "It"]),
    ("It was so ... big. Yes", ["It was so ... big.", "Yes"]),
    ('"Why?" she asked. "No."', ['"Why?" she asked.', '"No."']),
    ("He said (twice.) Then left.", ["He said (twice.)", "Then left."]),
    ("A title\n\nA line\nthat goes on", ["A title", "A line\nthat goes on"]), ("at 3.5 or v1.2", ["at 3.5 or v1.2"]),
    ("一。二！三", ["一。", "二！", "三"]), ("Wait.\nNow.", ["Wait.", "Now."]), ("Mr.\n\nFox", ["Mr.", "Fox"]),
    ("The family left. Ok", ["The family left.", "Ok"]), ("यह एक है। यह दो॥ क्या?", ["यह एक है।", "यह दो॥", "क्या?"]),
    ("هل تفهم؟ نعم!؟ لا؟! كلا", ["هل تفهم؟", "نعم!؟", "لا؟!", "كلا"]),
    ("یہ ہے۔«ہاں۔» نہیں", ["یہ ہے۔", "«ہاں۔»", "نہیں"])])
def test_where_a_sentence_ends(text, wanted):
    assert cut(text) == wanted

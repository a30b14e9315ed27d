"""Windows against the loop of run_squad, a definition by brute force, and whole texts."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.template import bare, bert, roberta, truncated_lengths, xlnet
from bertkit.text.windows import Window, max_context, windows

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEMPLATES = {"bert": bert, "roberta": roberta, "xlnet": xlnet, "bare": lambda cls, sep: bare()}
TOKENIZERS = {name: Tokenizer(SPECIAL, template=template("[CLS]", "[SEP]").settings())
              for name, template in TEMPLATES.items()}
CASES = given(st.sampled_from(sorted(TEMPLATES)), st.integers(0, 70), st.none() | st.integers(0, 20),
              st.integers(8, 40), st.integers(1, 25))


def made(name, tokens, asked, length, stride):
    """Return a tokenizer, the ids of a text and of a query that has none of them, and the windows."""
    text = list(range(100, 100 + tokens))
    query = None if asked is None else list(range(10, 10 + asked))
    return TOKENIZERS[name], text, query, windows(TOKENIZERS[name], text, length, query, stride)


def run_squad_spans(tokens, room, stride):
    """Return (start, end) of each window as the published loop makes them; a text of nothing has one."""
    spans, start = [], 0
    while start < tokens:
        size = min(room, tokens - start)
        spans.append((start, start + size))
        if start + size == tokens:
            break
        start += min(size, stride)
    return spans or [(0, 0)]


@CASES
def test_spans_are_those_of_run_squad(name, tokens, asked, length, stride):
    tokenizer, text, query, cut = made(name, tokens, asked, length, stride)
    room = tokenizer.template.max_text_tokens(length, query is not None)
    if query is not None:
        room -= truncated_lengths(len(query), tokens, room)[0]
    assert [(window.start, window.end) for window in cut] == run_squad_spans(
        tokens, room, max(1, min(stride, room // 2)))


@CASES
def test_every_token_is_in_a_row_at_its_place(name, tokens, asked, length, stride):
    tokenizer, text, query, cut = made(name, tokens, asked, length, stride)
    ends = [0]
    for window in cut:
        ids, segments = window.row
        part = range(window.start, window.end)
        assert len(ids) == len(segments) <= length and window.start <= ends[-1]
        assert [ids[window.row_position(token)] for token in part] == text[window.start:window.end]
        expected = 0 if query is None or name == "roberta" else 1
        assert {segments[window.row_position(token)] for token in part} <= {expected}
        assert name == "bare" or ids[window.cls] == tokenizer.cls_id
        ends.append(window.end)
    assert ends[-1] == tokens and (len(ends) == 2 or ends[-2] < tokens)


@CASES
def test_rows_are_packed_as_texts_and_pairs_are(name, tokens, asked, length, stride):
    tokenizer, text, query, cut = made(name, tokens, asked, length, stride)
    if query is not None:
        query = query[:truncated_lengths(len(query), tokens, tokenizer.template.max_text_tokens(length, True))[0]]
    for window in cut:
        part = text[window.start:window.end]
        pair = (part,) if query is None else (query, part)
        assert window.row == tokenizer.pack_ids(*pair, length=1000)


@CASES
def test_a_text_that_fits_is_one_window(name, tokens, asked, length, stride):
    tokenizer, text, query, _ = made(name, tokens, asked, length, stride)
    cut = windows(tokenizer, text, 200, query, stride)
    assert [window.row for window in cut] == [
        tokenizer.pack_ids(*((text,) if query is None else (query, text)), length=200)]


def of_most_context(cut, token):
    """Return the window of a token by its definition."""
    def context(number):
        start, end = cut[number].start, cut[number].end
        return min(token - start, end - 1 - token) + Fraction(1, 100) * (end - start)

    holding = [i for i, window in enumerate(cut) if window.start <= token < window.end]
    return max(holding, key=context)        # of equal ones max gives the first


@CASES
def test_the_window_of_a_token_is_the_one_of_most_context(name, tokens, asked, length, stride):
    *_, cut = made(name, tokens, asked, length, stride)
    assert max_context(cut, tokens).tolist() == [of_most_context(cut, token) for token in range(tokens)]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=6))
def test_windows_of_any_size_are_weighed(spans):
    cut = [Window(None, min(span), max(span), 0, 0) for span in [*spans, (0, 20)]]
    assert max_context(cut, 20).tolist() == [of_most_context(cut, token) for token in range(20)]


def test_a_query_leaves_half_of_the_places_to_a_long_text():
    (first, *_) = windows(TOKENIZERS["bert"], list(range(100, 200)), 13, list(range(10, 40)))
    assert first.row[0] == [2, 10, 11, 12, 13, 14, 3, 100, 101, 102, 103, 104, 3]


def test_a_length_without_room_is_an_error():
    for query, length in ((None, 2), ([], 3), ([], 2)):
        with pytest.raises(Error, match=f"length={length} "):
            windows(TOKENIZERS["bert"], [7], length, query)
    assert len(windows(TOKENIZERS["bert"], [], 5, [10, 11, 12])) == 1

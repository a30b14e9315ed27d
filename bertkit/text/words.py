"""The words of a text, split as in data sets of tagged words, and the pieces of a tokenizer that cover them."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

# These are always words of their own: ideographs, as in BERT's own tokenization, the marks between them, and the dash.
_ALONE = ("\u2014\u3001-\u3003\u3008-\u301f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20"
          "\uff3b-\uff40\uff5b-\uff65\U00020000-\U0003ffff")
_EMOJI = "\u231a\u231b\u23e9-\u23fa\u2600-\u27bf\u2b05-\u2b55\U0001f000-\U0001faff"
_STRETCH = re.compile(rf"[{_ALONE}]|[{_EMOJI}][{_EMOJI}\u200d\u20e3\ufe0f\U000e0020-\U000e007f]*"
                      rf"|[^\s{_ALONE}{_EMOJI}]+")
_OPENING = re.compile(r"[\"\u201c\u201e\u00ab\u2039([{<\u00bf\u00a1]|['\u2018](?!\w{1,2}\b)")     # 's and 've are words
_CLITIC = re.compile(r"['\u2019][sS]\Z")
_SHORTENED = re.compile(r"(?:\w\.)+|(?:\w{1,2}\.){2,}")                                           # J. U.S. Ph.D.
_SIGNS = "@#&%*/\\"


def words(text: str, start: int = 0, end: int | None = None, convention: Any = None) -> list[tuple[int, int]]:
    """Return where the words of a text are.

    Blanks separate words. The punctuation marks around a run of letters or digits are words of their own, and so are a
    genitive 's, each ideograph and emoji that stand together. Marks inside such a run (hyphens, the dots of U.S.) stay
    in it, and marks among themselves stay together (":-)").

    Args:
        text: the text.
        start: where to begin.
        end: where to end; None takes the whole text.
        convention: a `Convention`, which knows words that keep the mark at their end and whether 's is a word; or None.

    Returns:
        A list of (start, end) in characters, in order.

    Example:
        >>> text = "(She left Anna's U.S. office...)"
        >>> [text[start:end] for start, end in words(text)]
        ['(', 'She', 'left', 'Anna', "'s", 'U.S.', 'office', '.', '.', '.', ')']
    """
    stretches = _STRETCH.finditer(text, start, len(text) if end is None else end)
    return [span for stretch in stretches for span in _split(text, *stretch.span(), convention)]


def join_words(parts: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Join words by single blanks.

    Args:
        parts: the words.

    Returns:
        The text, and the (start, end) of each word in characters.

    Example:
        >>> join_words(["New", "York"])
        ('New York', [(0, 3), (4, 8)])
    """
    spans, at = [], 0
    for part in parts:
        spans.append((at, at + len(part)))
        at += len(part) + 1
    return " ".join(parts), spans


def covering_pieces(offsets: Sequence[tuple[int, int]],
                    spans: Sequence[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last piece that cover each span.

    Args:
        offsets: (start, end) in characters of P pieces, in order.
        spans: (start, end) in characters of N words.

    Returns:
        Two int64 arrays [N]: the first and the last piece that hold a character of each span, -1 where none does.

    Example:
        >>> covering_pieces([(0, 3), (3, 6), (7, 9)], [(0, 6), (6, 7), (8, 9)])
        (array([ 0, -1,  2]), array([ 1, -1,  2]))
    """
    starts, ends = np.asarray(offsets, "int64").reshape(-1, 2).T
    begin, stop = np.asarray(spans, "int64").reshape(-1, 2).T
    pieces = np.append(np.flatnonzero(starts < ends), -1)         # some pieces stand for no character
    first = np.searchsorted(ends[pieces[:-1]], begin, side="right")
    last = np.searchsorted(starts[pieces[:-1]], stop, side="left") - 1
    covered = (first <= last) & (begin < stop)
    return np.where(covered, pieces[first], -1), np.where(covered, pieces[last], -1)


def _split(text, start, end, convention):
    """Return the words of a stretch without blanks."""
    if not any(map(str.isalnum, text[start:end])):
        return [(start, end)]
    before, after = [], []
    while _OPENING.match(text, start, end):
        before.append((start, start + 1))
        start += 1
    while _closes(text, start, end) and not (convention and convention.is_whole(text[start:end])):
        after.append((end - 1, end))
        end -= 1
    clitic = _CLITIC.search(text, start, end) if convention is None or convention.genitive else None
    if clitic and clitic.start() > start:
        after.append((clitic.start(), end))
        end = clitic.start()
    return [*before, (start, end), *after[::-1]]


def _closes(text, start, end):
    """Return whether the last character of a word is a mark behind it."""
    last = text[end - 1]
    if last == "." and _SHORTENED.fullmatch(text, start, end):
        return False
    return last in "\">" or unicodedata.category(last) in ("Pe", "Pf", "Po") and last not in _SIGNS

"""The words of a text, split as in data sets of tagged words, and the pieces of a tokenizer that cover them."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

# These are always words of their own: ideographs, as in BERT's own tokenization, the marks between them, and the dash.
_ALONE = ("\u2014\u3001-\u3003\u3008-\u301f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20"
          "\uff3b-\uff40\uff5b-\uff65\U00020000-\U0003ffff")
_STRETCH = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")
_OPENING = re.compile(r"[\"\u201c\u201e\u00ab\u2039([{<\u00bf\u00a1]|['\u2018](?!\w{1,2}\b)")     # 's and 've are words
_CLITIC = re.compile(r"['\u2019][sS]\Z")
_SHORTENED = re.compile(r"(?:\w\.)+|(?:\w{1,2}\.){2,}")                                           # J. U.S. Ph.D.
_SIGNS = "@#&%*/\\"


def words(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text are.

    Blanks separate words. The punctuation marks around a run of letters or digits are words of their own, and so are a
    genitive 's and each ideograph. Marks inside such a run (hyphens, the dots of U.S.) stay in it, and marks among
    themselves stay together (":-)").

    Args:
        text: the text.

    Returns:
        A list of (start, end) in characters, in order.

    Example:
        >>> text = "(She left Anna's U.S. office...)"
        >>> [text[start:end] for start, end in words(text)]
        ['(', 'She', 'left', 'Anna', "'s", 'U.S.', 'office', '.', '.', '.', ')']
    """
    return [span for stretch in _STRETCH.finditer(text) for span in _split(text, *stretch.span())]


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


def _split(text, start, end):
    """Return the words of a stretch without blanks."""
    if not any(map(str.isalnum, text[start:end])):
        return [(start, end)]
    before, after = [], []
    while _OPENING.match(text, start, end):
        before.append((start, start + 1))
        start += 1
    while _closes(text, start, end):
        after.append((end - 1, end))
        end -= 1
    clitic = _CLITIC.search(text, start, end)
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

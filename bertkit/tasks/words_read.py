"""How an input of a tagger is read: words as they are given, raw text in units that may be parts of words."""

from itertools import groupby
from typing import Any, NamedTuple

from bertkit.text.convention import Convention, at_apostrophes, is_unbroken
from bertkit.text.words import covering_pieces, join_words, words


class ReadWords(NamedTuple):
    """A text as the model reads it, and where the units are that get a tag.

    Args:
        encoded: The text that is made into pieces.
        spans: (start, end) of each unit in it.
        own: (start, end) of each unit in the text that was given.
        words: The number of each unit's word, where words may fall into several; else None.
    """

    encoded: str
    spans: list[tuple[int, int]]
    own: list[tuple[int, int]]
    words: list[int] | None = None


def read_words(given: Any, convention: Convention | None) -> ReadWords:
    """Read an input: words as they are, raw text as the training data part words.

    Args:
        given: A list of words, or a text; bytes are UTF-8.
        convention: How the training data part words, where that is known.

    Returns:
        The `ReadWords`.
    """
    given = given.decode("utf-8", errors="replace") if isinstance(given, bytes) else given
    if not isinstance(given, str):
        text, spans = join_words(given)
        return ReadWords(text, spans, spans)
    if convention is not None:              # with the blanks that the words of the training data had between them
        own = convention.words(given)
        text, spans = join_words([given[start:end] for start, end in own])
        return ReadWords(text, spans, own)
    parts = [at_apostrophes(given, *word) for word in words(given)]
    own = [span for part in parts for span in part]
    return ReadWords(given, own, own, [number for number, part in enumerate(parts) for _ in part])


def in_pieces(read: ReadWords, offsets: Any) -> ReadWords:
    """Give a unit to each piece of Thai, Khmer and the like, where a run may be several words.

    Args:
        read: A raw text.
        offsets: (start, end) of each of its pieces.

    Returns:
        The `ReadWords` with more units.
    """
    if read.words is None:
        return read
    spans: list[tuple[int, int]] = []
    numbers: list[int] = []
    for span, number in zip(read.spans, read.words, strict=True):
        inside = [span]
        if is_unbroken(read.encoded[slice(*span)]):
            first, last = (int(piece[0]) for piece in covering_pieces(offsets, [span]))
            pieces = [offsets[piece] for piece in range(first, last + 1)] if first >= 0 else []
            inside = [(max(start, span[0]), min(end, span[1])) for start, end in pieces if start < end] or [span]
        spans += inside
        numbers += [number] * len(inside)
    return ReadWords(read.encoded, spans, spans, numbers)


def whole_words(read: ReadWords) -> list[tuple[int, int]]:
    """Return where each word is in the text that was given.

    Args:
        read: The text.

    Returns:
        (start, end) of each.
    """
    if read.words is None:
        return read.own
    groups = [list(group) for _, group in groupby(range(len(read.own)), key=read.words.__getitem__)]
    return [(read.own[units[0]][0], read.own[units[-1]][1]) for units in groups]

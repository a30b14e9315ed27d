"""Texts that were annotated with brat: a folder with NAME.txt and NAME.ann beside it."""

import re
from collections.abc import Iterator
from pathlib import Path

from bertkit.data.lines import BadRow
from bertkit.data.spans import Span, tagged_words
from bertkit.errors import Error
from bertkit.files.bounded import content

_ENTITY = re.compile(r"T\d+\t(\S+) (\d+) (\d+)(?:\t(.*))?")


def is_brat(path: Path) -> bool:
    """Return whether a folder holds texts with brat's annotations.

    Args:
        path: The folder.

    Returns:
        Whether there is an .ann file.
    """
    return path.is_dir() and any(path.rglob("*.ann"))


def brat_sentences(folder: Path) -> Iterator[tuple[int, tuple[list[str], list[str]] | BadRow]]:
    """Yield (number of the file, (words, tags)), or a `BadRow`, of each line of text that is not blank.

    A line of a text is a sentence: brat shows one a line. Entities alone are read, no relations, events or notes.

    Args:
        folder: The folder.

    Yields:
        The sentences.
    """
    for number, path in enumerate(sorted(folder.rglob("*.ann")), start=1):
        try:
            text = _read(number, path.with_suffix(".txt"))
            spans = list(_entities(number, path))
            yield from ((number, found) for found in _lines(number, path, text, spans))
        except BadRow as bad:
            yield number, bad


def _read(number, path):
    try:
        return content(path).decode("utf-8")
    except (Error, UnicodeDecodeError) as error:
        raise BadRow(number, f"{path.name} cannot be read ({error!s:.80})") from None


def _entities(number, path):
    for line in _read(number, path).split("\n"):
        if not line.startswith("T"):
            continue
        found = _ENTITY.fullmatch(line.removesuffix("\r"))
        if found is None:
            raise BadRow(number, f"{path.name}: {line!r:.60} is no entity of one piece (T1, tab, TYPE START END, tab, "
                                 "text)")
        yield Span(int(found[2]), int(found[3]), found[1], found[4])


def _lines(number, path, text, spans):
    """Yield the words and tags of each line of a text."""
    start, left = 0, len(spans)
    for line in text.split("\n"):
        end = start + len(line)
        inside = [span for span in spans if start <= span.start and span.end <= end]
        left -= len(inside)
        if line.strip():
            yield tagged_words(number, line, [span._replace(start=span.start - start, end=span.end - start)
                                              for span in inside])
        start = end + 1
    if left:
        raise BadRow(number, f"{path.name}: {left} entities go over a line end or lie outside of the text")

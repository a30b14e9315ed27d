"""Sentences whose entities are marked in the text: "I saw <PER>Anna</PER> in <ENAMEX TYPE="CITY">Rome</ENAMEX>"."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bertkit.data.lines import BadRow, Lines, check_text, encoded_form, open_bytes
from bertkit.data.sentences import TAG
from bertkit.data.spans import Span, tagged_words

FORM = "text with markers"
_HEAD = 2000                    # a file is recognised from so many lines
_PAIR = re.compile(r"<([A-Za-z][\w.:-]*)(?:\s[^<>]*)?>[^<]*</\1\s*>")
_MARK = re.compile(r"""<(/?)([A-Za-z][\w.:-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))*)\s*(/?)>"""
                   r"|<[?!][^<>]*>|&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")
_TYPE = re.compile(r"""(?:^|\s)(?:type|label|class|category)\s*=\s*(?:"([^"]+)"|'([^']+)')""", re.IGNORECASE)
# Elements that say where a text, a paragraph or a sentence is; whatever else is marked is an entity.
_PARTS = {"s", "p", "sent", "sentence", "text", "txt", "doc", "document", "docs", "documents", "dataset", "corpus",
          "root", "body", "head", "headline", "title", "xml", "article", "par", "para", "paragraph", "section", "div",
          "item", "docid", "docno", "annotation", "annotations", "sentences", "line", "html"}
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def has_markers(text: Any) -> bool:
    """Return whether a part of a text is marked: it stands between <NAME> and </NAME>.

    Args:
        text: The text.

    Returns:
        Whether it is.

    >>> has_markers("I saw <PER>Anna</PER>"), has_markers("a <b and c> b"), has_markers("<s>I saw Anna</s>")
    (True, False, False)
    """
    return isinstance(text, str) and any(found[1].lower() not in _PARTS for found in _PAIR.finditer(text))


def is_marked(path: Path) -> bool:
    """Return whether a file holds a sentence a line with marked entities, and no columns of words and tags.

    Args:
        path: The file.

    Returns:
        Whether every tenth line at least has a marker, and most lines do not end in a tag.
    """
    with open_bytes(path) as file:
        check_text(path, file, "text")
        head = [line.decode("utf-8", "replace").strip() for line in islice(file, _HEAD)]
    full = [line for line in head if line]
    marked, tags = sum(map(has_markers, full)), sum(bool(TAG.fullmatch(line.split()[-1])) for line in full)
    return 10 * marked >= max(len(full), 1) and 2 * tags < len(full)


def marked_lines(path: Path) -> Iterator[tuple[int, tuple[list[str], list[str]] | BadRow]]:
    """Yield (line, (words, tags in IOB2)), or a `BadRow`, of each line that holds text.

    Args:
        path: The file.

    Yields:
        The sentences.
    """
    with open_bytes(path) as file:
        lines = Lines(file)
        while True:
            found: Any
            try:
                text = next(lines)
                found = marked_words(lines.number, text.removesuffix("\n").removesuffix("\r"))
            except StopIteration:
                return
            except BadRow as bad:
                found = bad
            if isinstance(found, BadRow) or found[0]:
                yield lines.number, found


def marked_form(path: Path) -> str:
    """Return what a message calls a file of marked lines.

    Args:
        path: The file.

    Returns:
        The form, with the encoding where it is not UTF-8.
    """
    return encoded_form(path, FORM)


def marked_words(line: int, text: str) -> tuple[list[str], list[str]]:
    r"""Return the words of a text with markers, and their tags in IOB2.

    The type of an entity is the attribute TYPE (or label, class, category) of its marker, else the marker's name.
    Markers of texts, paragraphs and sentences (s, p, doc, text ...) and comments are left out; &lt; &gt; &amp; and the
    like are the characters that they stand for. What is no marker ("a < b", "<3") is text.

    Args:
        line: The line, for errors.
        text: The text.

    Returns:
        (words, tags).

    Raises:
        BadRow: when a marker is not closed in its line, or stands inside another one.

    >>> marked_words(1, 'I saw <ENAMEX TYPE="PERSON">Anna</ENAMEX> in <LOC>Rome</LOC>.')
    (['I', 'saw', 'Anna', 'in', 'Rome', '.'], ['O', 'O', 'B-PERSON', 'O', 'B-LOC', 'O'])
    """
    plain, spans, begun, place = "", [], None, 0
    for mark in _MARK.finditer(text):
        plain, place = plain + text[place:mark.start()], mark.end()
        if mark[0].startswith("&"):
            plain += _character(mark[0][1:-1])
        elif mark[2] is None or mark[2].lower() in _PARTS or mark[4]:
            continue
        elif not mark[1] and begun is None:
            begun = (len(plain), mark[2], _kind(mark))
        elif mark[1] and begun is not None and begun[1] == mark[2]:
            if plain[begun[0]:].strip():
                spans.append(Span(begun[0], len(plain), begun[2]))
            begun = None
        else:
            raise BadRow(line, f"{mark[0]!r:.40} {_trouble(mark, begun)}")
    if begun is not None:
        raise BadRow(line, f"<{begun[1]:.40}> is not closed in its line")
    return tagged_words(line, plain + text[place:], spans)


def _trouble(mark, begun):
    if begun is None:
        return "closes what was not opened in its line"
    return f"stands inside <{begun[1]:.40}>, and a word has one tag" if not mark[1] else f"closes <{begun[1]:.40}>"


def _kind(mark):
    found = _TYPE.search(mark[3])
    return "_".join((found[1] or found[2] if found else mark[2]).split())


def _character(name):
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    number = int(name[2:], 16) if name[1] == "x" else int(name[1:])
    return chr(number) if number < 0x110000 and not 0xd800 <= number < 0xe000 else f"&{name};"

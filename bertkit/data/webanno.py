"""Sentences that WebAnno and INCEpTION export as WebAnno TSV 3: sentence-token, characters, word, layers."""

import re
from collections.abc import Iterator
from pathlib import Path

from bertkit.data.columns import Columns
from bertkit.data.lines import BadRow, Lines, open_bytes
from bertkit.data.sentences import TAG, iob2
from bertkit.errors import Error

FORM = b"#FORMAT=WebAnno TSV 3"
_FIRST = 3                  # columns before the layers'
_NUMBER = re.compile(r"\[(\d+)\]$")


def is_webanno(path: Path) -> bool:
    """Return whether a file begins as WebAnno TSV 3 does.

    Args:
        path: The file.

    Returns:
        Whether it does.
    """
    with open_bytes(path) as file:
        return file.peek(64).removeprefix(b"\xef\xbb\xbf").startswith(FORM)


def webanno_sentences(path: Path, columns: Columns) -> tuple[str, Iterator[tuple[int, list[str], list[str]]]]:
    """Return the name of the layer's feature that is read, and the sentences.

    Args:
        path: The file.
        columns: `tag` names the feature ("value") or its column's number from 1.

    Returns:
        (name, an iterator of (line, words, tags in IOB2), or (line, `BadRow`, None)).

    Raises:
        Error: when several features could be the tag and no flag decides.
    """
    with open_bytes(path) as file:
        rows = list(_rows(Lines(file)))
    layers = [text for _, text in rows if text.startswith("#T_SP=")]
    features = [f"{layer[6:].split('|')[0].rsplit('.', 1)[-1]}.{feature}"
                for layer in layers for feature in layer.rstrip()[6:].split("|")[1:]]
    words = [(line, text.split("\t")) for line, text in rows if re.match(r"\d+-\d+\t", text)]
    place = _feature(path, features, [fields for _, fields in words], columns.tag)
    name = features[place - _FIRST] if place - _FIRST < len(features) else f"column {place + 1}"
    return name, _sentences(rows, place)


def _rows(lines):
    for text in lines:
        yield lines.number, text.rstrip("\r\n")


def _feature(path, features, words, tag):
    """Return the column of the feature that is read: of those that hold something, the one that flags or names say."""
    width = max(map(len, words), default=0)
    used = [place for place in range(_FIRST, width)
            if any(len(fields) > place and fields[place] not in ("", "_", "O") for fields in words)]
    names = {place: features[place - _FIRST] if place - _FIRST < len(features) else f"column {place + 1}"
             for place in used}
    if tag is not None:
        chosen = [place for place in used if tag in (str(place + 1), names[place], names[place].rsplit(".", 1)[-1])]
    else:
        chosen = [place for place in used if names[place].lower() == "namedentity.value"] or used
    if len(chosen) == 1:
        return chosen[0]
    listed = ", ".join(f"{place + 1} ({name})" for place, name in names.items()) or "none"
    raise Error(f"{path}: which column holds the tags cannot be told, those with annotations are {listed}; say it "
                "with --tag NUMBER.")


def _sentences(rows, place):
    line, sentence = 0, []
    for number, text in [*rows, (0, "")]:
        if re.match(r"\d+-\d+(\.\d+)?\t", text):
            line = line or number
            sentence.append((number, text.split("\t")))
        elif not text.strip() and sentence:
            yield (line, *_tagged(line, sentence, place))
            line, sentence = 0, []


def _tagged(line, sentence, place):
    """Return the words and tags of a sentence; (BadRow, None) where a word has several or a part of one is marked."""
    words, tags, before = [], [], None
    for number, fields in sentence:
        value = fields[place] if len(fields) > place else ""
        if "." in fields[0]:
            if value not in ("", "_"):
                return BadRow(number, f"a part of a word is marked ({fields[2]!r:.40}), and tags are of words"), None
            continue
        if re.search(r"(?<!\\)\|", value):
            return BadRow(number, f"the word {fields[2]!r:.40} has several annotations ({value!r:.40})"), None
        value = re.sub(r"\\(.)", r"\1", value)
        numbered = _NUMBER.search(value)
        kind, key = (value[:numbered.start()], numbered[1]) if numbered else (value, None)
        words.append(fields[2])
        if kind in ("", "_", "O"):
            tags.append("O")
            before = None
            continue
        if TAG.fullmatch(kind):                         # written with prefixes
            tags.append(kind)
        else:
            kind = "_".join(kind.replace("*", "entity").split())
            tags.append(f"{'I' if key is not None and before == (kind, key) else 'B'}-{kind}")
        before = (kind, key)
    return words, iob2(tags)

"""Entities that are marked as characters of a text, as words with their tags."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bertkit.data.lines import BadRow
from bertkit.data.sentences import OUTSIDE
from bertkit.text.words import words

# Keys under which rows that are labelled in doccano keep what it does not say: how places count, that each row has one
# label.
UTF16_KEY, SINGLE_KEY = "bertkit_offsets", "bertkit_single"


class Span(NamedTuple):
    """An entity in a text.

    Args:
        start: Its first character, from 0.
        end: The character after its last one.
        label: Its type.
        text: What the tool says stands there; None where it says nothing.
    """

    start: int
    end: int
    label: str
    text: str | None = None


def tagged_words(line: int, text: str, spans: Sequence[Span]) -> tuple[list[str], list[str]]:
    """Return the words of a text and their tags in IOB2.

    Words are those that `predict` finds in a text; where an entity begins or ends inside one, it is parted there.
    Blanks at the ends of an entity do not count.

    Args:
        line: The line, for errors.
        text: The text.
        spans: Its entities, in any order.

    Returns:
        (words, tags).

    Raises:
        BadRow: when an entity lies outside of the text, is blank, is not what the tool says that it is, or overlaps
            another one.

    >>> tagged_words(1, "in Rome.", [Span(3, 7, "LOC")])
    (['in', 'Rome', '.'], ['O', 'B-LOC', 'O'])
    """
    placed = sorted(_placed(line, text, span) for span in dict.fromkeys(spans))
    for one, other in zip(placed, placed[1:], strict=False):
        if other.start < one.end:
            raise BadRow(line, f"the entities {text[one.start:one.end]!r:.40} ({one.label}) and "
                               f"{text[other.start:other.end]!r:.40} ({other.label}) overlap, and a word has one tag")
    ends = sorted({place for span in placed for place in (span.start, span.end)})
    parts = [part for bounds in words(text) for part in _parted(*bounds, ends)]
    tags, place = [], 0
    for start, end in parts:
        while place < len(placed) and placed[place].end <= start:
            place += 1
        inside = place < len(placed) and placed[place].start <= start and end <= placed[place].end
        tags.append(f"{'B' if placed[place].start == start else 'I'}-{placed[place].label}" if inside else OUTSIDE)
    return [text[start:end] for start, end in parts], tags


def _placed(line, text, span):
    """Return a span without blanks at its ends, in code points of Python."""
    start, end = span.start, span.end
    if span.text is not None and text[start:end].strip() != span.text.strip():
        start, end = (python_place(text, place) for place in (start, end))
        if text[start:end].strip() != span.text.strip():
            raise BadRow(line, f"the entity {span.text!r:.40} does not stand at character {span.start}, "
                               f"{text[span.start:span.end]!r:.40} does")
    if not 0 <= start < end <= len(text) or not text[start:end].strip():
        raise BadRow(line, f"the entity of type {span.label!r:.40} from {span.start} to {span.end} holds nothing: the "
                           f"text has {len(text)} characters")
    found = text[start:end]
    return Span(start + len(found) - len(found.lstrip()), end - len(found) + len(found.rstrip()), span.label)


def utf16_place(text: str, place: int) -> int:
    """Return a place in a text as JavaScript counts it: an emoji, and what else lies beyond U+FFFF, is two.

    Args:
        text: The text.
        place: The place in code points.

    Returns:
        The place in units of UTF-16.

    >>> utf16_place("😀 Anna", 2)
    3
    """
    return len(text[:place].encode("utf-16-le", "surrogatepass")) // 2


def python_place(text: str, place: int) -> int:
    """Return a place that JavaScript counted as Python counts it.

    Args:
        text: The text.
        place: The place in units of UTF-16.

    Returns:
        The place in code points; beyond the text, as far beyond it.

    >>> python_place("😀 Anna", 3)
    2
    """
    units = text.encode("utf-16-le", "surrogatepass")
    return len(units[:2 * max(place, 0)].decode("utf-16-le", "ignore")) + max(place - len(units) // 2, 0)


def unit_of_places(text: str, spans: Sequence[Span]) -> str | None:
    """Return how the places of entities count, where only one way lets all of them begin and end between words.

    Args:
        text: The text.
        spans: The entities.

    Returns:
        "code points" or "UTF-16"; None where both fit, or none does.

    >>> unit_of_places("😀 Anna left", [Span(3, 7, "PER")])
    'UTF-16'
    """
    fits = {"code points": all(_is_whole(text, span.start, span.end) for span in spans),
            "UTF-16": all(_is_whole(text, python_place(text, span.start), python_place(text, span.end))
                          for span in spans)}
    found = [unit for unit, fit in fits.items() if fit]
    return found[0] if len(found) == 1 else None


def _is_whole(text, start, end):
    """Return whether a stretch holds text, no blanks at its ends, and no part of a word."""
    inside = text[start:end] if 0 <= start < end <= len(text) else ""
    cut = any(0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum() for place in (start, end))
    return bool(inside) and inside == inside.strip() and not cut


def _parted(start, end, places):
    """Yield the parts of a word that stand between places."""
    for place in [place for place in places if start < place < end]:
        yield start, place
        start = place
    yield start, end


def span_of(line: int, value: Any) -> Span:
    """Return the entity that a tool wrote as [start, end, label] or as an object.

    Args:
        line: The line, for errors.
        value: The JSON value: doccano's, Prodigy's, spaCy's or Label Studio's.

    Returns:
        The `Span`.

    Raises:
        BadRow: when it is none of these.
    """
    try:
        if isinstance(value, list):
            start, end, label = value
            return Span(int(start), int(end), _label(label))
        start = next(value[name] for name in ("start", "start_offset", "startOffset", "start_char") if name in value)
        end = next(value[name] for name in ("end", "end_offset", "endOffset", "end_char") if name in value)
        label = next(value[name] for name in ("label", "labels", "type", "tag", "entity") if name in value)
        text = value.get("text")
        return Span(int(start), int(end), _label(label), text if isinstance(text, str) else None)
    except (TypeError, ValueError, StopIteration):
        raise BadRow(line, f"{value!r:.60} is no entity with start, end and label") from None


def _label(value):
    """Return the one label of an entity."""
    values = value if isinstance(value, list) else [value]
    if len(values) != 1 or not isinstance(values[0], str) or not values[0].strip():
        raise ValueError(value)
    return "_".join(values[0].split())

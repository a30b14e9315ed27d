"""Entities that are marked as characters of a text, as words with their tags."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bertkit.data.lines import BadRow
from bertkit.data.sentences import OUTSIDE
from bertkit.text.words import words


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
        # JavaScript counts an emoji as two.
        start, end = (len(text.encode("utf-16-le", "surrogatepass")[:2 * place].decode("utf-16-le", "ignore"))
                      for place in (start, end))
        if text[start:end].strip() != span.text.strip():
            raise BadRow(line, f"the entity {span.text!r:.40} does not stand at character {span.start}, "
                               f"{text[span.start:span.end]!r:.40} does")
    if not 0 <= start < end <= len(text) or not text[start:end].strip():
        raise BadRow(line, f"the entity of type {span.label!r:.40} from {span.start} to {span.end} holds nothing: the "
                           f"text has {len(text)} characters")
    found = text[start:end]
    return Span(start + len(found) - len(found.lstrip()), end - len(found) + len(found.rstrip()), span.label)


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

"""What the cells of a label column hold: one label, lists of labels in any spelling, vectors of 0 and 1, no label."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from bertkit.data.lines import BadRow, NoRow
from bertkit.data.values import Number, json_type

# What pandas, R, spreadsheets and databases write where there is no value (pandas.read_csv, `na_values`).
MISSING = {"nan", "-nan", "null", "<na>", "n/a", "#n/a", "#na", "nat", "1.#ind", "-1.#ind"}
# These may be classes as well: they are read as what they are, and said.
DOUBTFUL = {"none", "na", "-1", "unknown", "?", "-", ""}
_QUOTED = r"'(?:[^'\\]|\\.)*'" + r'|"(?:[^"\\]|\\.)*"'
_NUMBER = r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?"
_ITEM = re.compile(rf"\s*({_QUOTED}|{_NUMBER})\s*(,|$)")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u(?!d[89a-f])[0-9a-f]{4}|.)", re.DOTALL | re.IGNORECASE)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_LONGEST = 100_000          # characters of a cell that is looked at; a longer one is a text


class Choices(list):
    """Labels that Label Studio wrote as {"choices": [...]}; in such a column a cell of one label is written bare."""


def label_cell(line: int, column: str, value: Any, separator: str | None = None) -> Any:
    """Return the label in a cell, or the list of labels.

    A list is one in JSON, a separated cell, or a text that Python, JSON or Label Studio wrote of a list: "['a', 'b']".

    Args:
        line: The line, for errors.
        column: The name of the column.
        value: What the cell holds.
        separator: What stands between the labels in a cell; None where nothing does.

    Returns:
        A str, or a list of str.

    Raises:
        BadRow: when there is no label, or none that can be read.

    >>> label_cell(1, "terms", "['cs.CV', 'cs.LG']"), label_cell(1, "label", " pos ")
    (['cs.CV', 'cs.LG'], 'pos')
    """
    if isinstance(value, str) and not isinstance(value, Number):
        value = _list_in(line, column, value.strip()) or value
        if separator is not None and isinstance(value, str):
            value = value.strip().split(separator) if value.strip() else []
    elif isinstance(value, dict) and isinstance(value.get("choices"), list):
        value = Choices(value["choices"])
    if isinstance(value, Empty):
        value = []
    if not isinstance(value, list):
        return _one(line, column, value)
    return type(value)(_one(line, column, part) for part in value)


class Empty:
    """A list without a label."""


def _one(line, column, value):
    """Return a label without surrounding blanks."""
    if isinstance(value, bool):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise BadRow(line, f"column {column!r}: {json_type(value)} came where a label was wanted")
    text = value.strip()
    # SNLI and MNLI write "-" where the annotators did not agree.
    if not text or (text == "-" and column == "gold_label"):
        raise NoRow(line, f"column {column!r}: the label is empty")
    return Number(text) if isinstance(value, Number) else text


def _list_in(line, column, text):
    """Return the list that a text is the spelling of; None where it is none."""
    if len(text) < 2 or len(text) > _LONGEST or _BRACKETS.get(text[0]) != text[-1]:
        return None
    if text.startswith("{") and '"choices"' in text:
        return _choices(line, column, text)
    inside, items = text[1:-1].strip(), []
    place = 0
    while place < len(inside):
        item = _ITEM.match(inside, place)
        if item is None:
            return _unreadable(line, column, text, inside)
        items.append(Number(item[1]) if item[1][0] not in "'\"" else _unquoted(item[1]))
        place = item.end()
    return items or Empty()


def _unquoted(item):
    """Return the text in quotes, as JSON or Python spells it."""
    if item[0] == '"':
        with suppress(ValueError):
            return json.loads(item)
    return _ESCAPE.sub(_character, item[1:-1])


def _character(escape):
    name = escape[1]
    return chr(int(name[1:], 16)) if len(name) > 1 else _ESCAPES.get(name, escape[0])


def _choices(line, column, text):
    try:
        return Choices(json.loads(text)["choices"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadRow(line, f"column {column!r}: {text!r:.60} is no JSON of choices") from None


def _unreadable(line, column, text, inside):
    """Return None for a name in brackets, such as [OTHER]; raise BadRow for what numpy or another printed of a list."""
    if inside[0] in "'\"" or re.fullmatch(rf"(?:{_NUMBER}\s+)+{_NUMBER}", inside) or inside.startswith("array("):
        raise BadRow(line, f"column {column!r}: {text!r:.60} is a list that cannot be read; write it as JSON, "
                           "[\"a\", \"b\"], or with one separator and --separator")
    return


def settled(column: str, lines: Sequence[int], labels: list[Any]) -> tuple[list[Any], dict[int, BadRow], str | None]:
    """Return the labels of a whole column in one form.

    Vectors of 0 and 1, all of one length, as `transformers` takes several labels a row, become the names of the places
    that hold 1: "0", "1", ...

    Args:
        column: The name of the column.
        lines: The line of each row.
        labels: What `label_cell` returned of each.

    Returns:
        (the labels, {row: why it cannot be used}, a sentence on what was read so, or None).

    >>> settled("labels", [1, 2], [[Number("1.0"), Number("0.0")], [Number("1.0"), Number("1.0")]])[0]
    [['0'], ['0', '1']]
    """
    if any(isinstance(label, Choices) for label in labels):
        labels = [list(label) if isinstance(label, list) else [label] for label in labels]
    bad = {}
    several = bool(labels) and isinstance(labels[0], list)
    for row, label in enumerate(labels):
        if isinstance(label, list) != several:
            bad[row] = BadRow(lines[row], f"column {column!r}: a list of labels and a single label came in one file")
        elif several and (shares := [part for part in label if _is_fraction(part)]):
            bad[row] = BadRow(lines[row], f"column {column!r}: the list holds the number {shares[0]}; wanted names of "
                                          "labels, or a vector of 0 and 1")
    width = len(labels[0]) if several and not bad else 0
    if width > 1 and all(len(label) == width and all(map(_is_bit, label)) for label in labels):
        names = [[str(place) for place, part in enumerate(label) if float(part)] for label in labels]
        return names, bad, (f"column {column!r} holds vectors of {width} numbers 0 and 1 (one-hot): read as several "
                            f"labels a row, named by their place, '0' to '{width - 1}'")
    return labels, bad, None


def _is_bit(part):
    return isinstance(part, Number) and float(part) in (0, 1)


def _is_fraction(part):
    return isinstance(part, Number) and not float(part).is_integer()


def no_labels(column: str, lines: Sequence[int], labels: Sequence[Any]) -> dict[int, BadRow]:
    """Return the rows whose label says that there is none, or that cannot be a class.

    "nan", "null", "N/A" and their like are what tools write for a missing value. -1 is Hugging Face's number for "no
    label" where the other labels are whole numbers from 0 to 2 or more, or no numbers at all; beside 0 and 1 alone it
    may be a class.

    Args:
        column: The name of the column.
        lines: The line of each row.
        labels: The label of each row; lists have names in them and are left alone.

    Returns:
        {row: why it cannot be used}.

    >>> list(no_labels("label", [2, 3, 4], ["pos", "NaN", "neg"]))
    [1]
    """
    found: dict[int, BadRow] = {}
    minus = _minus_one_is_none({label for label in labels if isinstance(label, str)})
    for row, label in enumerate(labels):
        if any(end in name for name in (label if isinstance(label, list) else [label]) for end in "\n\r"):
            found[row] = BadRow(lines[row], f"column {column!r}: the label {label!r:.40} holds a line end")
        elif isinstance(label, str) and (label.lower() in MISSING or label == "-1" and minus):
            found[row] = NoRow(lines[row], f"column {column!r}: {str(label)!r} is what tools write where a label is "
                                           "missing; a class of that name needs another one")
    return found


def _minus_one_is_none(names):
    others = names - {"-1"}
    whole = [int(name) for name in others if re.fullmatch("[0-9]{1,9}", name)]
    return bool(others) and (not whole or len(whole) == len(others) and max(whole) >= 2)

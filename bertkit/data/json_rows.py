"""Rows of JSON files: an object a line, an array of objects, or columns as pandas writes them."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bertkit.data.lines import BadRow, Lines, check_text, encoding_advice, open_bytes
from bertkit.data.values import DECODER, check_characters, json_type
from bertkit.errors import Error

LARGEST = 2**29     # bytes of a file that is read at once; SQuAD's own files have 42 million at most
_BETWEEN = re.compile("[ \\t\\r\\n,]*")
_ROWS = ("data", "rows", "examples", "annotations", "items", "documents")


def line_objects(lines: Lines) -> Iterator[Any]:
    """Return an iterator of the objects in lines: None for a blank one; one that is no object raises `BadRow`.

    Args:
        lines: The lines.

    Returns:
        The iterator, which can go on after a line that raises.
    """
    return map(partial(_line_object, lines), lines)


def _line_object(lines, line):
    if not line.strip():
        return None
    try:
        record = check_characters(line, DECODER.decode(line))
    except json.JSONDecodeError as error:
        raise BadRow(lines.number, f"column {error.colno}: not JSON ({error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise BadRow(lines.number, f"not JSON of text ({error})") from error
    if not isinstance(record, dict):
        raise BadRow(lines.number, f"{json_type(record)} came where an object was wanted")
    return record


def is_array(path: Path) -> bool:
    """Return whether a file of JSON is one value over all of its lines, not an object a line.

    Args:
        path: The file.

    Returns:
        False where its first line is a whole object and others follow.
    """
    with open_bytes(path) as file:
        first, more = file.readline(LARGEST).strip(), file.readline(2).strip()
    try:
        return not (isinstance(json.loads(first), dict) and more)
    except (ValueError, RecursionError):
        return True


def read_json(path: Path, wanted: str) -> Any:
    """Read a file that is one JSON value.

    Args:
        path: The file.
        wanted: What the error says was wanted.

    Returns:
        The value; its numbers are `Number`.

    Raises:
        Error: with line and column, when it is not JSON in UTF-8, or larger than `LARGEST`.
    """
    return _parsed(path, wanted)[1]


def _parsed(path, wanted):
    """Return (the text of a file, the JSON value)."""
    with open_bytes(path, wanted) as file:
        check_text(path, file, wanted)
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Error(f"{path} has more than {LARGEST} bytes, too many for one JSON value; give {wanted}, or an object a "
                    "line in a .jsonl file.")
    try:
        text = content.decode("utf-8-sig")
        return text, DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Error(f"{path}: line {error.lineno}, column {error.colno}: not JSON ({error.msg}); "
                    f"give {wanted}.") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Error(f"{path}: line {line}: the byte {content[error.start]:#04x} is not UTF-8 "
                    f"({encoding_advice(content[error.start:error.start + 1])}).") from error
    except (ValueError, RecursionError) as error:      # NaN; numbers of thousands of digits; brackets without end
        raise Error(f"{path} is not JSON that can be read ({error}); give {wanted}.") from error


def array_rows(path: Path, wanted: str) -> Iterator[tuple[int, Any]]:
    """Yield (line, object) of each row of a file that is one JSON value, or (line, `BadRow`) for what is no object.

    The value is an array of objects, an object that holds one under a name such as "data", or columns as pandas writes
    them ({"text": {"0": ...}} or {"text": [...]}); of these two a row's line is its number.

    Args:
        path: The file.
        wanted: What the error says was wanted.

    Yields:
        The rows.

    Raises:
        Error: when the file is none of these.
    """
    text, value = _parsed(path, wanted)
    rows: Any = enumerate(_object_rows(path, value, wanted), start=1) if not isinstance(value, list) else zip(
        _lines_of(text), value, strict=False)
    for line, row in rows:
        yield line, _checked(line, text, row)


def _checked(line, text, row):
    """Return an object, or the BadRow of what is none."""
    if not isinstance(row, dict):
        return BadRow(line, f"{json_type(row)} came where an object was wanted")
    try:
        return check_characters(text, row)
    except ValueError as error:
        return BadRow(line, f"not JSON of text ({error})")


def _object_rows(path, value, wanted):
    """Return the rows that an object holds."""
    if isinstance(value, dict):
        for name in _ROWS:
            if isinstance(value.get(name), list) and all(isinstance(row, dict) for row in value[name]):
                return value[name]
        columns = [list(column.values()) if isinstance(column, dict) else column for column in value.values()]
        if columns and all(isinstance(column, list) for column in columns) and len({*map(len, columns)}) == 1:
            return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]
        if not any(isinstance(column, list | dict) for column in value.values()):
            return [value]              # one row
    raise Error(f"{path} is JSON and no rows ({json_type(value)} came); wanted an array of objects, or {wanted}.")


def _lines_of(text):
    """Yield the line of each element of an array."""
    place, line = text.index("[") + 1, text.count("\n", 0, text.index("[") + 1) + 1
    while True:
        between = _BETWEEN.match(text, place)
        began = between.end() if between else place
        line += text.count("\n", place, began)
        yield line
        _, place = DECODER.raw_decode(text, began)
        line += text.count("\n", began, place)

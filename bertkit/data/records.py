"""Read the records of TSV, CSV and JSONL files, each with its line."""

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from bertkit.data.lines import LONGEST, BadRow, Lines, check_text, open_bytes
from bertkit.errors import Error

# The columns of published files that have no header.
COLA = ["source", "label", "mark", "sentence"]
CODAH = ["category", "prompt", "ending0", "ending1", "ending2", "ending3", "label"]


class _Number(str):
    """A JSON number, spelt as in the file."""


@contextmanager
def table(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[int, Any]]]]:
    """Give the names of the columns of a file and its rows, while it is open.

    A record is a list of fields, a dict, or, where the row is broken, the `BadRow` to raise. Lines count from 1; blank
    ones are left out.

    Args:
        path: The file.

    Yields:
        (names, an iterator of (line, record)).

    Raises:
        Error: when the file cannot be read or has no names.
    """
    with open_bytes(path) as file:
        check_text(path, file)
        lines = Lines(file)
        names, rows = _named(path, _records(path, lines))
        if len(names) == 1 and path.suffix.lower() == ".tsv":
            rows = _every_line(rows, lines.number)
        yield names, ((line, _fitted(line, record, names)) for line, record in rows)


def _every_line(rows, before):
    """Yield the rows of one column after the line `before`, with a BadRow where a blank line may be an empty text."""
    for line, record in rows:
        if line > before + 1:
            yield before + 1, BadRow(before + 1, "the line is blank, which in one column may or may not be a text")
        before = line
        yield line, record


def _records(path, lines):
    """Yield (line, record), or (line, BadRow) where there is none."""
    formats: dict[str, Callable[[Any], Iterator[Any]]] = {
        ".tsv": partial(map, _tab_fields), ".csv": partial(_csv_fields, path), ".jsonl": _json_objects}
    parse = formats.get(path.suffix.lower())
    if parse is None:
        raise Error(f"{path} is of an unknown format; give a .tsv, .csv or .jsonl file (a .json of one "
                    "object a line is one: rename it).")
    records = parse(lines)
    while True:
        line = lines.number + 1
        try:
            record = next(records)
        except StopIteration:
            return
        except BadRow as bad:
            record = bad
        if record not in (None, []):
            yield line, record


def _tab_fields(line):
    """Return the fields in a line, none in a blank one."""
    text = line.removesuffix("\n").removesuffix("\r")
    return text.split("\t") if text else []


def _csv_fields(path, lines):
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    start = 1
    try:
        for fields in csv.reader(lines, strict=True):
            yield fields
            start = lines.number + 1
    except csv.Error as error:
        raise Error(f"{path}: the row from line {start} to line {lines.number} is not CSV "
                    f"({error}); close each field's quotes, double those inside.") from error
    except BadRow as bad:
        raise Error("{}: line {}, {}.".format(path, *bad.args)) from bad


def _json_objects(lines):
    def refuse(constant):
        raise ValueError(f"{constant} is no JSON number")

    decoder = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=refuse)
    return map(partial(_json_object, lines, decoder), lines)


def _json_object(lines, decoder, line):
    """Return the object in a line, None in a blank one."""
    if not line.strip():
        return None
    try:
        record = decoder.decode(line)
        if "\\u" in line:  # half of a surrogate pair is no character, and fails here
            json.dumps(record, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise BadRow(lines.number, f"column {error.colno}: not JSON ({error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise BadRow(lines.number, f"not JSON of text ({error})") from error
    if not isinstance(record, dict):
        raise BadRow(lines.number, f"{json_type(record)} came where an object was wanted")
    return record


def json_type(value: Any) -> str:
    """Return what a message calls the type of a JSON value.

    Args:
        value: The value.

    Returns:
        Such as "a list".

    Example:
        >>> json_type([])
        'a list'
    """
    names = {dict: "an object", list: "a list", bool: "true or false", str: "a string",
             _Number: "a number", type(None): "null"}
    return names[type(value)]


def _named(path, records):
    """Return the names of the columns, and the rows after them."""
    leading = []
    for line, record in records:
        leading.append((line, record))
        if isinstance(record, dict):
            return list(record), chain(leading, records)
        if isinstance(record, list):
            names = _headerless(path, record)
            return (names, chain(leading, records)) if names else ([name.strip() for name in record], records)
        if path.suffix.lower() != ".jsonl":
            break  # without its header a table cannot be read
    if leading:
        raise row_error(path, leading[0][1])
    raise Error(f"{path} holds nothing but blank lines; wanted a header and rows.")


def _fitted(line, record, names):
    """Return the record, or a BadRow for a list that is longer or shorter than the names."""
    if not isinstance(record, list) or len(record) == len(names):
        return record
    return BadRow(line, f"{len(record)} fields came, {len(names)} were wanted ({join_names(names)})")


def _headerless(path, fields):
    """Return the names of the columns of a published file whose first row is data, None where it is a header."""
    if path.suffix.lower() != ".tsv":
        return None
    if len(fields) == len(COLA) and fields[1] in ("0", "1") and fields[2] in ("", "*"):
        return COLA
    return CODAH if len(fields) == len(CODAH) and fields[-1] in ("0", "1", "2", "3") else None


def parse_rows(path: Path, rows: Iterable[tuple[int, Any]], parse: Callable[..., tuple[Any, ...]],
               limit: int | None = None, skip_bad_rows: bool | None = False) -> tuple[list[Any], list[Any]]:
    """Parse the rows of a `table`.

    Args:
        path: The file, for errors.
        rows: (line, record) of each row.
        parse: parse(line, record, kept) returns a tuple, or raises `BadRow`; `kept` are the rows before.
        limit: Keep the first rows only.
        skip_bad_rows: List rows that cannot be used, instead of an error. None is False, and the error does not suggest
            to skip them.

    Returns:
        ([(line, *what parse returned)], [(line, reason)] of the rows that cannot be used).

    Raises:
        Error: with file and line, when a row cannot be used.
    """
    kept: list[Any] = []
    skipped: list[Any] = []
    for line, record in rows:
        try:
            if isinstance(record, BadRow):
                raise record
            kept.append((line, *parse(line, record, kept)))
        except BadRow as bad:
            if not skip_bad_rows:
                raise row_error(path, bad, skip_bad_rows is not None) from bad
            skipped.append(bad.args)
        if len(kept) == limit:
            break
    return kept, skipped


def row_as_dict(record: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return a record as a dict.

    Args:
        record: A dict, or a list of fields.
        names: The names of the columns.

    Returns:
        {column: value}.

    Example:
        >>> row_as_dict(["a film", "1"], ["text", "label"])
        {'text': 'a film', 'label': '1'}
    """
    return record if isinstance(record, dict) else dict(zip(names, record, strict=True))


def text_of(line: int, values: dict[str, Any], name: str) -> str:
    """Return the text in a column; a row without one raises `BadRow`.

    Args:
        line: The line, for the error.
        values: {column: value}.
        name: The column.

    Returns:
        The text.
    """
    if name not in values:
        raise BadRow(line, f"column {name!r}: the object has no such key")
    if type(values[name]) is not str:
        raise BadRow(line, f"column {name!r}: {json_type(values[name])} came where a text was wanted")
    return values[name]


def check_limit(limit: int | None) -> None:
    """Check that a limit reads at least one row.

    Args:
        limit: The number of rows, or None.

    Raises:
        Error: when it is below 1.
    """
    if limit is not None and limit < 1:
        raise Error(f"limit={limit} reads nothing; give 1 or more.")


def row_error(path: Path | str, bad: BadRow, skippable: bool = True) -> Error:
    """Make the error that names the file, the line and the reason of a bad row.

    Args:
        path: The file.
        bad: The `BadRow`.
        skippable: Whether the error suggests --skip-bad-rows.

    Returns:
        The `Error`.
    """
    line, reason = bad.args
    return Error(f"{path}: line {line}, {reason}; mend it"
                 + (", or leave such rows out with --skip-bad-rows." if skippable else "."))


def join_names(names: Collection[str]) -> str:
    """Write names for a message; it stays short whatever they are.

    Args:
        names: The names.

    Returns:
        At most twelve names of at most 30 characters.

    Example:
        >>> join_names(["text", "label"])
        "'text', 'label'"
    """
    shown = [repr(name if len(name) <= 30 else name[:27] + "...") for name in list(names)[:12]]
    return ", ".join(shown) + (f" and {len(names) - 12} more" if len(names) > 12 else "")

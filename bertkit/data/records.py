"""Read any table of rows into records, each with its line: the one place where files of rows are open_bytes."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from bertkit.data.columns import join_names
from bertkit.data.delimited import csv_dialect, quoted_cells, tsv_dialect
from bertkit.data.encodings import encoding_name
from bertkit.data.frames import Frame
from bertkit.data.json_rows import array_rows, is_array, line_objects
from bertkit.data.lines import (
    LONGEST,
    TABLE,
    BadByte,
    BadRow,
    Lines,
    NoRow,
    Rejected,
    SecondHeader,
    check_text,
    encoded_form,
    open_bytes,
)
from bertkit.data.sheets import ARROW, EXCEL, arrow_rows, excel_rows, is_dataset
from bertkit.data.unpacked import inner_name
from bertkit.data.values import json_type
from bertkit.errors import Error
from bertkit.files.bounded import check_regular

log = logging.getLogger("bertkit")

JSON = (".jsonl", ".json", ".ndjson")
TABLES = (".tsv", ".csv", *JSON, *ARROW, *EXCEL)        # what `table` reads, besides folders of `datasets`

# The columns of published files that have no header.
COLA = ["source", "label", "mark", "sentence"]
CODAH = ["category", "prompt", "ending0", "ending1", "ending2", "ending3", "label"]
# What annotation tools write beside a row: {column: (what stands there, what of it rejects the row)}.
_VERDICTS = {
    "answer": ({"accept", "reject", "ignore"}, {"reject", "ignore"}),                           # Prodigy
    "status": ({"submitted", "discarded", "draft", "pending", "validated", "default"}, {"discarded"}),      # Argilla
    "was_cancelled": ({"true", "false"}, {"true"}),                                             # Label Studio
}
# Up to this share of bad rows an error suggests to leave them out: of more, the file is read in a wrong way.
_FEW = 0.1


@contextmanager
def table(path: Path, judged: bool = True) -> Iterator[tuple[list[str], Iterator[tuple[int, Any]], str]]:
    """Give the names of the columns of a file, its rows, and what form it has, while it is open.

    A record is a list of fields, a dict, or, where the row is broken, the `BadRow` to raise. Lines count from 1; blank
    ones are left out. A row that an annotator rejected is a `Rejected`.

    Args:
        path: The file: .tsv, .csv, .jsonl or .json, also packed as .gz, .zst or .zip; .xlsx; .parquet or .arrow; or a
            folder of Hugging Face `datasets`.
        judged: Whether rows are left out that an annotator rejected.

    Yields:
        (names, an iterator of (line, record), the form).

    Raises:
        Error: when the file cannot be read or has no names.
    """
    form, records = _records(path)
    with closing(records):
        names, rows, header = _named(path, records)
        if len(names) == 1 and form in ("TSV", "TSV, UTF-16"):
            rows = _every_line(rows, header)
        fitted = ((line, _fitted(line, record, names)) for line, record in rows)
        yield names, _judged(names, fitted) if judged else fitted, form


def suffix(path: Path) -> str:
    """Return what kind of file one is: the suffix of its name without that of its packing, in lower case.

    Args:
        path: The file.

    Returns:
        Such as ".csv", also of rows.csv.gz; "" of a folder.

    >>> suffix(Path("rows.CSV.gz"))
    '.csv'
    """
    if isinstance(path, Frame):
        return ".parquet"               # what is in memory is read as such a file is
    return "" if path.is_dir() else Path(inner_name(path)).suffix.lower()


def _every_line(rows, before):
    """Yield the rows of one column after the line `before`, with a BadRow where a blank line may be an empty text."""
    for line, record in rows:
        if line > before + 1:
            yield before + 1, BadRow(before + 1, "the line is blank, which in one column may or may not be a text")
        before = line
        yield line, record


def _records(path):
    """Return (what form a file has, a generator of (line, record), or (line, BadRow) where there is none)."""
    kind = suffix(path)
    if kind in ARROW or is_dataset(path):
        form = "in memory" if isinstance(path, Frame) else "Parquet" if kind == ".parquet" else "Arrow"
        return form, _numbered(arrow_rows(path))
    if kind in EXCEL:
        return "Excel", _numbered(excel_rows(path))
    if kind not in (".tsv", ".csv", *JSON) and not path.is_dir() and not _is_saved_text(path, kind):
        raise Error(f"{path} is of an unknown format; give a .tsv, .csv or .jsonl file, .json, .xlsx or .parquet.")
    with open_bytes(path) as file:
        check_text(path, file)
    if kind == ".json" and is_array(path):
        return encoded_form(path, "JSON"), array_rows(path, TABLE)
    if kind in JSON:
        return encoded_form(path, "JSON lines"), _lines(path, line_objects)
    dialect = csv_dialect(path) if kind == ".csv" else tsv_dialect(path)
    rows = _lines(path, partial(_fields, path, dialect), dialect.start)
    return encoded_form(path, dialect.form), _without_empty_end(path, rows)


def _is_saved_text(path, kind):
    """Return whether a file is a table that Excel saved as "Unicode text": .txt, in UTF-16, tabs in its first line."""
    check_regular(path)                 # a pipe has no name that says what it is
    if kind != ".txt":
        return False
    with open_bytes(path) as file:
        return encoding_name(file) == "UTF-16" and b"\t" in file.readline(LONGEST)


def _numbered(rows):
    return ((line, row) for line, row in enumerate(rows, start=1) if row != [])


def _lines(path, parse, start=0):
    """Yield (line, record), or (line, BadRow) where there is none."""
    with open_bytes(path) as file:
        lines = Lines(file)
        for _ in range(start):
            next(lines)
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


def _without_empty_end(path, rows):
    """Yield rows, and leave out those at the end whose cells, more than two, are all empty, as Excel writes them."""
    empty = []
    for line, record in rows:
        if isinstance(record, list) and len(record) > 2 and not any(record):
            empty.append((line, record))
            continue
        yield from empty
        yield line, record
        empty = []
    if empty:
        log.info("%s: the rows from line %d to its end have empty cells alone and are left out.", path, empty[0][0])


def _fields(path, dialect, lines):
    return quoted_cells(path, lines, dialect.delimiter) if dialect.quoted else map(_tab_fields, lines)


def _tab_fields(line):
    """Return the fields in a line, none in a blank one."""
    text = line.removesuffix("\n").removesuffix("\r")
    return text.split("\t") if text else []


def _named(path, records):
    """Return the names of the columns, the rows after them, and the header's line."""
    leading = []
    for line, record in records:
        leading.append((line, record))
        if isinstance(record, dict):
            return list(record), chain(leading, records), 0
        if isinstance(record, list):
            names = _headerless(path, record)
            return (names, chain(leading, records), 0) if names else ([name.strip() for name in record], records, line)
        if suffix(path) not in JSON:
            break  # without its header a table cannot be read
    if leading:
        raise row_error(path, leading[0][1])
    raise Error(f"{path} holds nothing but blank lines; wanted a header and rows.")


def _fitted(line, record, names):
    """Return the record, or a BadRow for a list that is longer or shorter than the names."""
    if not isinstance(record, list):
        return record
    if len(record) == len(names):
        again = len(names) > 1 and record[0].strip() == names[0] and [cell.strip() for cell in record] == names
        return SecondHeader(line, record) if again else record
    return BadRow(line, f"{len(record)} fields came, {len(names)} were wanted ({join_names(names)})")


def _judged(names, rows):
    """Yield the rows, with a `Rejected` in place of each that the verdict of an annotator rejects."""
    verdicts = {name: column for name, column in _VERDICTS.items() if name in names}
    for number, (line, record) in enumerate(rows):
        if verdicts and not isinstance(record, BadRow):
            values = {name: str(_json_word(row_as_dict(record, names).get(name))).lower() for name in verdicts}
            if number == 0:
                verdicts = {name: column for name, column in verdicts.items() if values[name] in column[0]}
            against = next((name for name in verdicts if values[name] in verdicts[name][1]), None)
            if against:
                record = Rejected(line, f"column {against!r} says {values[against]!r}")
        yield line, record


def _json_word(value):
    return ("true" if value else "false") if isinstance(value, bool) else value


def _headerless(path, fields):
    """Return the names of the columns of a published file whose first row is data, None where it is a header."""
    if suffix(path) != ".tsv":
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
        parse: parse(line, record) returns a tuple, or raises `BadRow`.
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
    first, count = None, 0
    for line, record in rows:
        try:
            if isinstance(record, BadRow):
                raise record
            kept.append((line, *parse(line, record)))
        except BadRow as bad:
            if skip_bad_rows or isinstance(bad, Rejected):
                skipped.append(bad.args)
            else:
                first, count = first or bad, count + 1
        if len(kept) == limit:
            break
    if first is not None:
        raise row_error(path, first, skip_bad_rows is not None, count, len(kept)) from first
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


def row_error(path: Path | str, bad: BadRow, skippable: bool = True, count: int = 1, kept: int | None = None) -> Error:
    """Make the error that names the file, the line and the reason of a bad row.

    It suggests --skip-bad-rows where few rows would be lost, or nothing that is in them.

    Args:
        path: The file.
        bad: The first `BadRow`.
        skippable: Whether the command has --skip-bad-rows.
        count: How many rows are bad.
        kept: How many rows are good; None where nobody counted.

    Returns:
        The `Error`.
    """
    line, reason = bad.args
    few = kept is None or isinstance(bad, NoRow) or count <= max(2, _FEW * (kept + count))
    more = "" if count == 1 else f" ({count:,} of {count + (kept or 0):,} rows cannot be used)"
    skippable = skippable and few and not isinstance(bad, BadByte)
    remedy = ", or leave such rows out with --skip-bad-rows" if skippable else ""
    return Error(f"{path}: line {line}, {reason}; mend it{remedy}{more}.")

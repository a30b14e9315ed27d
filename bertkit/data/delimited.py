"""Tables of text: which character parts the cells, and whether cells are quoted."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bertkit.data.lines import LONGEST, BadByte, BadRow, Lines, open_bytes
from bertkit.errors import Error

_DELIMITERS = ",;\t|"


class Dialect(NamedTuple):
    """How a table is written.

    Args:
        delimiter: What parts the cells.
        quoted: Whether a cell may stand in quotes (RFC 4180), and hold delimiters, line ends and doubled quotes there.
        start: The lines before the header: 1 where Excel's line "sep=;" is the first one.
    """

    delimiter: str
    quoted: bool
    start: int = 0

    @property
    def form(self) -> str:
        """What a message calls it."""
        if self.delimiter == "\t":
            return "TSV, quoted" if self.quoted else "TSV"
        return "CSV" if self.delimiter == "," else f"CSV with {self.delimiter!r} between the cells"


def csv_dialect(path: Path) -> Dialect:
    """Return how a .csv is written: the delimiter is the one that gives its header most cells, of equals the comma.

    Args:
        path: The file.

    Returns:
        The `Dialect`; the first line "sep=;", which Excel reads, says the delimiter too.
    """
    with open_bytes(path) as file:
        head = file.readline(LONGEST).decode("utf-8", errors="replace").removeprefix("\ufeff").rstrip("\r\n")
    if head.lower().startswith("sep=") and len(head) == 5:
        return Dialect(head[4], True, 1)
    return Dialect(max(_DELIMITERS, key=lambda delimiter: len(_cells(head, delimiter))), True)


def _cells(line, delimiter):
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def tsv_dialect(path: Path) -> Dialect:
    """Return how a .tsv is written: plain, as GLUE's files are, or quoted, as pandas and spreadsheets write it.

    It is quoted where reading its quotes gives every row as many cells as the header, and besides either some line has
    more or fewer (a tab or a line end stands in quotes), or a cell in quotes holds doubled ones. So a plain text that
    stands in quotes keeps them.

    Args:
        path: The file.

    Returns:
        The `Dialect`.
    """
    plain = Dialect("\t", False)
    with open_bytes(path) as file:
        header = file.readline(LONGEST)
        suspect = header.startswith((b'"', b'\xef\xbb\xbf"')) or b'\t"' in header
        width, odd = header.count(b"\t"), False
        for line in file:
            suspect = suspect or line.startswith(b'"') or b'\t"' in line
            odd = odd or bool(line.strip()) and line.count(b"\t") != width
    return Dialect("\t", True) if suspect and _reads_quoted(path, odd) else plain


def _reads_quoted(path, odd):
    """Return whether a table can be read with quotes, and should be: `odd` says that without it some rows misfit."""
    doubled, width = False, None
    try:
        with open_bytes(path) as file:
            for cells in quoted_cells(path, Lines(file), "\t"):
                width = width or len(cells)
                if cells and len(cells) != width or not odd and any("\n" in cell for cell in cells):
                    return False
                doubled = doubled or any('"' in cell for cell in cells)
    except Error:
        return False
    return odd or doubled


def quoted_cells(path: Path, lines: Lines, delimiter: str) -> Iterator[list[Any]]:
    """Yield the cells of each row of a table with quotes (RFC 4180).

    Args:
        path: The file, for errors.
        lines: Its lines.
        delimiter: What parts the cells.

    Yields:
        A list of cells.

    Raises:
        Error: with the lines of the row, when quotes are broken or a byte is not UTF-8: then nobody knows where the
            next row begins.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    start = lines.number + 1
    try:
        for fields in csv.reader(lines, delimiter=delimiter, strict=True):
            yield fields
            start = lines.number + 1
    except csv.Error as error:
        raise Error(f"{path}: the row from line {start} to line {lines.number} is not CSV "
                    f"({error}); close each field's quotes, double those inside.") from error
    except BadRow as bad:
        remedy = "" if isinstance(bad, BadByte) else "; mend it"
        raise Error("{}: line {}, {}{}.".format(path, *bad.args, remedy)) from bad

"""Labelled rows that are in memory, in the place of a file: a frame of pandas, a list of dicts or of tuples."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from bertkit.errors import Error
from bertkit.files.atomic import sha256
from bertkit.files.bounded import as_path

NAME = "rows in memory"
# The columns of tuples, by their number: a text and its label, a pair and its label, words and their tags.
_NAMES = {2: ("text", "label"), 3: ("first", "second", "label")}
_TAGGED = ("tokens", "ner_tags")


class FrameLike(Protocol):
    """A frame of pandas or polars, a table of pyarrow: whatever has named columns."""

    @property
    def columns(self) -> Any:
        """The columns."""


# What is taken wherever labelled data is asked for.
Data = str | os.PathLike[str] | Sequence[Mapping[str, Any]] | Sequence[tuple[Any, ...]] | FrameLike


class Frame(type(Path())):          # type: ignore[misc]  # the class of this system's paths
    """Rows in memory behind the name of a file that there is none of: readers take it as they take a Parquet file.

    Attributes:
        rows: {column: value} of each row.
    """

    rows: list[dict[str, Any]]


def data_path(data: Any) -> Path:
    """Return where labelled rows are: the path of a file, or rows in memory that serve as one.

    Args:
        data: A path; a frame of pandas; another table that has `to_pylist` or `to_dicts`; a list of dicts; or a list of
            tuples (text, label), (first, second, label) or (words, tags).

    Returns:
        A `Path`, or a `Frame`, which is one.

    Raises:
        Error: when it is none of these, or has no rows.

    >>> data_path([("a film", "good"), ("so", "bad")]).rows[0]
    {'text': 'a film', 'label': 'good'}
    """
    if isinstance(data, Frame):
        return data
    if isinstance(data, str | os.PathLike):
        return as_path(data, "a file of rows")
    rows = _rows(data)
    if not rows:
        raise Error(f"The rows of type {type(data).__name__} that came are none; give one row at least.")
    made = Frame(NAME)
    made.rows = [{str(name): value for name, value in row.items()} for row in rows]
    return made


def optional_path(data: Any) -> Path | None:
    """Return where rows are that may be left out.

    Args:
        data: As in `data_path`; None or "" are no rows.

    Returns:
        A `Path`, a `Frame` or None.
    """
    return None if data is None or isinstance(data, str) and not data else data_path(data)


def _rows(data):
    """Return the rows of a value as dicts."""
    for method in ("to_pylist", "to_dicts"):                # pyarrow, polars
        if callable(getattr(data, method, None)):
            return getattr(data, method)()
    if callable(getattr(data, "to_dict", None)) and hasattr(data, "columns"):
        if not data.columns.is_unique:
            raise Error("The frame has two columns of one name; give each its own.")
        return data.to_dict("records")
    if isinstance(data, Mapping) or isinstance(data, bytes) or not isinstance(data, Iterable):
        raise Error(f"{data!r:.60} came where rows were wanted; give the name of a file, a frame of pandas, or a list "
                    "of dicts {column: value}.")
    return [_row(number, row) for number, row in enumerate(data, start=1)]


def _row(number, row):
    if isinstance(row, Mapping):
        return row
    if isinstance(row, tuple | list) and len(row) in _NAMES:
        tagged = len(row) == 2 and all(isinstance(part, tuple | list) for part in row)
        return dict(zip(_TAGGED if tagged else _NAMES[len(row)], row, strict=True))
    raise Error(f"Row {number} is {row!r:.60}; give a dict {{column: value}}, or a tuple (text, label), (first, "
                "second, label) or (words, tags).")


def frame_rows(frame: Frame) -> Iterator[dict[str, Any]]:
    """Yield the rows of a frame with values as a JSON file would hold them.

    Args:
        frame: The `Frame`.

    Yields:
        {column: value}; what pandas keeps in the place of a missing value (NaN, NaT, NA) is None.
    """
    for row in frame.rows:
        yield {name: _value(value) for name, value in row.items()}


def _value(value):
    from bertkit.data.sheets import json_value  # which reads frames, too
    if hasattr(value, "tolist"):                            # numpy
        value = value.tolist()
    if isinstance(value, tuple | set | frozenset):
        value = list(value)
    if isinstance(value, list):
        return [_value(part) for part in value]
    missing = not isinstance(value, str | Mapping) and value is not None and bool(_differs_from_itself(value))
    return None if missing else json_value(value)


def _differs_from_itself(value):
    """Return whether a value is NaN or NaT, or pandas' NA, which says that it knows nothing of itself."""
    try:
        return value != value       # noqa: PLR0124
    except TypeError:
        return True


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file or folder, or of rows in memory.

    Args:
        path: What `data_path` returned, or a path.

    Returns:
        64 hexadecimal digits.

    Raises:
        Error: when a file cannot be read.
    """
    if not isinstance(path, Frame):
        return sha256(path)
    found = hashlib.sha256()
    for row in frame_rows(path):
        found.update(json.dumps(row, default=str).encode("utf-8", "surrogatepass") + b"\n")
    return found.hexdigest()

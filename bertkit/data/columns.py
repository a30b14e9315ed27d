"""Which columns of a file hold what, as one argument of a recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertkit.data.records import join_names
from bertkit.errors import Error


@dataclass(frozen=True)
class Columns:
    """Names of columns; a column that is not named is recognised by its name (see `read_examples`).

    Args:
        text     the column of the text, or of a pair's first text
        second   the column of a pair's second text
        label    the column of the label
    """

    text: str | None = None
    second: str | None = None
    label: str | None = None


def check_columns(path: str | Path, names: list[str], used: Sequence[str | None], remedy: str) -> None:
    """Check that each used name is the name of exactly one column.

    Args:
        path: The file.
        names: The names of its columns.
        used: The names to check; None is skipped.
        remedy: What the user can do, the end of the error's sentence.

    Raises:
        Error: when a name is that of no column, or of several.
    """
    for name in used:
        if name is not None and names.count(name) != 1:
            raise Error(f"{path} has {names.count(name) or 'no'} columns {name!r}, its columns are "
                        f"{join_names(names)}; {remedy}.")

"""Which columns of a file hold what: as one argument of a recipe, and as a reader took them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bertkit.errors import Error


@dataclass(frozen=True)
class Columns:
    """Names of columns; a column that is not named is recognised by its name (see `data.roles`).

    Args:
        text     the column of the text, or of a pair's first text; of questions, the question
        second   the column of a pair's second text; of questions, the text that holds the answer
        label    the column of the label, the score, the answer, the summary
        word     the column of the words of tagged sentences, its number from 1 or its name
        tag      the column of their tags, its number from 1 or its name
    """

    text: str | None = None
    second: str | None = None
    label: str | None = None
    word: str | None = None
    tag: str | None = None


@dataclass(frozen=True)
class Source:
    """How a reader understood a file.

    Args:
        form: What form the file has, such as "TSV".
        columns: {what a column serves as: its name}, in the order text, second, label.
        unused: The names of the columns that nobody reads.
        notes: Sentences on what was read in a way that the user may not expect.
    """

    form: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, form: str, names: Sequence[str], columns: Mapping[str, str | None], *notes: str) -> Self:
        """Return the source of a table.

        Args:
            form: What form the file has.
            names: The names of its columns.
            columns: {what a column serves as: its name}; None where no column does.
            notes: Sentences.

        Returns:
            The `Source`.
        """
        used = {role: name for role, name in columns.items() if name is not None}
        return cls(form, used, tuple(name for name in names if name not in used.values()), notes)

    def metadata(self) -> dict[str, Any]:
        """Return what a card says of it.

        Returns:
            {"form", "columns", "unused"} as far as they are known.
        """
        found = {"form": self.form, "columns": dict(self.columns), "unused": list(self.unused)}
        return {name: value for name, value in found.items() if value}


def check_columns(path: str | Path, names: Sequence[str], used: Sequence[str | None], remedy: str) -> None:
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

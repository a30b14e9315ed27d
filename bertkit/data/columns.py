"""Which columns of a file hold what, as one knob of a recipe."""

from dataclasses import dataclass

from bertkit.data.records import listed
from bertkit.errors import Error


@dataclass(frozen=True)
class Columns:
    """Names of columns; what is not named is recognised (see `read_examples`).

    text     the column of the text, or of a pair's first text
    second   the column of a pair's second text
    label    the column of the label
    """

    text: str | None = None
    second: str | None = None
    label: str | None = None


def check_columns(path, names, used, remedy):
    """Raise `Error`, which ends in the `remedy`, unless each of the `used` names, None aside, is one column's."""
    for name in used:
        if name is not None and names.count(name) != 1:
            raise Error(f"{path} has {names.count(name) or 'no'} columns {name!r}, its columns are {listed(names)}; "
                        f"{remedy}.")

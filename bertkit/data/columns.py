"""Which columns of a file hold what, as one knob of a recipe."""

from dataclasses import dataclass


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

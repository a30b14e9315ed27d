"""What a model makes of a text: ids, and which characters each of them covers."""

from typing import NamedTuple


class Pieces(NamedTuple):
    """The pieces of one text.

    Args:
        ids: list of int, the id of each piece.
        offsets: list of (start, end), the half-open range of characters of the given text that each piece covers.
    """

    ids: list[int]
    offsets: list[tuple[int, int]]

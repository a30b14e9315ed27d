"""What a model makes of a text: ids, and which characters each of them covers."""

from typing import NamedTuple


class Pieces(NamedTuple):
    """Ids and, for each, the half-open range of characters of the given text that it covers."""

    ids: list
    offsets: list

"""Long texts as overlapping windows that fit a model's length.

Source: Devlin et al. 2018 (arXiv 1810.04805), `run_squad.py`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.text.template import FIRST, SECOND, truncated_lengths

STRIDE = 128        # tokens from the start of a window to that of the next, run_squad's


class Window(NamedTuple):
    """One window of a text.

    Args:
        row: (token ids, segment ids), two lists of int with special tokens included.
        start: number of the first token of the text in the window.
        end: number of the token of the text after the last one in the window.
        place: place in `row` of the token `start`.
        cls: place in `row` of the classification token, 0 in a template without one.

    Example:
        >>> window = Window(([2, 8, 9, 3], [0, 0, 0, 0]), start=3, end=5, place=1, cls=0)
        >>> window.row[0][window.row_position(4)]
        9
    """

    row: tuple[list[int], list[int]]
    start: int
    end: int
    place: int
    cls: int

    def row_position(self, token: int) -> int:
        """Return the place in the row of a token of the text.

        Args:
            token: number of the token in the text, from `start` to `end` - 1.

        Returns:
            The place, an int.
        """
        return self.place + token - self.start


def windows(tokenizer: Any, text: Sequence[int], length: int, query: Sequence[int] | None = None,
            stride: int = STRIDE) -> list[Window]:
    """Split the token ids of a text into overlapping windows.

    Each row is `pack_ids(window)`, or `pack_ids(query, window)` where there is a query. The query is the same in all
    windows. It is cut as `template.truncated_lengths` says: to half of the row where it would leave less than that to
    the text.

    Args:
        tokenizer: a `Tokenizer`.
        text: ids of the text.
        length: largest number of tokens of a row, special tokens included.
        query: ids of a query that stands before each window, or None.
        stride: number of tokens from the start of one window to the start of the next; half a window where that is
            less.

    Returns:
        A list of `Window`; an empty text has one.

    Raises:
        Error: when `length` has no room for the text beside the special tokens.

    Example:
        >>> from bertkit.text import Tokenizer
        >>> found = windows(Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]), [5, 6, 7, 8, 9], 6)
        >>> [window.row[0] for window in found]
        [[2, 5, 6, 7, 8, 3], [2, 7, 8, 9, 3]]
    """
    paired = query is not None
    room = tokenizer.template.max_text_tokens(length, paired)
    if query is not None:
        query = query[:truncated_lengths(len(query), len(text), room)[0]]
        room -= len(query)
    if text and room < 1:
        raise Error(f"length={length} has no room for a text beside the special tokens; give more.")
    layout = [part for part, _ in tokenizer.layout(paired)]
    return [_window(tokenizer, text, query, length, layout, start, min(start + room, len(text)))
            for start in _starts(len(text), room, max(1, min(stride, room // 2)))]


def max_context(cut: Sequence[Window], tokens: int) -> np.ndarray:
    """Return which window counts for each token of a text.

    It is the window where min(tokens to the left, tokens to the right) + 0.01 * (tokens of the window) is largest, the
    first one on ties.

    Args:
        cut: the windows of the text.
        tokens: number of tokens of the text.

    Returns:
        int64 array [tokens], the number of the window of each token.

    Example:
        >>> from bertkit.text import Tokenizer
        >>> found = windows(Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]), [5, 6, 7, 8, 9], 6)
        >>> [(window.start, window.end) for window in found], max_context(found, 5).tolist()
        ([(0, 4), (2, 5)], [0, 0, 0, 1, 1])
    """
    best, chosen = np.full(tokens, -1), np.zeros(tokens, "int64")
    for number, window in enumerate(cut):
        places, span = np.arange(window.end - window.start), slice(window.start, window.end)
        context = 100 * np.minimum(places, places[::-1]) + len(places)
        chosen[span][context > best[span]] = number
        best[span] = np.maximum(best[span], context)
    return chosen


def _starts(tokens, room, stride):
    """Return where windows begin; the last is the first that reaches the end."""
    return range(0, max(1, tokens - room + stride), stride)


def _window(tokenizer, text, query, length, layout, start, end):
    part = text[start:end]
    row = tokenizer.pack_ids(part, None, length) if query is None else tokenizer.pack_ids(query, part, length)
    sizes = {FIRST: len(part if query is None else query), SECOND: len(part)}
    places, at = {}, 0
    for name in layout:
        places.setdefault(name, at)
        at += sizes.get(name, 1)
    return Window(row, start, end, places[FIRST if query is None else SECOND], places.get(tokenizer.cls_id, 0))

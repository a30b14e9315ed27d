"""Long texts as overlapping windows that fit a model's length.

Source: Devlin et al. 2018 (arXiv 1810.04805), `run_squad.py`.
"""

from typing import NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.text.template import FIRST, SECOND, kept

STRIDE = 128        # tokens from the start of a window to that of the next, run_squad's


class Window(NamedTuple):
    """One window of a text: the tokens `start` to `end` (exclusive) of it, which in `row` stand from `place` on.

    `row` is (token ids, segment ids), special tokens included; `cls` is the place of the classification token in it,
    0 in a template without one.
    """

    row: tuple
    start: int
    end: int
    place: int
    cls: int

    def at(self, token):
        """Return the place in the row of a token of the text."""
        return self.place + token - self.start


def windows(tokenizer, text, length, query=None, stride=STRIDE):
    """Return the `Window`s of a text's ids, each row of at most `length` tokens; an empty text has one.

    Each row is `pack_ids(window)`, or with the ids of a `query` `pack_ids(query, window)`; the query is the same in
    all of them, cut as `template.kept` says (to half of the places where it leaves less to the text). Windows
    begin `stride` tokens apart, or half a window where that is less. Raises Error if `length` has no room for a text.

    >>> from bertkit.text import Tokenizer
    >>> found = windows(Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]), [5, 6, 7, 8, 9], 6)
    >>> [window.row[0] for window in found]
    [[2, 5, 6, 7, 8, 3], [2, 7, 8, 9, 3]]
    """
    paired = query is not None
    room = tokenizer.template.places(length, paired)
    if paired:
        query = query[:kept(len(query), len(text), room)[0]]
        room -= len(query)
    if text and room < 1:
        raise Error(f"length={length} has no room for a text beside the special tokens; give more.")
    layout = [part for part, _ in tokenizer.layout(paired)]
    return [_window(tokenizer, text, query, length, layout, start, min(start + room, len(text)))
            for start in _starts(len(text), room, max(1, min(stride, room // 2)))]


def max_context(cut, tokens):
    """Return which of a text's windows counts for each of its tokens: int64 [tokens].

    The one in which min(tokens to its left, tokens to its right) + 0.01 · tokens of the window is largest; of equal
    ones the first.
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

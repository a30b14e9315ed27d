"""Which piece of one tokenizer is which piece of another one: those that cover the same characters of a text."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bertkit.text import Tokenizer
from bertkit.text.tokenizer import Encoding

NOWHERE = -1


class PlacedTokenizer:
    """A tokenizer whose ids are the places of pieces: what a task packs with it says where each token was in its text.

    Each piece gets a number above all ids of the vocabulary; special tokens, which are in no text, keep their ids.
    All else is that of the tokenizer.

    Args:
        tokenizer: The `Tokenizer`.
        texts: {text: its number}, shared by tokenizers whose places are compared; new texts are added.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> placed = PlacedTokenizer(tokenizer, {})
        >>> row, _ = placed.pack_ids(placed.ids(["warm cold"])[0])
        >>> row, placed.places(row)
        ([2, 7, 8, 3], [None, (0, 0, 4), (0, 5, 9), None])
    """

    def __init__(self, tokenizer: Tokenizer, texts: dict[str, int]) -> None:
        self._tokenizer, self._texts = tokenizer, texts
        self._pieces = array("q")                   # text, start, end of each

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def ids(self, texts: Iterable[str | bytes]) -> list[list[int]]:
        """Return the numbers of the pieces of texts.

        Args:
            texts: Sequence of B texts.

        Returns:
            A list of B lists of int.
        """
        return [encoding.ids for encoding in self.encode(texts)]

    def encode(self, texts: Iterable[str | bytes]) -> list[Encoding]:
        """Return the pieces of texts, with their numbers in place of ids.

        Args:
            texts: Sequence of B texts.

        Returns:
            A list of B values of `Encoding`.
        """
        texts = [text if isinstance(text, str) else text.decode("utf-8", "replace") for text in texts]
        return [Encoding([self._number(text, *place) for place in encoding.offsets], encoding.tokens, encoding.offsets)
                for text, encoding in zip(texts, self._tokenizer.encode(texts), strict=True)]

    def _number(self, text, start, end):
        """Note a piece, without the blanks at its ends, which tokenizers of some kinds count to it."""
        piece = text[start:end]
        start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
        self._pieces.extend((self._texts.setdefault(text, len(self._texts)), start, max(start, end)))
        return len(self._tokenizer) + len(self._pieces) // 3 - 1

    def places(self, row: Sequence[int]) -> list[tuple[int, int, int] | None]:
        """Return where each token of a row was.

        Args:
            row: What `pack_ids` made of the numbers.

        Returns:
            (number of the text, start, end) of each, None for a special token.
        """
        first = len(self._tokenizer)
        return [tuple(self._pieces[3 * (i - first):3 * (i - first) + 3]) if i >= first else None  # type: ignore[misc]
                for i in row]


def aligned(ours: Sequence[Any], theirs: Sequence[Any]) -> list[int]:
    """Find for each token of a row the token of another row that covers the same characters.

    Special tokens are matched in their order where both rows have as many, else the first and the last of each. Where
    several tokens cover the same characters, they are matched in their order.

    Args:
        ours: What `places` returned for the row.
        theirs: The same for the other row, of another tokenizer.

    Returns:
        Places in the other row, `NOWHERE` where it has no such token.

    Example:
        >>> aligned([None, (0, 0, 4), (0, 4, 6), None], [None, (0, 0, 6), None])
        [0, -1, -1, 2]
    """
    one, other = (_named(places) for places in (ours, theirs))
    known = {name: place for place, name in enumerate(other)}
    return [known.get(name, NOWHERE) for name in one]


def _named(places):
    """Return a name for each token that no other token of the row has, and its equal in another row has too."""
    special, seen, names = places.count(None), Counter(), []
    for place in places:
        number = seen[place]
        seen[place] += 1
        if place is None:           # counted from both ends, so that rows with another number share first and last
            names.append((None, number) if number == 0 else (None, number - special) if number == special - 1 else
                         (None, number, special))
        else:
            names.append((*place, number))
    return names


def aligned_rows(task: Any, ours: tuple[Tokenizer, int], theirs: tuple[Tokenizer, int], inputs: list[Any],
                 targets: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Find for each token of all rows of a student the token of its teacher that covers the same characters.

    Args:
        task: The task, which packs the inputs for both.
        ours: The student's (`Tokenizer`, most tokens of a row).
        theirs: The teacher's.
        inputs: What the task reads.
        targets: What the inputs are packed with for training.

    Returns:
        (int32 [tokens of all rows], the place of each in the teacher's row or `NOWHERE`; bool [rows], whether the two
        rows are the same pieces). None where an input has another number of rows to either.
    """
    texts: dict[str, int] = {}
    sides = []
    for tokenizer, length in (ours, theirs):
        placed = PlacedTokenizer(tokenizer, texts)
        sides.append([placed.places(row) for row, _ in task.pack(placed, inputs, length, targets).rows])
    if len(sides[0]) != len(sides[1]):
        return None
    found, same = array("i"), []
    for one, other in zip(*sides, strict=True):
        places = aligned(one, other)
        found.extend(places)
        same.append(places == list(range(len(other))))
    return np.array(found, "int32"), np.array(same, bool)

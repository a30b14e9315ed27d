"""The words of an input, and which tokens of a model's row are pieces of which word."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.metrics.script_words import WITHOUT_BLANKS
from bertkit.tasks.classification import TextsOrPairs
from bertkit.text import Tokenizer

SPECIAL = -1        # the word of a token that the tokenizer put around the texts


@dataclass(frozen=True)
class WordRow:
    """An input as a model reads it, with the words of its texts.

    Args:
        texts: The text, or both texts of a pair.
        words: The words of all texts, in their order.
        offsets: (start, end) of each word in its text, in characters.
        parts: The number of each word's text.
        ids: int32 [T], the token ids of the row, special tokens included.
        segments: int32 [T], their segments.
        owners: int64 [T], the number of each token's word, or `SPECIAL`.
    """

    texts: tuple[str, ...]
    words: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    parts: tuple[int, ...]
    ids: np.ndarray
    segments: np.ndarray
    owners: np.ndarray

    @property
    def read(self) -> np.ndarray:
        """bool [words], whether the row has a token of each word: one behind the longest row, for example, has none."""
        return np.isin(np.arange(len(self.words)), self.owners)

    def word_sums(self, scores: np.ndarray) -> np.ndarray:
        """Add the scores of each word's tokens.

        Args:
            scores: float [T], one for each token of the row.

        Returns:
            float64 [words], 0 for a word that is not read.
        """
        sums = np.zeros(len(self.words), "float64")
        inside = self.owners != SPECIAL
        np.add.at(sums, self.owners[inside], np.asarray(scores, "float64")[inside])
        return sums

    def without(self, kept: np.ndarray, hidden: int) -> np.ndarray:
        """Return copies of the row in which words are hidden.

        Args:
            kept: bool [copies,words], the words that stay.
            hidden: The id that stands for each piece of a hidden word.

        Returns:
            int32 [copies,T].
        """
        stays = np.concatenate([np.asarray(kept, bool), np.ones((len(kept), 1), bool)], axis=1)[:, self.owners]
        return np.where(stays, self.ids, hidden).astype("int32")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Find the words of a text: what stands between blanks, and each letter of a script without blanks.

    Args:
        text: The text.

    Returns:
        (start, end) of each, in characters.

    Example:
        >>> word_spans("so good, 北京")
        [(0, 2), (3, 8), (9, 10), (10, 11)]
    """
    spans: list[tuple[int, int]] = []
    grows = False                   # whether the next letter belongs to the last word
    for place, letter in enumerate(text):
        touches = bool(spans) and spans[-1][1] == place
        alone = bool(WITHOUT_BLANKS.match(letter))
        if letter.isspace():
            grows = False
        elif touches and (unicodedata.category(letter)[0] == "M" or grows and not alone):
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
            grows = not alone
    return spans


def word_rows(task: Any, tokenizer: Tokenizer, inputs: Sequence[Any], length: int) -> list[WordRow]:
    """Make the rows of inputs, with their words.

    Words that share a token become one.

    Args:
        task: The model's task.
        tokenizer: Its tokenizer.
        inputs: Texts, or pairs.
        length: The most tokens of a row.

    Returns:
        A `WordRow` for each.

    Raises:
        Error: When the task reads other things than a text or a pair.
    """
    if not isinstance(task, TextsOrPairs):
        raise Error(f"The task {task.name} has no explanations; give a bundle that sorts texts or pairs into classes "
                    "or gives them a score, tags words, answers questions or makes vectors (classify, score, tag, "
                    "answer, embed).")
    return [_row(tokenizer, (given,) if isinstance(given, str) else tuple(given), length) for given in inputs]


def _row(tokenizer, texts, length):
    encodings, spans = tokenizer.encode(texts), [word_spans(text) for text in texts]
    return window_row(texts, encodings, spans, spans, lambda places: tokenizer.pack_ids(*[*places, None][:2], length))


def window_row(texts: tuple[str, ...], encodings: Sequence[Any], spans: Sequence[Any], own: Sequence[Any],
               packed: Callable[[list[list[int]]], tuple[list[int], list[int]]]) -> WordRow:
    """Make the row that a model reads of one text or two, with their words.

    Args:
        texts: The texts.
        encodings: The `Encoding` of each, perhaps with more blanks between words.
        spans: (start, end) of the words of each, in what was encoded.
        own: The same in the text itself.
        packed: Function (ids of each text) -> (token ids, segment ids) of the row.

    Returns:
        The `WordRow`.
    """
    kept, owners, first = [], [], 0
    for part, encoding in enumerate(encodings):
        heads, pieces = _joined(spans[part], encoding.offsets)
        owners += [number + first if number != SPECIAL else SPECIAL for number in pieces]
        kept += [(part, own[part][head][0], own[part][after - 1][1])
                 for head, after in zip(heads, [*heads[1:], len(spans[part])], strict=False)]
        first = len(kept)
    sizes = [len(encoding.ids) for encoding in encodings]
    # Texts of negative ids, which no special token has, are packed: they tell which pieces stay and where.
    row, segments = packed([[-1 - place for place in range(start, start + size)]
                            for start, size in zip((0, sizes[0]), sizes, strict=False)])
    ids = [number for encoding in encodings for number in encoding.ids]
    return WordRow(texts, tuple(texts[part][start:end] for part, start, end in kept),
                   tuple((start, end) for _, start, end in kept), tuple(part for part, *_ in kept),
                   np.array([ids[-1 - place] if place < 0 else place for place in row], "int32"),
                   np.array(segments, "int32"),
                   np.array([owners[-1 - place] if place < 0 else SPECIAL for place in row], "int64"))


def _joined(spans, tokens):
    """Return the first word of each, those that share a token as one, and the number of each token's word."""
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    touched = [range(bisect_right(ends, start), bisect_left(starts, max(end, start + 1))) for start, end in tokens]
    later = {number for some in touched for number in some[1:]}         # these are one with the word before
    heads = [number for number in range(len(spans)) if number not in later]
    return heads, [bisect_right(heads, some[0]) - 1 if some else SPECIAL for some in touched]

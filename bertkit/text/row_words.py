"""Where words begin in rows of ids; in Chinese, where nothing parts words, as a segmenter says."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.requirements import missing
from bertkit.terminal import say
from bertkit.text.word_starts import word_starts

_IDEOGRAPHS = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
REMEMBERED = 1 << 16        # texts whose words are kept: a row comes again each epoch


class RowWords:
    """Where words begin in rows of ids (see `word_starts`).

    Of neighbouring tokens that are ideographs alone, each begins a word, or with a segmenter those that begin one of
    its words. Without a segmenter the first batch that has such neighbours says so.

    Args:
        tokenizer: A `Tokenizer` with V entries.
        segmenter: Function (text) -> its words, a list of str that joined give the text; or "jieba", the package; or
            None.

    Raises:
        Error: when jieba is not installed, or there is no segmenter of that name.

    Example:
        >>> from bertkit.text import Tokenizer
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "去", "北", "京"])
        >>> RowWords(tokenizer, lambda text: ["去", "北京"])(np.array([[2, 5, 6, 7, 3]])).tolist()
        [[True, True, True, False, True]]
    """

    def __init__(self, tokenizer: Any, segmenter: Callable[[str], list[str]] | str | None = None) -> None:
        self.starts = word_starts(tokenizer)
        self.segment = None if segmenter is None else lru_cache(REMEMBERED)(_cutting(_named(segmenter)))
        self.entries = list(tokenizer.vocabulary)
        self.ideographs = np.array([bool(_IDEOGRAPHS.fullmatch(entry)) for entry in self.entries], bool)
        self.told = False

    def __call__(self, ids: np.ndarray) -> np.ndarray:
        """Return which tokens begin a word.

        Args:
            ids: int [B,T].

        Returns:
            bool [B,T].

        Raises:
            Error: when the segmenter's words are not those of the text.
        """
        starts, joined = self.starts[ids], self.ideographs[ids]
        joined = joined & np.pad(joined, ((0, 0), (1, 0)))[:, :-1]          # with the token before it
        if not joined.any():
            return starts
        if self.segment is None:
            self._tell()
            return starts
        for row in np.flatnonzero(joined.any(axis=1)):
            for first, end in _runs(joined[row]):
                entries = [self.entries[i] for i in ids[row, first:end]]
                places = np.cumsum([0, *map(len, entries[:-1])])
                starts[row, first:end] = np.isin(places, self.segment("".join(entries)))
        return starts

    def _tell(self):
        if not self.told:
            say("whole words: each Chinese character counts as a word of its own, because nothing parts words there; "
                "--segmenter jieba hides all characters of a word together.")
        self.told = True


def _runs(joined):
    """Return (first, end) of the stretches of tokens that are joined to the token before them, with that token."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], joined, [False]]).astype("int8")))
    return [(first - 1, end) for first, end in edges.reshape(-1, 2)]


def _cutting(segmenter):
    """Return a function (text) -> where its words begin."""
    def begins(text):
        words = list(segmenter(text))
        if "".join(words) != text:
            raise Error(f"The segmenter made {words!r:.60} of {text!r:.60}; wanted words which joined are the text.")
        return np.cumsum([0, *map(len, words[:-1])])
    return begins


def _named(segmenter):
    """Return the function of a segmenter's name; a function as it is."""
    if callable(segmenter):
        return segmenter
    if segmenter != "jieba":
        raise Error(f"segmenter={segmenter!r} is unknown; give jieba, or a function of a text that returns its words.")
    try:
        import jieba
    except ImportError:
        raise missing("jieba", "segmenter=jieba") from None
    jieba.setLogLevel("WARNING")
    return jieba.lcut

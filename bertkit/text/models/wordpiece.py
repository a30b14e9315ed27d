"""WordPiece: words are cut into the longest pieces of a vocabulary, from the left.

Source: Wu et al. 2016 (arXiv 1609.08144, section 4.1), as BERT uses it (Devlin et al. 2018).
"""

import functools
import re
from collections.abc import Sequence
from typing import Any

from bertkit.errors import Error
from bertkit.text.models.pieces import Pieces
from bertkit.text.unicode.codepoints import DELETED, ISOLATED, JOINED, SPACE, codepoints, ideographs, one, run
from bertkit.text.unicode.normalize import Normalizer

CACHED_WORDS = 1 << 16                        # of ordinary length: some 30 MB at most
NORMALIZATION = ("rules", "lowercase", "strip_accents", "clean", "split_ideographs")
DEFAULTS = {"prefix": "##", "longest_word": 100, "normalization": [], "rules": "huggingface", "lowercase": True,
            "strip_accents": True, "clean": True, "split_ideographs": True}
FLAGS = {"clean": "clean", "split_ideographs": "ideographs", "strip_accents": "accents", "lowercase": "lowercase"}


class WordPiece:
    """WordPiece cuts normalised words into the longest pieces, from the left.

    With word w[0:n] and vocabulary V the next piece is w[i:j] for the largest j with w[i:j] in V. Pieces after the
    first one carry a prefix. A word that leaves a rest is unknown as a whole, and so is one that is too long.

    Args:
        vocabulary: sequence of str, the entries in the order of their ids.
        unknown: the unknown token.
        **settings: `prefix` (str, "##") of pieces after the first; `longest_word` (int, 100), the largest number of
            characters of a word after normalisation; `normalization` (list), steps of `Normalizer` before BERT's own
            normalisation; and the settings of that, `rules`, `lowercase`, `strip_accents`, `clean` and
            `split_ideographs`, which are arguments of `codepoints`. DEFAULTS has the values of those not given.

    Raises:
        Error: when a setting is unknown or of another type, or `unknown` is not in the vocabulary.

    Example:
        >>> model = WordPiece(["[UNK]", "river", "##s"], unknown="[UNK]")
        >>> model.encode("Rivers flow")
        Pieces(ids=[1, 2, 0], offsets=[(0, 5), (5, 6), (7, 11)])
    """

    kind = "wordpiece"
    mapping: dict[str, str] = {}                  # no step charsmap
    BARE = {"normalization": [], **dict.fromkeys(FLAGS, False)}     # settings with which normal text is not changed

    def __init__(self, vocabulary: Sequence[str], unknown: str = "[UNK]", **settings: Any):
        self._settings = _checked(settings)
        self.unknown = unknown
        self.prefix, self.longest_word = self._settings["prefix"], self._settings["longest_word"]
        self.table = codepoints(*(self._settings[name] for name in NORMALIZATION))
        self.normalization = self._settings["normalization"]
        self._before = Normalizer(self.normalization)
        self._first, self._next = {}, {}
        for i, entry in enumerate(vocabulary):        # of equal entries the last counts, as in
            self._first[entry] = i                    # both references
            if entry.startswith(self.prefix):
                self._next[entry[len(self.prefix):]] = i
        if unknown not in self._first:
            raise Error(f"The vocabulary has no {unknown}; give one with the unknown token.")
        self.unk_id = self._first[unknown]
        self._longest_piece = max(map(len, vocabulary))
        self._words = _word_pattern(self.table.kinds)
        self._cache: dict[str, Pieces] = {}

    def settings(self) -> dict[str, Any]:
        """Return the settings that, with the vocabulary, make this model again.

        Returns:
            {setting: value}, as JSON.
        """
        return dict(self._settings)

    def tables(self) -> dict[str, Any]:
        """Return the large tables beside the vocabulary; WordPiece has none.

        Returns:
            An empty dict.
        """
        return {}

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text; this is faster than `encode`.

        Args:
            text: the text.

        Returns:
            A list of int.
        """
        ids: list[int] = []
        cache = self._cache
        for word in self._words.findall(self.table.final_sigmas(self._before(text))):
            ids += (cache.get(word) or self._split(word)).ids
        return ids

    def encode(self, text: str) -> Pieces:
        """Return the pieces of a text.

        Args:
            text: the text.

        Returns:
            The ids and the offsets, a `Pieces`.
        """
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        text, sources = self._before.aligned(text)
        for match in self._words.finditer(self.table.final_sigmas(text)):
            word, begin = match.group(), match.start()
            pieces = self._cache.get(word) or self._split(word)
            ids += pieces.ids
            offsets += [(sources[begin + start], sources[begin + end - 1] + 1) for start, end in pieces.offsets]
        return Pieces(ids, offsets)

    def normalized(self, text: str) -> str:
        """Return a text as words are found in it, by the rules of this model, with spaces around each ideograph.

        Args:
            text: the text.

        Returns:
            The text.

        Example:
            >>> WordPiece(["[UNK]"]).normalized("ΟΔΟΣ\\u00a0é中")
            'οδοσ e 中 '
        """
        table, parts = self.table, []
        alone = ideographs() if self._settings["split_ideographs"] else None
        for c in table.final_sigmas(self._before(text)):
            new = " " if table.kinds[ord(c)] == SPACE else table.becomes.get(c, c)
            parts.append(new if alone is None or not alone[ord(c)] else f" {new} ")
        return "".join(parts)

    @functools.cached_property
    def normalizer(self) -> Normalizer:
        """The whole normalisation, BERT's own included, as tokens that are found in a normalised text need it."""
        return Normalizer(self.steps())

    def steps(self) -> list[list[str]]:
        """Return the normalisation as steps of `Normalizer`, BERT's own as the last.

        Returns:
            A list of the steps.
        """
        flags = " ".join(flag for name, flag in FLAGS.items() if self._settings[name])
        return [*self.normalization, *([["bert", flags]] if flags else [])]

    def _split(self, raw):
        """Return the Pieces of one raw word, whose offsets count from its first character."""
        becomes = self.table.becomes
        parts = [becomes.get(c, c) for c in raw]
        word = "".join(parts)
        sources = [i for i, part in enumerate(parts) for _ in part]
        ids, ends = self.match(word)
        starts = [0, *ends[:-1]] if ids else []
        pieces = Pieces(ids, [(sources[start], sources[end - 1] + 1)
                              for start, end in zip(starts, ends, strict=True)])
        if len(raw) <= self.longest_word:
            if len(self._cache) >= CACHED_WORDS:
                self._cache.clear()
            self._cache[raw] = pieces
        return pieces

    def match(self, word: str) -> tuple[list[int], list[int]]:
        """Return the pieces of a normalised word.

        Args:
            word: the word.

        Returns:
            The ids, and where in the word each of them ends.
        """
        ids, ends = self._pieces(word)
        return (ids, ends) if not word or ends[-1:] == [len(word)] else ([self.unk_id], [len(word)])

    def matched(self, text: str) -> list[int]:
        """Return the ids of all entries that are matched in a text, also in words that are unknown for what follows.

        Args:
            text: the text.

        Returns:
            A list of int.

        Example:
            >>> WordPiece(["[UNK]", "river", "##s"], unknown="[UNK]").matched("Riversee")
            [1, 2]
        """
        return [i for word in self._words.findall(self.table.final_sigmas(self._before(text)))
                for i in self._pieces("".join(self.table.becomes.get(c, c) for c in word))[0]]

    def _pieces(self, word):
        """Return the ids of the pieces of a normalised word and where each ends, as far as there are any."""
        ids, ends, start, table = [], [], 0, self._first
        while start < len(word) <= self.longest_word:
            for end in range(min(len(word), start + self._longest_piece), start, -1):
                piece = table.get(word[start:end])
                if piece is not None:
                    break
            else:
                break
            ids.append(piece)
            ends.append(end)
            start, table = end, self._next
        return ids, ends


def _checked(settings):
    """Return the settings over the defaults; raises Error for unknown names and types."""
    for name, value in settings.items():
        if name not in DEFAULTS:
            raise Error(f"The WordPiece setting {name!r} is unknown; known are "
                        f"{', '.join(DEFAULTS)}.")
        if type(value) is not type(DEFAULTS[name]):
            raise Error(f"The WordPiece setting {name} is {value!r}; "
                        f"give one of type {type(DEFAULTS[name]).__name__}.")
    return DEFAULTS | settings


def _word_pattern(kinds):
    """Compile what finds raw words: one isolated codepoint, or a run of joined and deleted ones."""
    return re.compile(f"{run((kinds == JOINED) | (kinds == DELETED))}|{one(kinds == ISOLATED)}")

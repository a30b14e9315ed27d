"""SentencePiece models: words behind a ▁ are cut into pieces, by a unigram language model or by merges.

Sources: Kudo 2018 (arXiv 1804.10959, section 3.2) for the unigram model, Sennrich et al. 2016 (arXiv 1508.07909) for
BPE, Kudo and Richardson 2018 (arXiv 1808.06226) for both on raw text.
"""

import base64
import binascii
import math
import re
from collections.abc import Sequence
from typing import Any

from bertkit.errors import Error
from bertkit.text.models.merges import Merges
from bertkit.text.models.pieces import Pieces
from bertkit.text.unicode import BLANKS
from bertkit.text.unicode.charsmap import charsmap
from bertkit.text.unicode.normalize import Normalizer

SPACE = "▁"
CACHED_WORDS = 1 << 16                        # of ordinary length: some 30 MB at most
LONGEST_CACHED = 100                          # characters
PENALTY = 10.0                                # an unknown character scores this much below the lowest piece (Kudo 2018)
SEPARATORS = {"blanks": BLANKS, "spaces": " "}
DEFAULTS = {"normalization": [], "words": "blanks", "prefix": True, "controls": []}


class SentencePiece:
    """A SentencePiece model cuts the words of a normalised text; this class holds what the two models share.

    A space becomes ▁. A text is cut at its blanks, which vanish, or before each of its spaces.

    Args:
        vocabulary: sequence of str, the entries in the order of their ids.
        unknown: the unknown token.
        charsmap: precompiled character map in base64, "" for none.
        **settings: `normalization` (list) are steps of `Normalizer`; `words` is "blanks" to cut at all blanks or
            "spaces" to cut before spaces; `prefix` (bool) puts a ▁ before words that begin with none; `controls` (list
            of str) are entries, such as special tokens, that are not found in a text.

    Raises:
        Error: when a setting is unknown or of another type, or `unknown` is not in the vocabulary.
    """

    BARE = {"normalization": []}                  # settings with which normal text is not changed

    def __init__(self, vocabulary: Sequence[str], unknown: str, charsmap: str = "", **settings: Any):
        self._settings, self._charsmap = _checked(settings), charsmap
        self.words, self.prefix = self._settings["words"], self._settings["prefix"]
        self.normalization, self.mapping = self._settings["normalization"], mapping(charsmap)
        self.normalizer = Normalizer(self.normalization, self.mapping)
        controls = {unknown, "", *self._settings["controls"]}
        ids = {entry: i for i, entry in enumerate(vocabulary)}        # of equal entries the last counts
        if unknown not in ids:
            raise Error(f"The vocabulary has no {unknown}; give one with the unknown token.")
        self.unk_id = ids[unknown]
        self.pieces = {entry: i for entry, i in ids.items() if entry not in controls}
        ends = re.escape(SPACE + SEPARATORS[self.words])
        first = f"[{SPACE} ]" if self.words == "spaces" else SPACE
        self._words = re.compile(f"{first}?[^{ends}]+|{first}")
        self._cache: dict[str, Pieces] = {}

    def settings(self) -> dict[str, Any]:
        """Return the settings that, with the vocabulary and the tables, make this model again.

        Returns:
            {setting: value}, as JSON.
        """
        return dict(self._settings)

    def tables(self) -> dict[str, Any]:
        """Return the large tables beside the vocabulary.

        Returns:
            {"charsmap": the character map in base64}.
        """
        return {"charsmap": self._charsmap}

    def steps(self) -> list[Any]:
        """Return the normalisation as steps of `Normalizer`.

        Returns:
            A list of the steps.
        """
        return self.normalization

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text; this is faster than `encode`.

        Args:
            text: the text.

        Returns:
            A list of int.
        """
        ids: list[int] = []
        cache = self._cache
        for word in self._words.findall(self.normalizer(text)):
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
        text, sources = self.normalizer.aligned(text)
        for match in self._words.finditer(text):
            word, begin = match.group(), match.start()
            pieces = self._cache.get(word) or self._split(word)
            ids += pieces.ids
            offsets += [(sources[begin + start], sources[begin + end - 1] + 1) for start, end in pieces.offsets]
        return Pieces(ids, offsets)

    def _match(self, word):
        """Return the ids of a word and where each of them ends."""
        raise NotImplementedError

    def _split(self, raw):
        """Return the Pieces of one word, whose offsets count from its first character."""
        word = raw.replace(" ", SPACE)
        shift = int(self.prefix and word[0] != SPACE)
        ids, ends = self._match(SPACE * shift + word)
        # The ▁ that is put before a word stands for the character behind it.
        pieces = Pieces(ids, [(max(start - shift, 0), max(end - shift, 1)) for start, end in
                              zip([0, *ends], ends, strict=False)])
        if len(raw) <= LONGEST_CACHED:
            if len(self._cache) >= CACHED_WORDS:
                self._cache.clear()
            self._cache[raw] = pieces
        return pieces


class Unigram(SentencePiece):
    """The unigram model cuts a word into its most probable pieces.

    Of all ways to write a word w as pieces x1 ... xn it takes the one with the largest Σ log p(xi), found by Viterbi's
    search in float64; on ties the one whose last piece is longest. A character that is no piece scores 10 less than the
    lowest score, and such characters in a row are one unknown token.

    Args:
        vocabulary: sequence of str, the entries in the order of their ids.
        unknown: the unknown token.
        scores: log p of each entry, floats.
        **settings: settings of `SentencePiece`.

    Raises:
        Error: when there is not one finite score for each entry, or the settings are not those of `SentencePiece`.

    Example:
        >>> model = Unigram(["<unk>", "▁", "a", "b", "▁ab"], "<unk>", scores=[0, -2, -3, -3, -5])
        >>> model.encode("ab xyb")
        Pieces(ids=[4, 1, 0, 3], offsets=[(0, 2), (3, 4), (3, 5), (5, 6)])
    """

    kind = "unigram"

    def __init__(self, vocabulary: Sequence[str], unknown: str = "<unk>", scores: Sequence[float] = (),
                 **settings: Any):
        super().__init__(vocabulary, unknown, **settings)
        if len(scores) != len(vocabulary) or not all(_is_finite(score) for score in scores):
            raise Error(f"{len(scores)} scores came with {len(vocabulary)} entries of the vocabulary; "
                        "give one finite number for each.")
        self.scores, self.unknown_score = [float(score) for score in scores], min(scores) - PENALTY
        lengths: dict[str, dict[int, None]] = {}      # {two first characters: the lengths of such pieces, ascending}
        for piece in sorted(self.pieces, key=len):
            lengths.setdefault(piece[:2], {})[len(piece)] = None
        self._lengths = {key: tuple(sizes) for key, sizes in lengths.items() if len(key) == 2}

    def tables(self) -> dict[str, Any]:
        """Return the large tables beside the vocabulary.

        Returns:
            {"scores": a list of float, one for each entry, and what `SentencePiece.tables` returns}.
        """
        return {"scores": self.scores, **super().tables()}

    def _match(self, word):
        """Return the ids of a word and where each of them ends."""
        count, last = len(word), self._search(word)
        ids, ends, end = [], [], count
        while end:
            start, piece = last[end]
            if piece != self.unk_id or not ids or ids[-1] != self.unk_id:
                ids.append(piece)
                ends.append(end)
            end = start
        return ids[::-1], ends[::-1]

    def _search(self, word):
        """Return for each end the start and the id of the last piece on the best way to it."""
        count, pieces, scores, lengths = len(word), self.pieces, self.scores, self._lengths
        best = [0.0] + [-math.inf] * count
        last: list[tuple[int, int] | None] = [None] * (count + 1)
        for start, c in enumerate(word):
            before, piece = best[start], pieces.get(c, self.unk_id)
            score = before + (self.unknown_score if piece == self.unk_id else scores[piece])
            if score > best[start + 1]:
                best[start + 1], last[start + 1] = score, (start, piece)
            for length in lengths.get(word[start:start + 2], ()):
                end = start + length
                longer = pieces.get(word[start:end])
                if longer is not None and end <= count and before + scores[longer] > best[end]:
                    best[end], last[end] = before + scores[longer], (start, longer)
        return last


class BPE(SentencePiece):
    """The BPE model merges the characters of a word.

    Of the pairs of neighbours that are in `merges` the earliest in the list becomes one entry, until no such pair is
    left. A character that is no entry is unknown, and such characters in a row are one unknown token.

    Args:
        vocabulary: sequence of str, the entries in the order of their ids.
        unknown: the unknown token.
        merges: strings "left right".
        **settings: settings of `SentencePiece`.

    Raises:
        Error: when an entry of a merge is missing, or the settings are not those of `SentencePiece`.

    Example:
        >>> model = BPE(["<unk>", "▁", "a", "b", "ab"], "<unk>", merges=["a b"])
        >>> model.encode("abxya")
        Pieces(ids=[1, 4, 0, 2], offsets=[(0, 1), (0, 2), (2, 4), (4, 5)])
    """

    kind = "bpe"

    def __init__(self, vocabulary: Sequence[str], unknown: str = "<unk>", merges: Sequence[str] = (), **settings: Any):
        super().__init__(vocabulary, unknown, **settings)
        self.merges = Merges({entry: i for i, entry in enumerate(vocabulary)}, merges)

    def tables(self) -> dict[str, Any]:
        """Return the large tables beside the vocabulary.

        Returns:
            {"merges": a list of str "left right", and what `SentencePiece.tables` returns}.
        """
        return {"merges": list(self.merges.merges), **super().tables()}

    def _match(self, word):
        """Return the ids of a word and where each of them ends."""
        symbols, ends = [], []
        for end, c in enumerate(word, 1):
            symbol = self.pieces.get(c, self.unk_id)
            if symbol == self.unk_id and symbols[-1:] == [symbol]:
                ends[-1] = end
            else:
                symbols.append(symbol)
                ends.append(end)
        ids, counts = self.merges(symbols)
        return ids, [ends[count - 1] for count in counts]


def _checked(settings):
    """Return the settings over the defaults; raises Error for unknown names and types."""
    for name, value in settings.items():
        if name not in DEFAULTS:
            raise Error(f"The SentencePiece setting {name!r} is unknown; known are {', '.join(DEFAULTS)}.")
        if type(value) is not type(DEFAULTS[name]):
            raise Error(f"The SentencePiece setting {name} is {value!r}; "
                        f"give one of type {type(DEFAULTS[name]).__name__}.")
    settings = DEFAULTS | settings
    if settings["words"] not in SEPARATORS:
        raise Error(f"The SentencePiece setting words is {settings['words']!r}; give {' or '.join(SEPARATORS)}.")
    return settings


def mapping(encoded: str) -> dict[str, str]:
    """Return the entries of a precompiled character map.

    Args:
        encoded: the map in base64.

    Returns:
        A dict {text: what it becomes}.

    Raises:
        Error: when the map is not in base64, or is damaged.
    """
    try:
        return charsmap(base64.b64decode(encoded, validate=True))
    except (TypeError, ValueError, binascii.Error):
        raise Error("The precompiled character map is not in base64; copy the tokenizer's files again.") from None


def _is_finite(score):
    return isinstance(score, (int, float)) and not isinstance(score, bool) and math.isfinite(score)

"""SentencePiece models: words behind a ▁ into pieces, by a unigram language model or by merges.

Sources: Kudo 2018 (arXiv 1804.10959, section 3.2) for the unigram model, Sennrich et al. 2016 (arXiv 1508.07909) for
BPE, Kudo and Richardson 2018 (arXiv 1808.06226) for both on raw text.
"""

import base64
import binascii
import math
import re

from bertkit.errors import Error
from bertkit.text.models.merges import Merges
from bertkit.text.models.pieces import Pieces
from bertkit.text.unicode import BLANKS
from bertkit.text.unicode.charsmap import charsmap
from bertkit.text.unicode.normalize import Normalizer

SPACE = "▁"
CACHED_WORDS = 1 << 16                        # of ordinary length: some 30 MB at most
LONGEST_CACHED = 100                          # characters
PENALTY = 10.0                                # of an unknown character, below the worst piece: Kudo's choice
SEPARATORS = {"blanks": BLANKS, "spaces": " "}
DEFAULTS = {"normalization": [], "words": "blanks", "prefix": True, "controls": []}


class SentencePiece:
    """Words of a normalised text behind a ▁: what the two models share.

    A text is normalised (see Normalizer; `charsmap` is a precompiled map in base64) and cut into words: at `words`
    "blanks", which vanish, or before each of the "spaces". A space becomes ▁, and `prefix` puts a ▁ before words that
    begin with none. The entries `controls`, such as special tokens, are not found in a text.
    Raises Error if a setting is unknown or of another type, or `unknown` is not in the vocabulary.
    """

    def __init__(self, vocabulary, unknown, charsmap="", **settings):
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
        self._cache = {}

    def settings(self):
        """Return the settings that, with the vocabulary and the tables, make this model again."""
        return dict(self._settings)

    def tables(self):
        """Return the large tables beside the vocabulary."""
        return {"charsmap": self._charsmap}

    def ids(self, text):
        """Return the ids of a str; the fast path."""
        found, cache = [], self._cache
        for word in self._words.findall(self.normalizer(text)):
            found += (cache.get(word) or self._split(word)).ids
        return found

    def encode(self, text):
        """Return the Pieces of a str."""
        ids, offsets = [], []
        text, sources = self.normalizer.aligned(text)
        for match in self._words.finditer(text):
            word, begin = match.group(), match.start()
            pieces = self._cache.get(word) or self._split(word)
            ids += pieces.ids
            offsets += [(sources[begin + start], sources[begin + end - 1] + 1) for start, end in pieces.offsets]
        return Pieces(ids, offsets)

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
    """The most probable pieces of a word.

    Of all ways to write a word w as pieces x1 ... xn the one with the largest Σ log p(xi), found by Viterbi's search
    in float64; of equal ones the one whose last piece is longest. `scores` are log p of each entry; a character that
    is no piece scores 10 less than the lowest of them, and such characters in a row are one `unknown`.
    Raises Error if there is not one finite score for each entry, and where SentencePiece does.

    >>> model = Unigram(["<unk>", "▁", "a", "b", "▁ab"], "<unk>", scores=[0, -2, -3, -3, -5])
    >>> model.encode("ab xyb")
    Pieces(ids=[4, 1, 0, 3], offsets=[(0, 2), (3, 4), (3, 5), (5, 6)])
    """

    kind = "unigram"

    def __init__(self, vocabulary, unknown="<unk>", scores=(), **settings):
        super().__init__(vocabulary, unknown, **settings)
        if len(scores) != len(vocabulary) or not all(_is_finite(score) for score in scores):
            raise Error(f"{len(scores)} scores came with {len(vocabulary)} entries of the vocabulary; "
                        "give one finite number for each.")
        self.scores, self.unknown_score = [float(score) for score in scores], min(scores) - PENALTY
        lengths = {}                          # {two first characters: the lengths of such pieces, ascending}
        for piece in sorted(self.pieces, key=len):
            lengths.setdefault(piece[:2], {})[len(piece)] = None
        self._lengths = {key: tuple(found) for key, found in lengths.items() if len(key) == 2}

    def tables(self):
        """Return the large tables beside the vocabulary."""
        return {"scores": self.scores, **super().tables()}

    def _match(self, word):
        """Return the ids of a word and where each of them ends."""
        count, last = len(word), self._search(word)
        ids, ends, end = [], [], count
        while end:
            start, found = last[end]
            if found != self.unk_id or not ids or ids[-1] != self.unk_id:
                ids.append(found)
                ends.append(end)
            end = start
        return ids[::-1], ends[::-1]

    def _search(self, word):
        """Return for each end the start and the id of the piece that the best way to get there ends with."""
        count, pieces, scores, lengths = len(word), self.pieces, self.scores, self._lengths
        best, last = [0.0] + [-math.inf] * count, [None] * (count + 1)
        for start, c in enumerate(word):
            before, found = best[start], pieces.get(c, self.unk_id)
            score = before + (self.unknown_score if found == self.unk_id else scores[found])
            if score > best[start + 1]:
                best[start + 1], last[start + 1] = score, (start, found)
            for length in lengths.get(word[start:start + 2], ()):
                end = start + length
                found = pieces.get(word[start:end])
                if found is not None and end <= count and before + scores[found] > best[end]:
                    best[end], last[end] = before + scores[found], (start, found)
        return last


class BPE(SentencePiece):
    """The characters of a word, merged: of the pairs of neighbours in `merges` the earliest one becomes one entry.

    `merges` are strings "left right". A character that is no entry is `unknown`, and such characters in a row are one.
    Raises Error where Merges and SentencePiece do.

    >>> model = BPE(["<unk>", "▁", "a", "b", "ab"], "<unk>", merges=["a b"])
    >>> model.encode("abxya")
    Pieces(ids=[1, 4, 0, 2], offsets=[(0, 1), (0, 2), (2, 4), (4, 5)])
    """

    kind = "bpe"

    def __init__(self, vocabulary, unknown="<unk>", merges=(), **settings):
        super().__init__(vocabulary, unknown, **settings)
        self.merges = Merges({entry: i for i, entry in enumerate(vocabulary)}, merges)

    def tables(self):
        """Return the large tables beside the vocabulary."""
        return {"merges": list(self.merges.merges), **super().tables()}

    def _match(self, word):
        """Return the ids of a word and where each of them ends."""
        symbols, ends = [], []
        for end, c in enumerate(word, 1):
            found = self.pieces.get(c, self.unk_id)
            if found == self.unk_id and symbols[-1:] == [found]:
                ends[-1] = end
            else:
                symbols.append(found)
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


def mapping(encoded):
    """Return the entries of a precompiled character map in base64."""
    try:
        return charsmap(base64.b64decode(encoded, validate=True))
    except (TypeError, ValueError, binascii.Error):
        raise Error("The precompiled character map is not in base64; copy the tokenizer's files again.") from None


def _is_finite(score):
    return isinstance(score, (int, float)) and not isinstance(score, bool) and math.isfinite(score)

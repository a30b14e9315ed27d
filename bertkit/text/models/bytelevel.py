"""Byte-level BPE: a list of pairs merges the bytes of words, the earliest pair of the list first.

Sources: Sennrich et al. 2016 (arXiv 1508.07909), on bytes by Radford et al. 2019 (GPT-2), as RoBERTa, Longformer and
ModernBERT use it; with the words of LLaMA 3 (Dubey et al. 2024, its tokenizer) as EuroBERT uses it.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from bertkit.errors import Error
from bertkit.text.models.merges import Merges
from bertkit.text.models.pieces import Pieces
from bertkit.text.unicode import BLANKS
from bertkit.text.unicode.codepoints import BLANK, LETTER, NUMBER, OTHER, categories, one, run
from bertkit.text.unicode.normalize import Normalizer, span

CACHED_WORDS = 1 << 16                        # of ordinary length: some 30 MB at most
LONGEST_CACHED = 100                          # characters
DEFAULTS = {"prefix_space": False, "normalization": [], "unknown_bytes": False, "words": "gpt2",
            "whole_words": False}
ABSENT = {0xC0, 0xC1, *range(0xF5, 0x100)}    # bytes that UTF-8 does not have
SURROGATE = re.compile("[\ud800-\udfff]")


@functools.lru_cache
def letters() -> list[str]:
    """Return the 256 printable letters that stand for bytes in the entries of a vocabulary.

    Bytes that are printable in Latin-1 stand for themselves, the others for letters from U+0100 on.

    Returns:
        A list of 256 letters, in the order of the bytes.

    Example:
        >>> "".join(letters()[b] for b in " a\\n".encode())
        'ĠaĊ'
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


class ByteLevel:
    """Byte-level BPE merges the bytes of words, and of the blanks between them.

    A word is a run of letters, of numbers or of other signs with the space before it, or an English ending such as
    's. By the rules "llama3" numbers have at most three digits, letters take any one sign before them, signs the
    line ends behind them, and line ends the blanks before them. A word's bytes are entries. Of the pairs of
    neighbours that are in `merges`, the earliest in the list becomes one entry, the leftmost one on ties, until no
    such pair is left. The unknown token is never used, because each byte of UTF-8 is an entry.

    Args:
        vocabulary: sequence of str, the entries in the order of their ids, in the letters of `letters`.
        unknown: the unknown token, which is used with `unknown_bytes` only.
        merges: strings "left right".
        **settings: `prefix_space` (bool, False) puts a space before a text that begins with none; `normalization`
            (list) are steps of `Normalizer`, such as ["nfc"] for ModernBERT; `unknown_bytes` (bool, False) puts the
            unknown token in the place of a byte that the vocabulary lacks, instead of dropping it; `words` ("gpt2" or
            "llama3") are the rules by which a text is cut; `whole_words` (bool, False) takes a word that is an entry
            as it is, whatever the merges make of it.

    Raises:
        Error: when no byte has an entry, an entry of a merge is missing, or a setting is unknown or of another type.

    Example:
        >>> model = ByteLevel([*letters(), "he", "Ġt", "Ġthe"], merges=["h e", "Ġ t", "Ġt he"])
        >>> model.encode("a the")
        Pieces(ids=[97, 258], offsets=[(0, 1), (2, 5)])
    """

    kind = "bytelevel"
    mapping: dict[str, str] = {}                  # no step charsmap
    BARE = {"normalization": []}                  # settings with which normal text is not changed

    def __init__(self, vocabulary: Sequence[str], unknown: str | None = None, merges: Sequence[str] = (),
                 **settings: Any):
        self._settings = _checked(settings)
        ids = {entry: i for i, entry in enumerate(vocabulary)}        # of equal entries the last counts
        self.byte_ids, self.merges = _byte_ids(ids), Merges(ids, merges)
        if self._settings["unknown_bytes"]:
            self.byte_ids = [ids.get(unknown or "") if i is None else i for i in self.byte_ids]
        self.prefix_space, self.normalization = self._settings["prefix_space"], self._settings["normalization"]
        self.words, self.whole_words = self._settings["words"], self._settings["whole_words"]
        self.normalizer, self._words = Normalizer(self.normalization), PATTERNS[self.words]()
        self._entries = ids if self.whole_words else {}
        self._cache: dict[str, Pieces] = {}

    def settings(self) -> dict[str, Any]:
        """Return the settings that, with the vocabulary and the tables, make this model again.

        Returns:
            {setting: value}, as JSON.
        """
        return dict(self._settings)

    def tables(self) -> dict[str, Any]:
        """Return the merges.

        Returns:
            {"merges": a list of str "left right"}.
        """
        return {"merges": list(self.merges.merges)}

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text; this is faster than `encode`.

        Args:
            text: the text.

        Returns:
            A list of int.
        """
        ids: list[int] = []
        cache = self._cache
        text = self.normalizer(text)
        for word in self._words.findall(self._prefix(text) + text):
            ids += (cache.get(word) or self._split(word)).ids
        return ids

    def encode(self, text: str) -> Pieces:
        """Return the pieces of a text; their offsets leave out the spaces at their ends.

        Args:
            text: the text.

        Returns:
            The ids and the offsets, a `Pieces`.
        """
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        text, sources = self.normalizer.aligned(text)
        prefix = self._prefix(text)
        for match in self._words.finditer(prefix + text):
            word, begin = match.group(), match.start() - len(prefix)
            pieces = self._cache.get(word) or self._split(word)
            ids += pieces.ids
            offsets += [span(sources, begin + start, begin + end) for start, end in pieces.offsets]
        return Pieces(ids, offsets)

    def steps(self) -> list[list[str]]:
        """Return the normalisation as steps of `Normalizer`.

        Returns:
            A list of the steps.
        """
        return self.normalization

    def _prefix(self, text):
        return " " if self.prefix_space and text and text[0] != " " else ""

    def _split(self, word):
        """Return the Pieces of one word, whose offsets count from its first character."""
        try:
            data = word.encode()
        except UnicodeEncodeError:                                    # lone surrogates
            return self._split(SURROGATE.sub("\ufffd", word))
        known = [self.byte_ids[byte] is not None for byte in data]
        places = [*itertools.compress((i for i, c in enumerate(word) for _ in c.encode()), known)]
        data = bytes(itertools.compress(data, known))
        whole = self._entries.get("".join(map(letters().__getitem__, data)))
        ids, ends = self.merges([self.byte_ids[byte] for byte in data]) if whole is None else ([whole], [len(data)])
        pieces = Pieces(ids, [_trimmed(data[start:end], places[start], places[end - 1] + 1)
                              for start, end in zip([0, *ends], ends, strict=False)])
        if len(word) <= LONGEST_CACHED:
            if len(self._cache) >= CACHED_WORDS:
                self._cache.clear()
            self._cache[word] = pieces
        return pieces


def _trimmed(piece, start, end):
    """Return the range of characters of a piece without the spaces at its ends."""
    start = min(start + len(piece) - len(piece.lstrip(b" ")), end)
    return start, max(end - len(piece) + len(piece.rstrip(b" ")), start)


def _checked(settings):
    """Return the settings over the defaults; raises Error for unknown names and types."""
    if settings.pop("nfc", False):                            # the setting of earlier versions
        settings["normalization"] = [["nfc"]]
    for name, value in settings.items():
        if name not in DEFAULTS:
            raise Error(f"The ByteLevel setting {name!r} is unknown; known are {', '.join(DEFAULTS)}.")
        if type(value) is not type(DEFAULTS[name]):
            raise Error(f"The ByteLevel setting {name} is {value!r}; give one of type {type(DEFAULTS[name]).__name__}.")
    if settings.get("words", "gpt2") not in PATTERNS:
        raise Error(f"The ByteLevel setting words is {settings['words']!r}; give one of {', '.join(PATTERNS)}.")
    return DEFAULTS | settings


def missing_bytes(vocabulary: Iterable[str]) -> list[int]:
    """Return the bytes of UTF-8 that a vocabulary has no entry for.

    Args:
        vocabulary: the entries.

    Returns:
        The bytes, ascending.

    Example:
        >>> missing_bytes([letter for letter in letters() if letter != "Z"])
        [90]
    """
    known = set(vocabulary)
    return [byte for byte, letter in enumerate(letters()) if letter not in known and byte not in ABSENT]


def _byte_ids(ids):
    """Return the ids of the 256 bytes, None for those that have no entry."""
    if not any(letter in ids for letter in letters()):
        raise Error("The vocabulary has no entry for any byte; give one of byte-level BPE.")
    return [ids.get(letter) for letter in letters()]


@functools.lru_cache
def _word_pattern():
    """Compile the pattern of GPT-2, with the classes of `categories`."""
    kinds = categories()
    letter, number, other = (run(kinds == kind) for kind in (LETTER, NUMBER, OTHER))
    return re.compile(f"'(?:[stmd]|re|ve|ll)| ?{letter}| ?{number}| ?{other}|[{BLANKS}]+(?![^{BLANKS}])|[{BLANKS}]+")


@functools.lru_cache
def _llama_pattern():
    """Compile the pattern of LLaMA 3, with the same classes; a long s, \u017f, is an s without regard to case."""
    kinds = categories()
    letter, other = (run(kinds == kind) for kind in (LETTER, OTHER))
    before = (kinds == OTHER) | (kinds == BLANK)
    before[[ord("\r"), ord("\n")]] = False
    return re.compile(f"'(?:[stmdSTMD\u017f]|[rRvV][eE]|[lL][lL])|{one(before)}?{letter}|{one(kinds == NUMBER)}{{1,3}}"
                      f"| ?{other}[\\r\\n]*|[{BLANKS}]*[\\r\\n]+|[{BLANKS}]+(?![^{BLANKS}])|[{BLANKS}]+")


PATTERNS = {"gpt2": _word_pattern, "llama3": _llama_pattern}

"""Japanese words by a dictionary (MeCab), then pieces: the tokenizer of the BERT models of Tohoku University.

Sources: Kudo et al. 2004 (Applying conditional random fields to Japanese morphological analysis) for MeCab; the
BertJapaneseTokenizer of Hugging Face's transformers for how words and pieces come together.
"""

import functools
import importlib
from collections.abc import Sequence
from typing import Any

from bertkit.errors import Error
from bertkit.requirements import missing
from bertkit.text.models.pieces import Pieces
from bertkit.text.models.wordpiece import WordPiece
from bertkit.text.unicode.normalize import Normalizer, span

DICTIONARIES = {"unidic_lite": "unidic-lite", "ipadic": "ipadic", "unidic": "unidic"}      # module: package
SUBWORDS = ("wordpiece", "character", "whole")
DEFAULTS = {"dictionary": "unidic_lite", "subwords": "wordpiece", "normalization": [["nfkc"]], "lowercase": False}


class Japanese:
    """Words of a MeCab dictionary, each cut into the longest pieces or into its characters.

    A text is normalised (NFKC), MeCab cuts it into words, and blanks vanish. A word becomes lower case where
    `lowercase` says so, then it is cut as WordPiece cuts, or into characters, or looked up as a whole.

    Args:
        vocabulary: sequence of str, the entries in the order of their ids.
        unknown: the unknown token.
        **settings: `dictionary` (str), a name of DICTIONARIES, or "" for no words: then blanks alone part the text;
            `subwords` (str), one of SUBWORDS; `normalization` (list), steps of `Normalizer`; `lowercase` (bool).

    Raises:
        Error: when MeCab or the dictionary is not installed, or a setting is unknown or of another type.
    """

    kind = "japanese"
    mapping: dict[str, str] = {}                  # no step charsmap
    BARE = {"normalization": []}                  # settings with which normal text is not changed

    def __init__(self, vocabulary: Sequence[str], unknown: str = "[UNK]", **settings: Any):
        self._settings = _checked(settings)
        self.normalization, self._lowercase = self._settings["normalization"], self._settings["lowercase"]
        self.normalizer = Normalizer(self.normalization)
        self._pieces = WordPiece(vocabulary, unknown, **WordPiece.BARE)
        self._ids = {entry: i for i, entry in enumerate(vocabulary)}
        self._cut = {"wordpiece": self._longest, "character": self._characters, "whole": self._whole}[
            self._settings["subwords"]]
        self._parse = _mecab(self._settings["dictionary"]) if self._settings["dictionary"] else None

    def settings(self) -> dict[str, Any]:
        """Return the settings that, with the vocabulary, make this model again.

        Returns:
            {setting: value}, as JSON.
        """
        return dict(self._settings)

    def tables(self) -> dict[str, Any]:
        """Return the large tables beside the vocabulary; there are none.

        Returns:
            An empty dict.
        """
        return {}

    def steps(self) -> list[Any]:
        """Return the normalisation as steps of `Normalizer`.

        Returns:
            A list of the steps.
        """
        return self.normalization

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text.

        Args:
            text: the text.

        Returns:
            A list of int.
        """
        return self.encode(text).ids

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
        for begin, word in self._words(text):
            lower = word.lower() if self._lowercase else word
            size = len(word)                          # lower-casing can make a word longer; then its last place stands
            for piece, start, end in self._cut(lower):
                ids.append(piece)
                offsets.append(span(sources, begin + min(start, size - 1), begin + min(end, size)))
        return Pieces(ids, offsets)

    def _words(self, text):
        """Yield (begin, word) of the words of a normalised text."""
        if self._parse is None:
            yield from [(0, text)] if text else []
            return
        at = 0
        for word in self._parse(text.encode("utf-8", "replace").decode()):
            found = text.find(word.surface, at)
            if found >= 0:                            # MeCab drops the blanks between words
                yield found, word.surface
                at = found + len(word.surface)

    def _longest(self, word):
        at = 0
        for part in word.split():
            at = word.index(part, at)
            ids, ends = self._pieces.match(part)
            yield from ((i, at + start, at + end) for i, start, end in zip(ids, [0, *ends], ends, strict=False))
            at += len(part)

    def _characters(self, word):
        text, places = _nfkc().aligned(word)
        return ((self._ids.get(c, self._pieces.unk_id), i, i + 1) for c, i in zip(text, places, strict=True))

    def _whole(self, word):
        return [(self._ids.get(word, self._pieces.unk_id), 0, len(word))]


def _checked(settings):
    """Return the settings over the defaults; raises Error for unknown names and values."""
    for name, value in settings.items():
        if name not in DEFAULTS:
            raise Error(f"The Japanese setting {name!r} is unknown; known are {', '.join(DEFAULTS)}.")
        if type(value) is not type(DEFAULTS[name]):
            raise Error(f"The Japanese setting {name} is {value!r}; give one of type {type(DEFAULTS[name]).__name__}.")
    settings = DEFAULTS | settings
    for name, known in (("dictionary", ("", *DICTIONARIES)), ("subwords", SUBWORDS)):
        if settings[name] not in known:
            raise Error(f"The Japanese setting {name} is {settings[name]!r}; give {' or '.join(map(repr, known))}.")
    return settings


def _mecab(dictionary):
    """Return MeCab with a dictionary: a function from a text to its words."""
    purpose = f"BertJapaneseTokenizer with word_tokenizer_type mecab and the dictionary {dictionary}"
    try:
        fugashi = importlib.import_module("fugashi")
    except ImportError:
        raise missing("fugashi", purpose) from None
    try:
        folder = importlib.import_module(dictionary).DICDIR
    except ImportError:
        raise missing(DICTIONARIES[dictionary], purpose) from None
    try:
        return fugashi.GenericTagger(f'-d "{folder}" -r "{folder}/mecabrc"')
    except RuntimeError as error:
        raise Error(f"{purpose}: MeCab cannot open {folder}; install the package {DICTIONARIES[dictionary]} "
                    "again.") from error


@functools.cache
def _nfkc():
    """Return the normalizer; not made at import, because its tables take as long as a text's whole answer."""
    return Normalizer([["nfkc"]])

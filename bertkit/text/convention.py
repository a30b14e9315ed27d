"""How the data that a tagger was trained on part words where no blank does, learned from their words alone."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

from bertkit.errors import Error
from bertkit.text.words import words

IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Scripts that are written without blanks between words: Thai, Lao, Burmese, Khmer, kana, ideographs.
WITHOUT_BLANKS = ("\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u3041-\u30ff\u31f0-\u31ff\ua9e0-\ua9ff"
                  f"\uaa60-\uaa7f\uff66-\uff9d{IDEOGRAPHS}")
_UNBROKEN = re.compile(f"[{WITHOUT_BLANKS}]+")
_IDEOGRAPH_OR_RUN = re.compile(f"[{IDEOGRAPHS}]|[^{IDEOGRAPHS}]+")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u2018\u02bc\u2032\uff07\u055a", "'"))
NEVER = ".,:;@_"        # in 3.5, 1,000, 10:30, a@b.c a mark parts no words
MOST_WHOLE, MOST_WORDS = 2_000, 20_000      # words that are kept


@dataclass(frozen=True)
class Convention:
    """How words are parted in raw text, so that they are those of the data that a tagger was trained on.

    A mark between letters parts words where the data do: an apostrophe after "dell'" or before "'s", which they have as
    words; other marks where they more often end a word than stand in one. Scripts that are written without blanks are
    parted into words of the data, the longest first. All is in lower case, with ' for every apostrophe.

    Args:
        after: The marks that end a word, as "'" in "dell'".
        alone: The marks that are words of their own.
        prefixes: Words that end in a mark.
        suffixes: Words that begin with an apostrophe.
        wholes: Words that stay whole in spite of the marks in them.
        unbroken: Words of scripts that are written without blanks.
        genitive: Whether "'s" is a word of its own.

    Raises:
        Error: when a part is of another type.

    Example:
        >>> made = Convention.learned([["il", "nord", "dell'", "Italia"]])
        >>> text = "L\u2019Austria e l'Italia."
        >>> [text[start:end] for start, end in made.words(text)]
        ['L\u2019', 'Austria', 'e', "l'", 'Italia', '.']
    """

    after: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()
    unbroken: tuple[str, ...] = ()
    genitive: bool = True

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name == "genitive":
                continue
            if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
                raise Error(f"The word convention has {name}={value!r:.40}, wanted a list of words; copy the folder "
                            "again.")
            object.__setattr__(self, name, tuple(value))

    @classmethod
    def learned(cls, sentences: Iterable[Sequence[str]]) -> Self:
        """Learn the convention of tagged sentences.

        Args:
            sentences: The words of each sentence.

        Returns:
            The `Convention`.
        """
        counts = Counter(plain(word) for sentence in sentences for word in sentence)
        inside, ends, begins, alone = _places(counts)
        prefixes = tuple(sorted(word for word, n in counts.items() if len(word) > 1 and _is_mark(word[-1])
                                and _is_letter(word[-2]) and n > counts[word[:-1]]))
        suffixes = tuple(sorted(word for word in counts if len(word) > 1 and word[0] == "'" and _is_letter(word[1])))
        marks = [mark for mark in sorted(inside | ends | begins | alone) if mark not in NEVER]
        made = cls(after=tuple(mark for mark in marks if ends[mark] > inside[mark]),
                   alone=tuple(mark for mark in marks if alone[mark] and not inside[mark] + ends[mark] + begins[mark]),
                   prefixes=prefixes, suffixes=suffixes, genitive="'s" in suffixes or not inside["'"])
        wholes = [word for word, _ in counts.most_common() if any(map(_is_mark, word)) and len(made.words(word)) > 1]
        unbroken = [word for word, _ in counts.most_common() if len(word) > 1 and _UNBROKEN.fullmatch(word)]
        return cls(**{**asdict(made), "wholes": tuple(wholes[:MOST_WHOLE]), "unbroken": tuple(unbroken[:MOST_WORDS])})

    def to_json(self) -> dict[str, Any]:
        """Return the convention as JSON values, from which `Convention(**values)` makes it again.

        Returns:
            {name of a part: list of words}, and "genitive".
        """
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def words(self, text: str) -> list[tuple[int, int]]:
        """Return where the words of a text are.

        Args:
            text: The text.

        Returns:
            A list of (start, end) in characters, in order.
        """
        found, at = [], 0
        for run in _UNBROKEN.finditer(text) if self.unbroken else ():
            found += self._parted(text, at, run.start()) + self._looked_up(text, *run.span())
            at = run.end()
        return found + self._parted(text, at, len(text))

    def is_whole(self, word: str) -> bool:
        """Return whether a word stays as it is, in spite of the marks in it or at its end.

        Args:
            word: The word.

        Returns:
            Whether it is among the words of the data.
        """
        return plain(word) in self._known

    @cached_property
    def _known(self):
        return frozenset(self.prefixes + self.wholes)

    @cached_property
    def _suffixes(self):
        return frozenset(self.suffixes)

    @cached_property
    def _dictionary(self):
        """{first character: words that begin with it, the longest first}."""
        found: dict[str, Any] = {}
        for word in sorted(self.unbroken, key=len, reverse=True):
            found.setdefault(word[0], []).append(word)
        return found

    def _parted(self, text, start, end):
        """Return the words between two places, parted at the marks in them."""
        return [part for word in words(text, start, end, self) for part in self._at_marks(text, *word)]

    def _at_marks(self, text, start, end):
        found = []
        for at in range(start + 1, end - 1):
            if at <= start or not (_is_mark(text[at]) and _is_letter(text[at - 1]) and _is_letter(text[at + 1])):
                continue
            if self.is_whole(text[start:end]):
                break
            mark = plain(text[at])
            if mark == "'" and plain(text[at:end]) in self._suffixes and not self.is_whole(text[start:at + 1]):
                found.append((start, at))
                start = at
            elif mark in self.after or mark == "'" and self.is_whole(text[start:at + 1]):
                found.append((start, at + 1))
                start = at + 1
            elif mark in self.alone:
                found += [(start, at), (at, at + 1)]
                start = at + 1
        return [*found, (start, end)] if start < end else found

    def _looked_up(self, text, start, end):
        """Return the words of a text without blanks: the longest that the data have, and what is between them."""
        found, unknown, at = [], start, start
        while at < end:
            word = next((word for word in self._dictionary.get(text[at], ()) if text.startswith(word, at, end)), None)
            if word is None or unicodedata.category(text[at])[0] == "M":
                at += 1
                continue
            found += _unknown(text, unknown, at)
            found.append((at, at + len(word)))
            unknown = at = at + len(word)
        return found + _unknown(text, unknown, end)


def plain(word: str) -> str:
    """Return a word as conventions compare it: in lower case, with ' for every apostrophe.

    Args:
        word: The word.

    Returns:
        The word, as long as it was.

    Example:
        >>> plain("L\u2019")
        "l'"
    """
    lower = word.lower()
    return (lower if len(lower) == len(word) else word).translate(_APOSTROPHES)


def at_apostrophes(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Part a word after each apostrophe that stands between letters.

    Args:
        text: The text.
        start: Where the word starts.
        end: Where it ends.

    Returns:
        (start, end) of each part, in characters of the text.

    Example:
        >>> at_apostrophes("dell'Italia", 0, 11)
        [(0, 5), (5, 11)]
    """
    cuts = [at + 1 for at in range(start + 1, end - 1)
            if plain(text[at]) == "'" and _is_letter(text[at - 1]) and _is_letter(text[at + 1])]
    return list(zip([start, *cuts], [*cuts, end], strict=True))


def is_unbroken(text: str) -> bool:
    """Return whether a word holds a script without blanks other than ideographs, so that it may be several words.

    Args:
        text: The word.

    Returns:
        Whether it does.

    Example:
        >>> is_unbroken("\u0e01\u0e23\u0e38\u0e07\u0e40\u0e17\u0e1e"), is_unbroken("Rome")
        (True, False)
    """
    return any(_UNBROKEN.search(run) for run in _IDEOGRAPH_OR_RUN.findall(text) if len(run) > 1)


def _unknown(text, start, end):
    """Return what the dictionary lacks: ideographs one by one, another script as a whole."""
    return [run.span() for run in _IDEOGRAPH_OR_RUN.finditer(text, start, end)]


def _places(counts):
    """Return how often each mark stands between letters, ends a word, begins one and is one: four `Counter`."""
    inside, ends, begins, alone = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for word, n in counts.items():
        for at, mark in enumerate(word):
            if not _is_mark(mark):
                continue
            before, behind = at > 0 and _is_letter(word[at - 1]), at + 1 < len(word) and _is_letter(word[at + 1])
            if before and behind:
                inside[mark] += n
            elif before and at + 1 == len(word):
                ends[mark] += n
            elif behind and at == 0:
                begins[mark] += n
            elif len(word) == 1:
                alone[mark] += n
    return inside, ends, begins, alone


def _is_mark(letter):
    return unicodedata.category(letter)[0] in "PS" or letter in "\u02bc"


def _is_letter(letter):
    return letter.isalnum() and letter not in "\u02bc" or unicodedata.category(letter)[0] == "M"

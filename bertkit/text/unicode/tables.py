"""The Unicode tables of normalisation, of one fixed version for every Python that runs bertkit.

Source: the Unicode Standard, sections 3.11 and 3.12 (normalization forms, Hangul), and its Annex 29 (grapheme
clusters). The data come from the library `tokenizers`, asked codepoint by codepoint, as `provenance` says.
"""

import functools
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SIZE = 0x110000
FILE = Path(__file__).with_name("normalization.npz")
HANGUL, LEADING, VOWEL, TRAILING = 0xAC00, 0x1100, 0x1161, 0x11A7
VOWELS, TRAILINGS, SYLLABLES = 21, 28, 11172


def provenance() -> str:
    """Return the sentence that says which program and Unicode versions made the tables.

    Returns:
        The sentence.
    """
    return json.loads(str(_archive()["about"]))


@functools.lru_cache
def decompositions(form: str) -> dict[str, str]:
    """Return the decompositions of codepoints, those of Hangul included.

    Args:
        form: "canonical" or "compatibility".

    Returns:
        A dict {codepoint: text}.
    """
    rows = np.cumsum(_archive()[form], axis=0).tolist()
    return {chr(c): "".join(chr(d) for d in becomes if d >= 0) for c, *becomes in rows} | _hangul()


@functools.lru_cache
def compositions() -> dict[str, str]:
    """Return which two codepoints compose a third, those of Hangul included.

    Returns:
        A dict {two codepoints: the codepoint that they compose}.

    Example:
        >>> compositions()["e\\u0301"]
        'é'
    """
    rows = np.cumsum(_archive()["compositions"], axis=0).tolist()
    syllables = {_parts(c): c for c in _hangul()}
    return {chr(a) + chr(b): chr(c) for c, a, b in rows} | syllables


@functools.lru_cache
def combining_classes() -> dict[str, int]:
    """Return the canonical combining classes that are not 0.

    Returns:
        A dict {codepoint: class}.
    """
    return {chr(c): n for c, n in np.cumsum(_archive()["classes"], axis=0).tolist()}


@functools.lru_cache
def members(name: str) -> np.ndarray:
    """Return the codepoints of a set.

    Args:
        name: "accents" for the marks of category M; "extend", "prepend" or "control" for grapheme clusters. A cluster
            goes on before a codepoint of "extend" and after one of "prepend", but not around one of "control".

    Returns:
        bool array [0x110000].
    """
    chosen = np.zeros(SIZE, bool)
    for first, last in _archive()[name]:
        chosen[first:last + 1] = True
    return chosen


def decomposed(text: str, table: dict[str, str]) -> list[tuple[str, int]]:
    """Return the full decomposition of a text, in canonical order.

    Args:
        text: the text.
        table: dict {codepoint: text} of `decompositions`.

    Returns:
        A list of (character, 1 if it is inserted, else 0).
    """
    classes, begin = combining_classes(), 0
    ordered: list[tuple[str, int]] = []
    pairs = [(d, int(i > 0)) for c in text for i, d in enumerate(table.get(c, c))]
    for end in range(len(pairs) + 1):
        if end == len(pairs) or pairs[end][0] not in classes:
            ordered += sorted(pairs[begin:end], key=lambda pair: classes[pair[0]])
            ordered += pairs[end:end + 1]
            begin = end + 1
    return ordered


def composed(pairs: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Compose what a decomposition holds (Unicode, section 3.11, D117).

    Args:
        pairs: list of (character, change) of `decomposed`.

    Returns:
        The list after composition; a change of -n says that the character takes n more of the given characters.
    """
    classes, starter, last = combining_classes(), -1, 0          # the starter's place, -1 before the first
    result: list[tuple[str, int]] = []
    for c, change in pairs:
        cls = classes.get(c, 0)
        blocked = starter < 0 or starter < len(result) - 1 and last >= cls
        new = None if blocked else compositions().get(result[starter][0] + c)
        if new:
            result[starter] = new, result[starter][1] + change - 1
            continue
        if cls == 0:
            starter = len(result)
        result.append((c, change))
        last = cls
    return result


@functools.lru_cache
def _hangul():
    return {chr(HANGUL + i): _jamo(i) for i in range(SYLLABLES)}


def _jamo(syllable):
    """Return the two or three letters of the Hangul syllable of this number."""
    rest, trailing = divmod(syllable, TRAILINGS)
    leading, vowel = divmod(rest, VOWELS)
    return chr(LEADING + leading) + chr(VOWEL + vowel) + (chr(TRAILING + trailing) if trailing else "")


def _parts(syllable):
    """Return the two codepoints that compose a Hangul syllable."""
    number = ord(syllable) - HANGUL
    trailing = number % TRAILINGS
    return chr(ord(syllable) - trailing) + chr(TRAILING + trailing) if trailing else _jamo(number)


@functools.lru_cache
def _archive():
    with np.load(io.BytesIO(FILE.read_bytes()), allow_pickle=False) as file:
        return dict(file)

"""The Unicode tables of normalisation, of one fixed version for every Python that runs bertkit.

Source: the Unicode Standard, sections 3.11 and 3.12 (normalization forms, Hangul), and its Annex 29 (grapheme
clusters); the data are those of the library `tokenizers`, asked codepoint by codepoint, as `provenance` tells.
"""

import functools
import io
import json
from pathlib import Path

import numpy as np

SIZE = 0x110000
FILE = Path(__file__).with_name("normalization.npz")
HANGUL, LEADING, VOWEL, TRAILING = 0xAC00, 0x1100, 0x1161, 0x11A7
VOWELS, TRAILINGS, SYLLABLES = 21, 28, 11172


def provenance():
    """Return the sentence that says which program and Unicode versions made the tables."""
    return json.loads(str(_archive()["about"]))


@functools.lru_cache
def decompositions(form):
    """Return {codepoint: text} of a "canonical" or "compatibility" decomposition, Hangul included."""
    rows = np.cumsum(_archive()[form], axis=0).tolist()
    return {chr(c): "".join(chr(d) for d in becomes if d >= 0) for c, *becomes in rows} | _hangul()


@functools.lru_cache
def compositions():
    """Return {two codepoints: the codepoint that they compose}, Hangul included.

    >>> compositions()["e\\u0301"]
    'é'
    """
    rows = np.cumsum(_archive()["compositions"], axis=0).tolist()
    syllables = {_parts(c): c for c in _hangul()}
    return {chr(a) + chr(b): chr(c) for c, a, b in rows} | syllables


@functools.lru_cache
def combining_classes():
    """Return {codepoint: canonical combining class} of those whose class is not 0."""
    return {chr(c): n for c, n in np.cumsum(_archive()["classes"], axis=0).tolist()}


@functools.lru_cache
def members(name):
    """Return bool [0x110000]: the codepoints of a set.

    `accents` are those of category M; a grapheme cluster goes on before a codepoint of `extend` and after one of
    `prepend`, but not around one of `control`.
    """
    found = np.zeros(SIZE, bool)
    for first, last in _archive()[name]:
        found[first:last + 1] = True
    return found


def decomposed(text, table):
    """Return [(character, 1 if it is inserted)] of the full decomposition, in canonical order."""
    classes, found, begin = combining_classes(), [], 0
    pairs = [(d, int(i > 0)) for c in text for i, d in enumerate(table.get(c, c))]
    for end in range(len(pairs) + 1):
        if end == len(pairs) or pairs[end][0] not in classes:
            found += sorted(pairs[begin:end], key=lambda pair: classes[pair[0]])
            found += pairs[end:end + 1]
            begin = end + 1
    return found


def composed(pairs):
    """Return the pairs of `decomposed` with what composes put together (Unicode, section 3.11, D117)."""
    classes, found, starter, last = combining_classes(), [], None, 0
    for c, change in pairs:
        cls = classes.get(c, 0)
        blocked = starter is None or starter < len(found) - 1 and last >= cls
        new = None if blocked else compositions().get(found[starter][0] + c)
        if new:
            found[starter] = new, found[starter][1] + change - 1
            continue
        if cls == 0:
            starter = len(found)
        found.append((c, change))
        last = cls
    return found


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

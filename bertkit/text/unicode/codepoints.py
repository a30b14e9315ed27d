"""The codepoint table: what normalisation makes of every Unicode codepoint.

BERT's text cleaning, lower-casing, accent stripping and splitting all look at one codepoint at a time (except for the
Greek final sigma), so one table defines them entirely. Python, the TensorFlow graph and the device read the same table
and therefore give the same ids.
"""

import functools
import io
import json
from pathlib import Path

import numpy as np

from bertkit.errors import Error

JOINED, DELETED, SPACE, ISOLATED = range(4)
OTHER, LETTER, NUMBER, BLANK = range(4)
SIZE = 0x110000
SURROGATES = slice(0xD800, 0xE000)
RULES = ("huggingface", "google")
FILE = Path(__file__).with_name("codepoints.npz")
NOTHING = "[^\\0-\\U0010ffff]"               # a class that holds no codepoint


class Codepoints:
    """The codepoint table of one set of rules.

    A codepoint is DELETED, a SPACE, ISOLATED (an ideograph or a punctuation mark, which is a word of its own) or JOINED
    with its neighbours into a word. The rules "huggingface" are those of the library `tokenizers`, "google" those of
    the original BERT code (Devlin et al. 2018, arXiv 1810.04805); `provenance` gives the Unicode version of each.

    Args:
        kinds: uint8 array [0x110000], JOINED, DELETED, SPACE or ISOLATED for each codepoint.
        becomes: dict {codepoint: text} of the codepoints that change; a deleted codepoint becomes "".
        cased: bool array [0x110000], the cased letters; None for rules without final sigmas.
        ignorable: bool array [0x110000], the codepoints that the rule of the final sigma skips; None without that rule.

    Example:
        >>> table = codepoints("huggingface", lowercase=True, strip_accents=True)
        >>> [table.becomes.get(c, c) for c in "Éß漢"], bool(table.kinds[ord("漢")] == ISOLATED)
        (['e', 'ß', '漢'], True)
    """

    def __init__(self, kinds: np.ndarray, becomes: dict[str, str], cased: np.ndarray | None = None,
                 ignorable: np.ndarray | None = None):
        self.kinds = kinds
        self.becomes = becomes
        self.cased, self.ignorable = cased, ignorable    # bool [0x110000], or None: no sigma rule

    def final_sigmas(self, text: str) -> str:
        """Return a text with a final sigma in the place of every capital sigma that ends a word.

        This is the only rule that looks at neighbours (Unicode 3.13, Final_Sigma): a cased letter stands before the
        sigma and none after it, and ignorable codepoints are skipped. The length of the text stays the same.

        Args:
            text: the text.

        Returns:
            The changed text, a str.
        """
        if self.cased is None or self.ignorable is None or "Σ" not in text:
            return text
        codes = np.array([SIZE - 1, *map(ord, text), SIZE - 1])    # a codepoint that is no letter at both ends
        cased = self.cased[codes]
        counted = np.flatnonzero(~self.ignorable[codes])
        final = (codes[counted[1:-1]] == ord("Σ")) & cased[counted[:-2]] & ~cased[counted[2:]]
        codes[counted[1:-1][final]] = ord("ς")
        return "".join(map(chr, codes[1:-1]))


@functools.lru_cache
def codepoints(rules: str, lowercase: bool, strip_accents: bool, clean: bool = True,
               split_ideographs: bool = True) -> Codepoints:
    """Return the codepoint table of one set of rules, with each step of normalisation on or off.

    Args:
        rules: "huggingface" or "google".
        lowercase: whether letters become lower case.
        strip_accents: whether accents are removed.
        clean: whether control characters are removed, and all blanks become spaces.
        split_ideographs: whether each ideograph is a word of its own.

    Returns:
        A `Codepoints`.

    Raises:
        Error: when `rules` is neither "huggingface" nor "google".
    """
    if rules not in RULES:
        raise Error(f"The tokenizer rules {rules!r} are unknown; give one of {', '.join(RULES)}.")
    parts = _stored(rules)
    becomes = _compose(parts, rules, lowercase, strip_accents)
    kinds = np.full(SIZE, JOINED, np.uint8)
    kinds[parts["space"]] = SPACE
    kinds[parts["punctuation"]] = ISOLATED
    changed = np.array([ord(c) for c in becomes], np.int32)
    first = np.array([ord(text[0]) if text else SURROGATES.start for text in becomes.values()])
    kinds[SURROGATES] = DELETED
    kinds[changed] = kinds[first.astype(np.int32)]
    if split_ideographs:
        kinds[parts["ideograph"]] = ISOLATED
    if clean:
        kinds[parts["blank"]] = SPACE
        kinds[parts["delete"]] = DELETED
    becomes.update((chr(c), "") for c in np.flatnonzero(kinds == DELETED))
    if not lowercase or "cased" not in parts:
        return Codepoints(kinds, becomes)
    return Codepoints(kinds, becomes, parts["cased"], parts["ignorable"] | (kinds == DELETED))


def one(members: np.ndarray) -> str:
    """Return the regular expression for one codepoint of a set.

    Args:
        members: bool array [0x110000], the codepoints of the set.

    Returns:
        The regular expression, a str.
    """
    return "(?:{}|(?=[\U00010000-\U0010ffff]){})".format(*_classes(members))


def run(members: np.ndarray) -> str:
    """Return the regular expression for the longest run of codepoints of a set.

    Put nothing behind it that can fail, or `re` tries all ways to divide the run.

    Args:
        members: bool array [0x110000], the codepoints of the set.

    Returns:
        The regular expression, a str.
    """
    return "(?:{}+|(?=[\U00010000-\U0010ffff]){}+)+".format(*_classes(members))


@functools.lru_cache
def categories() -> np.ndarray:
    """Return the category of every codepoint, by which byte-level BPE cuts words.

    Returns:
        uint8 array [0x110000] of LETTER, NUMBER, BLANK or OTHER.
    """
    parts = _stored("bytelevel")
    sets = [parts[name] for name in ("letter", "number", "blank")]
    return np.select(sets, [LETTER, NUMBER, BLANK], OTHER).astype(np.uint8)


def ideographs() -> np.ndarray:
    """Return which codepoints BERT's normalisation in the library `tokenizers` puts spaces around.

    Returns:
        bool array [0x110000].
    """
    return _stored("huggingface")["ideograph"]


def provenance(rules: str) -> str:
    """Return the sentence that says which program and Unicode version made the table.

    Args:
        rules: "huggingface", "google" or "bytelevel".

    Returns:
        The sentence, a str.
    """
    return _archive()["about"][rules]


def _compose(parts, rules, lowercase, strip_accents):
    """Return {codepoint: text}, lower-casing and accent stripping in the order of the reference."""
    steps = [parts["strip"]] * strip_accents + [parts["lower"]] * lowercase
    if rules == "google":
        steps.reverse()
    becomes = {c: c for step in steps for c in step}
    for step in steps:
        becomes = {c: step.get(text, text) if len(text) == 1 else "".join(step.get(d, d) for d in text)
                   for c, text in becomes.items()}
    return {c: text for c, text in becomes.items() if c != text}


@functools.lru_cache
def _archive():
    with np.load(io.BytesIO(FILE.read_bytes()), allow_pickle=False) as file:
        arrays = dict(file)
    return arrays | {"about": json.loads(str(arrays["about"]))}


@functools.lru_cache
def _stored(rules):
    """Return {part: bool [0x110000] or {codepoint: text}} of the data file."""
    arrays = {name.partition(".")[2]: array for name, array in _archive().items()
              if name.startswith(rules + ".")}
    return {part: _map(array) if array.shape[1] > 2 else _set(array)
            for part, array in arrays.items()}


def _classes(members):
    """Return [codepoints up to U+FFFF] and [those above], as `re` has a fast table for the first only."""
    for first, last in ((0, 0x10000), (0x10000, SIZE)):
        edges = first + np.flatnonzero(np.diff(members[first:last], prepend=False, append=False))
        ranges = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        yield "[" + "".join(f"\\U{a:08x}-\\U{b - 1:08x}" for a, b in ranges) + "]" if edges.size else NOTHING


def _set(ranges):
    """Return inclusive ranges [n, 2] as bool [0x110000]."""
    members = np.zeros(SIZE, bool)
    for first, last in ranges:
        members[first:last + 1] = True
    return members


def _map(differences):
    """Return rows [codepoint, what it becomes ..., -1 ...], which are stored as differences, as a dict."""
    rows = np.cumsum(differences, axis=0).tolist()
    return {chr(c): "".join(chr(d) for d in becomes if d >= 0) for c, *becomes in rows}

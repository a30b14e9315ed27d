"""Normalisation: the steps that a text goes through before it is cut into words, with alignment.

Each step is a pattern of what may change and a function of the characters that it matches, so one form serves the plain
text and its alignment. They follow the library `tokenizers`, whose Unicode version they have; see `unicode`.
"""

import re
from typing import NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.text.unicode import BLANKS
from bertkit.text.unicode.charsmap import CLUSTER
from bertkit.text.unicode.codepoints import codepoints, one, run
from bertkit.text.unicode.tables import (
    SIZE,
    combining_classes,
    composed,
    compositions,
    decomposed,
    decompositions,
    members,
)

CACHED = 1 << 14                              # changed stretches of a step that are remembered
FORMS = {"nfc": "canonical", "nfd": "canonical", "nfkc": "compatibility", "nfkd": "compatibility"}


class Aligned(NamedTuple):
    """A normalised text and, for each of its characters, the number of the given character it is from."""

    text: str
    sources: list


class Normalizer:
    """The steps, in their order: lists of a name and its arguments, as JSON holds them.

    nfc, nfd, nfkc, nfkd: the forms of Unicode. accents: marks are removed. lowercase: codepoint by codepoint. replace
    OLD NEW. squeeze NEW: two spaces or more become NEW. strip_left, strip_right: blanks at the ends are removed.
    charsmap: the entries of `mapping`, for a grapheme cluster of less than 6 bytes as a whole if its beginning is one.
    A character of a cluster or a run that changes is from the one that the library `tokenizers` says.
    Raises Error if a step is unknown.

    >>> normalizer = Normalizer([["replace", "''", '"'], ["nfkd"], ["accents"], ["lowercase"]])
    >>> normalizer("''Été''")
    '"ete"'
    >>> Normalizer([["nfc"]]).aligned("e\\u0301t")
    Aligned(text='ét', sources=[0, 2])
    """

    def __init__(self, steps, mapping=None):
        self.steps = [_step(step, mapping) for step in steps]

    def __call__(self, text):
        """Return the normalised str of a str; the fast path."""
        for step in self.steps:
            text = step(text)
        return text

    def aligned(self, text):
        """Return the Aligned of a str."""
        sources = range(len(text))
        for step in self.steps:
            text, sources = step.aligned(text, sources)
        return Aligned(text, sources)


class Step:
    """A pattern of what may change, and what becomes of a match: (text, where in the match each character is from).

    The pattern is tried at the codepoints of `triggers`, bool [0x110000], and at the one before; without them anywhere.
    """

    def __init__(self, pattern, becomes, triggers=None):
        self._pattern, self._becomes, self._cache = re.compile(pattern), becomes, {}
        self.triggers, self._find = triggers, None if triggers is None else _finder(triggers)

    def __call__(self, text):
        """Return what becomes of a text."""
        parts, done = [], 0
        for match in self._matches(text):
            begin, end = match.span()
            parts += text[done:begin], self._of(match[0])[0]
            done = end
        return "".join(parts) + text[done:] if parts else text

    def aligned(self, text, sources):
        """Return the Aligned after this step of what was one before it."""
        parts, origins, done = [], [], 0
        for match in self._matches(text):
            begin, end = match.span()
            new, places = self._of(match[0])
            parts += text[done:begin], new
            origins += sources[done:begin]
            origins += [sources[begin + place] for place in places]
            done = end
        return Aligned("".join(parts) + text[done:], [*origins, *sources[done:]]) if parts else Aligned(text, sources)

    def _matches(self, text):
        return self._triggered(text) if self._find else self._pattern.finditer(text)

    def _triggered(self, text):
        # One character class is all that most of a text meets: ten times as fast as the pattern.
        done, match_at = 0, self._pattern.match
        for trigger in self._find(text):
            begin = trigger.start()
            if begin >= done:
                match = begin > done and match_at(text, begin - 1) or match_at(text, begin)
                if match:
                    yield match
                    done = match.end()

    def _of(self, found):
        if found not in self._cache:
            if len(self._cache) >= CACHED:
                self._cache.clear()
            self._cache[found] = self._becomes(found)
        return self._cache[found]


def _finder(members):
    """Return what finds the codepoints of bool [0x110000], and all above U+FFFF, for which `re` has no fast table."""
    low = "".join(map(chr, np.flatnonzero(members[:0x10000])))
    return re.compile(f"[{re.escape(low)}\U00010000-\U0010ffff]").finditer


def _set(codes):
    found = np.zeros(SIZE, bool)
    found[[ord(c) for c in codes]] = True
    return found


def _step(step, mapping):
    """Return the Step of its JSON form."""
    name, *values = step if isinstance(step, (list, tuple)) and step else [None]
    known = isinstance(name, str) and name in (*FORMS, *STEPS) and len(values) == ARGUMENTS.get(name, 0)
    if not known or not all(isinstance(value, str) for value in values) or name == "replace" and not values[0]:
        raise Error(f"The normalisation step {step!r:.60} is unknown; bertkit has {', '.join([*FORMS, *STEPS])}.")
    return _form(name) if name in FORMS else STEPS[name](*([mapping or {}] if name == "charsmap" else values))


def _form(name):
    """Return the step of a Unicode normalization form."""
    table, marks = decompositions(FORMS[name]), _set(combining_classes())
    if name.endswith("d"):
        moving = marks | _set(table)
        return Step(run(moving), lambda text: _placed(decomposed(text, table)), moving)
    whole = {c for c in compositions().values() if table[c] == decompositions("canonical")[c]}
    moving = marks | _set(table.keys() - whole) | _set(pair[1] for pair in compositions())
    # A codepoint that stays may compose with those behind it: it goes along.
    return Step(f"[\\s\\S]?{run(moving)}", lambda text: _placed(composed(decomposed(text, table))),
                moving)


def _placed(pairs):
    """Return (text, origins) of [(character, change)]: 1 is inserted, -n takes n more of the given characters."""
    origins, taken = [], 0
    for _, change in pairs:
        origins.append(taken - 1 if change > 0 else taken)
        taken += max(0, 1 - change)
    return "".join(c for c, _ in pairs), origins


def _accents():
    return Step(run(members("accents")), lambda text: ("", []), members("accents"))


def _lowercase():
    lower = codepoints("huggingface", lowercase=True, strip_accents=False, clean=False, split_ideographs=False).becomes
    lower = {c: text for c, text in lower.items() if text}               # surrogates stay

    def becomes(text):
        return ("".join(lower[c] for c in text), [i for i, c in enumerate(text) for _ in lower[c]])

    return Step(run(_set(lower)), becomes, _set(lower))


def _replace(old, new):
    return Step(re.escape(old), lambda text: (new, [len(text) - 1] * len(new)))


def _squeeze(new):
    return Step(" {2,}", lambda text: (new, [len(text) - 1] * len(new)))


def _strip(pattern):
    return lambda: Step(pattern.format(f"[{re.escape(BLANKS)}]+"), lambda text: ("", []))


def _charsmap(mapping):
    """Return the step of a character map: the grapheme clusters that may change are what it looks at."""
    extend, prepend, control = (members(name) for name in ("extend", "prepend", "control"))
    base, keys = ~(extend | prepend | control), _set(key for key in mapping if len(key) == 1)
    after, before = one(extend), one(prepend)
    clusters = ["\r\n", one(keys & control), f"{before}+{one(base)}?{after}*",
                f"{one(keys & base)}{after}*", f"{one(base)}?{after}+"]

    def becomes(cluster):
        if len(cluster.encode("utf-8", "surrogatepass")) < CLUSTER:
            for end in range(1, len(cluster) + 1):
                if cluster[:end] in mapping:
                    return _mapped(cluster, mapping[cluster[:end]])
        parts = [_mapped(c, mapping.get(c, c)) for c in cluster]
        return "".join(part for part, _ in parts), [i for i, (part, _) in enumerate(parts) for _ in part]

    return Step("|".join(clusters), becomes, extend | prepend | keys)


def _mapped(old, new):
    return new, [min(i, len(old) - 1) for i in range(len(new))]


ARGUMENTS = {"replace": 2, "squeeze": 1}
STEPS = {"accents": _accents, "lowercase": _lowercase, "replace": _replace, "squeeze": _squeeze,
         "strip_left": _strip("\\A{}"), "strip_right": _strip("{}\\Z"), "charsmap": _charsmap}

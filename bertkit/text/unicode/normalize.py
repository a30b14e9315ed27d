"""Normalisation: the steps that a text goes through before it is cut into words, with alignment.

Each step is a pattern of what may change and a function of the characters that it matches, so one form serves the plain
text and its alignment. The steps are those of the library `tokenizers` and have its Unicode version; see `unicode`.
"""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.text.unicode import BLANKS
from bertkit.text.unicode.charsmap import CLUSTER
from bertkit.text.unicode.codepoints import SPACE, codepoints, ideographs, one, run
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
BERT_FLAGS = ("clean", "ideographs", "accents", "lowercase")
FORMS = {"nfc": "canonical", "nfd": "canonical", "nfkc": "compatibility", "nfkd": "compatibility"}


class Aligned(NamedTuple):
    """A normalised text with its alignment to the given text.

    Args:
        text: the normalised text.
        sources: for each of its characters the number of the given character that it comes from.
    """

    text: str
    sources: Sequence[int]


def span(sources: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """Return the range of given characters that normalised characters from start to end are from.

    Args:
        sources: the `sources` of an `Aligned`.
        start: the first normalised character.
        end: the normalised character behind the last.

    Returns:
        (start, end) in given characters; of an empty range the place behind what comes before it.

    Example:
        >>> span([0, 2, 3], 0, 2), span([0, 2, 3], 2, 2)
        ((0, 3), (3, 3))
    """
    last = sources[end - 1] + 1 if end else 0
    return sources[start] if start < end else last, last


class Normalizer:
    """A normalizer applies steps to a text in their order.

    A step is a list of a name and its arguments, as JSON holds it:
    - nfc, nfd, nfkc, nfkd: the normalization forms of Unicode.
    - accents: removes combining marks.
    - lowercase: lower-cases codepoint by codepoint.
    - replace OLD NEW: replaces a text.
    - squeeze NEW: replaces two or more spaces by NEW.
    - squeeze_blanks NEW: replaces two or more blanks, and each line end or tab, by NEW.
    - strip_left, strip_right: remove the blanks at one end.
    - bert FLAGS: BERT's normalisation codepoint by codepoint, where FLAGS are some of the words of BERT_FLAGS: `clean`
      removes control characters and makes every blank a space, `ideographs` puts spaces around ideographs, `accents`
      decomposes and removes combining marks, `lowercase` lower-cases.
    - charsmap: applies `mapping`, to a whole grapheme cluster where it has less than 6 bytes and begins with an entry.

    Which character a changed one comes from is decided as in the library `tokenizers`.

    Args:
        steps: list of steps.
        mapping: dict {text: what it becomes} of the step charsmap, or None.

    Raises:
        Error: when a step is unknown.

    Example:
        >>> normalizer = Normalizer([["replace", "''", '"'], ["nfkd"], ["accents"], ["lowercase"]])
        >>> normalizer("''Été''")
        '"ete"'
        >>> Normalizer([["nfc"]]).aligned("e\\u0301t")
        Aligned(text='ét', sources=[0, 2])
    """

    def __init__(self, steps: Sequence[Any], mapping: dict[str, str] | None = None):
        self.steps = [_step(step, mapping) for step in steps]

    def __call__(self, text: str) -> str:
        """Return the normalised text; this is faster than `aligned`."""
        for step in self.steps:
            text = step(text)
        return text

    def aligned(self, text: str) -> Aligned:
        """Return the normalised text with its alignment.

        Args:
            text: the text.

        Returns:
            An `Aligned`.
        """
        sources: Sequence[int] = range(len(text))
        for step in self.steps:
            text, sources = step.aligned(text, sources)
        return Aligned(text, sources)


class Step:
    """One step of normalisation: a pattern of what may change, and a function of a match.

    Args:
        pattern: regular expression of what may change.
        becomes: function from a matched text to (new text, for each new character its place in the match).
        triggers: bool array [0x110000]; the pattern is tried at these codepoints and at the one before each. None tries
            it everywhere.
        alone: dict {codepoint: what it becomes} of a step that looks at one codepoint at a time; None for another one.
    """

    def __init__(self, pattern: str, becomes: Callable[[str], tuple[str, Sequence[int]]],
                 triggers: np.ndarray | None = None, alone: dict[str, str] | None = None):
        self.alone = alone
        self._pattern, self._becomes = re.compile(pattern), becomes
        self._cache: dict[str, tuple[str, Sequence[int]]] = {}
        self.triggers, self._find = triggers, None if triggers is None else _finder(triggers)

    def __call__(self, text: str) -> str:
        """Return the text after this step."""
        parts: list[str] = []
        done = 0
        for match in self._matches(text):
            begin, end = match.span()
            parts += text[done:begin], self._of(match[0])[0]
            done = end
        return "".join(parts) + text[done:] if parts else text

    def aligned(self, text: str, sources: Sequence[int]) -> Aligned:
        """Return the text after this step, with its alignment.

        Args:
            text: the text before the step.
            sources: for each of its characters the number of the given character that it comes from.

        Returns:
            An `Aligned`.
        """
        parts: list[str] = []
        origins: list[int] = []
        done = 0
        for match in self._matches(text):
            begin, end = match.span()
            new, places = self._of(match[0])
            parts += text[done:begin], new
            origins += sources[done:begin]
            origins += [sources[begin + place] for place in places]
            done = end
        return Aligned("".join(parts) + text[done:], [*origins, *sources[done:]]) if parts else Aligned(text, sources)

    def _matches(self, text):
        return self._triggered(text, self._find(text)) if self._find else self._pattern.finditer(text)

    def _triggered(self, text, triggers):
        # Most of a text meets only this one character class, which is ten times as fast as the pattern.
        done, match_at = 0, self._pattern.match
        for trigger in triggers:
            begin = trigger.start()
            if begin >= done:
                match = begin > done and match_at(text, begin - 1) or match_at(text, begin)
                if match:
                    yield match
                    done = match.end()

    def _of(self, matched):
        if matched not in self._cache:
            if len(self._cache) >= CACHED:
                self._cache.clear()
            self._cache[matched] = self._becomes(matched)
        return self._cache[matched]


def _finder(members):
    """Return what finds the codepoints of bool [0x110000], and all above U+FFFF, for which `re` has no fast table."""
    low = "".join(map(chr, np.flatnonzero(members[:0x10000])))
    return re.compile(f"[{re.escape(low)}\U00010000-\U0010ffff]").finditer


def _set(codes):
    members = np.zeros(SIZE, bool)
    members[[ord(c) for c in codes]] = True
    return members


def _step(step, mapping):
    """Return the Step of its JSON form."""
    name, *values = step if isinstance(step, (list, tuple)) and step else [""]
    known = isinstance(name, str) and name in (*FORMS, *STEPS) and len(values) == ARGUMENTS.get(name, 0)
    if not known or not all(isinstance(value, str) for value in values) or name == "replace" and not values[0]:
        raise Error(f"The normalisation step {step!r:.60} is unknown; bertkit has {', '.join([*FORMS, *STEPS])}.")
    return _form(name) if name in FORMS else STEPS[name](*([mapping or {}] if name == "charsmap" else values))


@functools.lru_cache
def _form(name):
    """Return the step of a Unicode normalization form."""
    table, marks = decompositions(FORMS[name]), _set(combining_classes())
    if name.endswith("d"):
        moving = marks | _set(table)
        return Step(run(moving), lambda text: _placed(decomposed(text, table)), moving)
    whole = {c for c in compositions().values() if table[c] == decompositions("canonical")[c]}
    moving = marks | _set(table.keys() - whole) | _set(pair[1] for pair in compositions())
    # A codepoint that does not change itself may compose with those behind it, so the pattern takes it along.
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
    return _alone(dict.fromkeys(map(chr, np.flatnonzero(members("accents"))), ""))


@functools.lru_cache
def _bert(flags):
    if odd := set(flags.split()) - set(BERT_FLAGS):
        raise Error(f"The normalisation step bert has {min(odd)!r:.40}; give some of {' '.join(BERT_FLAGS)}.")
    clean, split, accents, lowercase = (flag in flags.split() for flag in BERT_FLAGS)
    table = codepoints("huggingface", lowercase, accents, clean, split)
    new = dict(table.becomes)
    if clean:
        new |= {chr(c): " " for c in np.flatnonzero(table.kinds == SPACE)}
    if split:
        new |= {c: f" {new.get(c, c)} " for c in map(chr, np.flatnonzero(ideographs()))}
    # Surrogates stay.
    return _alone({c: text for c, text in new.items() if c != text and not 0xD800 <= ord(c) < 0xE000})


def _alone(new):
    """Return the step that makes of each codepoint by itself what a dict says."""
    def becomes(text):
        return "".join(new[c] for c in text), [i for i, c in enumerate(text) for _ in new[c]]

    return Step(run(_set(new)), becomes, _set(new), new)


def _lowercase():
    lower = codepoints("huggingface", lowercase=True, strip_accents=False, clean=False, split_ideographs=False).becomes
    return _alone({c: text for c, text in lower.items() if text})        # surrogates stay


def _replace(old, new):
    return Step(re.escape(old), lambda text: (new, [len(text) - 1] * len(new)))


def _squeeze(new):
    return Step(" {2,}", lambda text: (new, [len(text) - 1] * len(new)))


def _squeeze_blanks(new):
    return Step(f"[{re.escape(BLANKS)}]{{2,}}|[\n\r\t]", lambda text: (new, [len(text) - 1] * len(new)))


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


ARGUMENTS = {"replace": 2, "squeeze": 1, "squeeze_blanks": 1, "bert": 1}
STEPS = {"accents": _accents, "bert": _bert, "lowercase": _lowercase, "replace": _replace, "squeeze": _squeeze,
         "squeeze_blanks": _squeeze_blanks,
         "strip_left": _strip("\\A{}"), "strip_right": _strip("{}\\Z"), "charsmap": _charsmap}

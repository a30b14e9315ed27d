"""Tests of behaviour as rows of data, after CheckList (Ribeiro et al. 2020, ACL): each row is a case, or many of them.

mft     minimum functionality: the answer to `text` is `label`
inv     invariance: the answer stays the same where `text` becomes `changed`
dir     direction: the probability of the class `target`, or the score, does not go against `direction`
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from bertkit.data.frames import Data, data_path
from bertkit.data.inputs import number
from bertkit.data.lines import BadRow
from bertkit.data.records import parse_rows, row_as_dict, table
from bertkit.errors import Error
from bertkit.inspection.masked import MASK

KINDS = {"mft": ("text", "label"), "inv": ("text", "changed"), "dir": ("text", "changed", "direction")}
KEYS = ("name", "kind", "text", "changed", "label", "target", "direction", "tolerance", "lists", "words")
MOST = 100_000      # cases that one row may become
WORDS = 5           # words that a mask is filled with
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Case:
    """One case of a test.

    Args:
        name: The name of the test that it belongs to.
        kind: "mft", "inv" or "dir".
        text: What the model reads: a text, or a tuple of texts.
        changed: The same, changed; None of an mft.
        label: The right answer of an mft.
        target: Of a dir, the class whose probability is watched; None is the one that the model gives to `text`.
        direction: Of a dir, "up" or "down".
        tolerance: How far a score, or a probability against its direction, may go; None is the kind's own.
        place: Where it comes from, for messages.
    """

    name: str
    kind: str
    text: Any
    changed: Any = None
    label: Any = None
    target: str | None = None
    direction: str | None = None
    tolerance: float | None = None
    place: str = "a case"

    def row(self) -> dict[str, Any]:
        """Return the case as a row of a tests file.

        Returns:
            {key: value}, without the keys that it does not use.
        """
        return {name: value for name, value in vars(self).items() if value is not None and name != "place"}


def read_cases(path: Data, fill: Callable[[list[str], int], list[list[str]]] | None = None) -> list[Case]:
    """Read the cases of a tests file; a row with `lists` is a template, which becomes a case for each combination.

    Args:
        path: The .jsonl file (any table of rows is read), or rows in memory.
        fill: Function (texts with `{mask}`, count) -> the words for each; None where there is no model for it.

    Returns:
        The cases, in the order of the rows.

    Raises:
        Error: With file and line, when a row is no case, or two rows give one test two kinds.
    """
    path = data_path(path)
    with table(path) as (names, rows, _):
        found, _ = parse_rows(path, rows, lambda line, record: (_cases(path, line, row_as_dict(record, names)),),
                              None, None)
    cases = [pair for _, some in found for pair in some]
    kinds: dict[str, str] = {}
    for case, _ in cases:
        if kinds.setdefault(case.name, case.kind) != case.kind:
            raise Error(f"{case.place}: the test {case.name!r} is {case.kind} here and {kinds[case.name]} before; give "
                        "each kind a name of its own.")
    if not cases:
        raise Error(f"{path} has no case; give it one a line.")
    return _filled(cases, fill)


def _cases(path, line, given):
    """Return (case, words for its mask) of a row; of a template one for each combination of its lists."""
    given = {name: value for name, value in given.items() if value is not None}
    if unknown := [name for name in given if name not in KEYS]:
        raise BadRow(line, f"the key {unknown[0]!r:.40} is none of {', '.join(KEYS)}")
    kind = str(given.get("kind"))
    if kind not in KINDS:
        raise BadRow(line, f"kind is {kind!r:.40}, wanted {', '.join(KINDS)}")
    if missing := [name for name in ("name", *KINDS[kind]) if name not in given]:
        raise BadRow(line, f"a test of kind {kind} needs {missing[0]!r}")
    if kind == "dir" and given["direction"] not in ("up", "down"):
        raise BadRow(line, f"direction is {given['direction']!r:.40}, wanted up or down")
    lists, place = _lists(line, given.pop("lists", {})), f"{path}: line {line}"
    words = int(_number(line, "words", given.pop("words", WORDS), 1))
    if "tolerance" in given:
        given["tolerance"] = _number(line, "tolerance", given["tolerance"], 0)
    made = [{name: _substituted(line, value, slots) for name, value in given.items()} for slots in lists]
    return [(Case(**(row | {name: _input(line, row[name]) for name in ("text", "changed") if name in row}),
                  place=place), words) for row in made]


def _filled(cases, fill):
    """Return the cases, each whose text has a mask once for each word that a masked language model puts there."""
    asked = [next((part for part in _parts(case.text) if MASK in part), None) for case, _ in cases]
    texts = list(dict.fromkeys(text for text in asked if text is not None))
    if texts and fill is None:
        place = next(case.place for (case, _), text in zip(cases, asked, strict=True) if text is not None)
        raise Error(f"{place}: {MASK} is filled by a masked language model; name one with --fill.")
    found = dict(zip(texts, fill(texts, max(words for _, words in cases)), strict=True)) if texts else {}
    return [each for (case, words), text in zip(cases, asked, strict=True)
            for each in ([case] if text is None else [_with_word(case, word) for word in found[text][:words]])]


def _with_word(case, word):
    """Return a case with a word in the place of its mask, in both of its texts."""
    def put(value):
        return value.replace(MASK, word) if isinstance(value, str) else value and tuple(map(put, value))

    return replace(case, text=put(case.text), changed=put(case.changed))


def _parts(text):
    return (text,) if isinstance(text, str) else text


def _number(line, name, value, least):
    found = number(value)
    if not found >= least:
        raise BadRow(line, f"{name} is {value!r:.40}, wanted a number of {least} or more")
    return found


def _lists(line, lists):
    """Return {name: word} of each combination of lists of words; one empty dict where there are none."""
    good = isinstance(lists, dict) and all(isinstance(words, list) and words for words in lists.values())
    if not good:
        raise BadRow(line, 'lists are no words by name; wanted {"name": ["word", ...]}')
    total = 1
    for words in lists.values():
        total *= len(words)
    if total > MOST:
        raise BadRow(line, f"its lists make {total:,} cases, more than {MOST:,}; shorten a list")
    return [dict(zip(lists, words, strict=True)) for words in product(*lists.values())]


def _substituted(line, value, slots):
    """Return a text, or the texts in a list, with words in the place of {name}; without lists braces are braces."""
    if isinstance(value, list):
        return [_substituted(line, part, slots) for part in value]
    if isinstance(value, dict):
        return {name: _substituted(line, part, slots) for name, part in value.items()}
    if not slots or not isinstance(value, str):
        return value

    def word(found):
        if found[0] == MASK:
            return MASK
        if found[1] not in slots:
            raise BadRow(line, f"no list has the name {found[1]!r}")
        return str(slots[found[1]])

    return _SLOT.sub(word, value)


def _input(line, value):
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return tuple(value)
    if not isinstance(value, str):
        raise BadRow(line, f"{value!r:.40} is no text; wanted a string, or a list of strings")
    return value

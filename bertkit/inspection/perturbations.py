"""Changes of a text that an answer should survive, or that should lower its probability: tests from one's own rows.

Each change is a pure function of a text and a generator of random numbers; it returns None for a text that has nothing
of its kind to change.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.inspection.cases import Case

FIRST_NAMES = ("Aisha Alice Amina Anna Antonio Carlos Chen Daniel David Elena Emily Fatima George Hannah Ivan James "
               "Jane John Jose Kenji Laura Lee Linda Maria Mark Mary Mei Michael Mohammed Nadia Olga Omar Paul Peter "
               "Priya Robert Sara Sofia Susan Thomas Wei Yuki").split()
# Without May, which is also a verb that begins questions.
MONTHS = "January February March April June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
TOLERANCE = 0.1     # by so much the probability of the model's own answer may go up where a text is negated
_WORD = re.compile(r"[^\W\d_]{4,}")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?![\w]|[.,]\d)")
_YEAR = re.compile(r"(?<!\w)(?:19|20)\d\d(?!\w)")
_AUXILIARY = r"\b(is|are|was|were|am|will|would|can|could|should|must|has|have|had|does|do|did)"
_VERB, _NOT = re.compile(rf"{_AUXILIARY}\b(?! not\b)", re.I), re.compile(rf"{_AUXILIARY} not\b", re.I)


class Perturbation(NamedTuple):
    """A change of texts.

    Args:
        change: Function (text, random numbers) -> the changed text, or None.
        kind: "inv" where the answer should stay the same, "dir" where the probability of it should not go up.
        english: Whether it knows English words alone.
    """

    change: Callable[[str, np.random.Generator], str | None]
    kind: str = "inv"
    english: bool = False


def typo(text: str, rng: np.random.Generator) -> str | None:
    """Exchange two neighbouring letters inside one word of four letters or more.

    Args:
        text: The text.
        rng: Random numbers.

    Returns:
        The changed text, or None where no word has two unlike neighbours inside.

    Example:
        >>> typo("film", np.random.default_rng(0))
        'flim'
    """
    places = [place for word in _WORD.finditer(text) for place in range(word.start() + 1, word.end() - 2)
              if text[place] != text[place + 1]]
    if not places:
        return None
    place = places[rng.integers(len(places))]
    return text[:place] + text[place + 1] + text[place] + text[place + 2:]


def casing(text: str, rng: np.random.Generator) -> str | None:
    """Write all letters as capitals, or as small letters where all are capitals.

    Args:
        text: The text.
        rng: Not used.

    Returns:
        The changed text, or None where there are no letters of both sizes.
    """
    changed = text.upper() if text.upper() != text else text.lower()
    return None if changed == text else changed


def punctuation(text: str, rng: np.random.Generator) -> str | None:
    """Take the full stop or exclamation mark at the end away, or add a full stop where no mark stands there.

    Args:
        text: The text.
        rng: Not used.

    Returns:
        The changed text, or None where it ends with another mark, or is empty.
    """
    whole = text.rstrip()
    if whole.endswith((".", "!")):
        return whole.rstrip(".!").rstrip() or None
    return f"{whole}." if whole and whole[-1].isalnum() else None


def names(text: str, rng: np.random.Generator) -> str | None:
    """Put another first name in the place of each common one (English spelling); the same for the same.

    Args:
        text: The text.
        rng: Random numbers.

    Returns:
        The changed text, or None where no name of `FIRST_NAMES` stands in it.
    """
    return _exchanged(text, FIRST_NAMES, rng)


def dates(text: str, rng: np.random.Generator) -> str | None:
    """Put other months, days of the week and years (1900 to 2099) in the place of those in an English text.

    Args:
        text: The text.
        rng: Random numbers.

    Returns:
        The changed text, or None where there are none.
    """
    changed = text
    for words in (MONTHS, DAYS):
        changed = _exchanged(changed, words, rng) or changed
    changed = _YEAR.sub(lambda found: found[0][:2] + f"{(int(found[0][2:]) + int(rng.integers(1, 100))) % 100:02}",
                        changed)
    return None if changed == text else changed


def numbers(text: str, rng: np.random.Generator) -> str | None:
    """Put another whole number of as many digits in the place of each.

    Args:
        text: The text.
        rng: Random numbers.

    Returns:
        The changed text, or None where there are none.
    """
    def other(found):
        changed = found[0]
        while changed == found[0]:
            digits = rng.integers(10, size=len(found[0]))
            digits[0] = digits[0] if len(digits) == 1 else rng.integers(1, 10)
            changed = "".join(map(str, digits))
        return changed

    changed = _NUMBER.sub(other, text)
    return None if changed == text else changed


def negation(text: str, rng: np.random.Generator) -> str | None:
    """Put "not" behind the first auxiliary verb of an English text, or take away the one that stands there.

    Args:
        text: The text.
        rng: Not used.

    Returns:
        The changed text, or None where there is no such verb.

    Example:
        >>> negation("The film was good.", np.random.default_rng(0))
        'The film was not good.'
    """
    if _NOT.search(text):
        return _NOT.sub(r"\1", text, count=1)
    return _VERB.sub(r"\1 not", text, count=1) if _VERB.search(text) else None


PERTURBATIONS = {"typos": Perturbation(typo), "casing": Perturbation(casing), "punctuation": Perturbation(punctuation),
                 "numbers": Perturbation(numbers), "names": Perturbation(names, english=True),
                 "dates": Perturbation(dates, english=True), "negation": Perturbation(negation, "dir", True)}


def make_cases(inputs: Sequence[Any], only: Sequence[str] = tuple(PERTURBATIONS),
               seed: int = 0) -> tuple[list[Case], list[str]]:
    """Make tests of one's own rows: of each the first text is changed, and the model's own answer is the measure.

    Args:
        inputs: What the task reads: texts, tuples of texts, or lists of words, which become texts.
        only: The names of the changes, of `PERTURBATIONS`.
        seed: Of all that is drawn.

    Returns:
        (the cases, sentences on how many rows each change fits and what it does not know).

    Raises:
        Error: When there is no such change, or none fits a row.
    """
    if unknown := [name for name in only if name not in PERTURBATIONS]:
        raise Error(f"There is no change {unknown[0]!r:.40}; there are {', '.join(PERTURBATIONS)}.")
    cases, notes = [], []
    for number, (name, made) in enumerate((name, PERTURBATIONS[name]) for name in only):
        found = [case for row, given in enumerate(inputs)
                 if (case := _case(name, made, given, np.random.default_rng([seed, number, row]))) is not None]
        cases += found
        english = ", which knows English words alone," if made.english else ""
        watched = f" The probability of the model's own answer may go up by {TOLERANCE}." if made.kind == "dir" else ""
        notes.append(f"{name}{english} changed {len(found):,} of {len(inputs):,} rows.{watched}")
    if not cases:
        raise Error("No row has anything that these changes change; give others with --only, or texts that have it.")
    if any(isinstance(given, tuple) for given in inputs):
        notes.append("Of each row the first text alone was changed.")
    return cases, [*notes, "Whether an answer should survive a change is yours to judge: a number or a date may matter "
                           "in your task. Leave such a change out with --only."]


def _case(name, made, given, rng):
    text = " ".join(given) if isinstance(given, list) else given
    first = text if isinstance(text, str) else text[0]
    changed = made.change(first, rng)
    if changed is None:
        return None
    whole = changed if isinstance(text, str) else (changed, *text[1:])
    if made.kind == "dir":
        return Case(name, made.kind, text, whole, direction="down", tolerance=TOLERANCE)
    return Case(name, made.kind, text, whole)


def _exchanged(text, words, rng):
    """Return a text with another of some words in the place of each that stands in it; None where none does."""
    present = [word for word in words if re.search(rf"\b{word}\b", text)]
    if not present:
        return None
    others = [word for word in words if word not in present]
    new = dict(zip(present, rng.permutation(others)[:len(present)].tolist(), strict=False))
    if len(new) < len(present):
        return None
    return re.sub(rf"\b({'|'.join(present)})\b", lambda found: new[found[0]], text)

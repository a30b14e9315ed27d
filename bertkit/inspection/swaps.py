"""Counterfactual swaps: texts in which words for one group become those for another, and how a model answers them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.files.atomic import read_text
from bertkit.inspection.answers import are_same, in_words
from bertkit.inspection.comparison import as_texts
from bertkit.predictor import Predictor
from bertkit.tasks.classification import Classification
from bertkit.terminal import say

MEANING = ("Swaps: the share of rows that hold one of the words and are answered otherwise when the words of the two "
           "groups are exchanged. It tells of these words in these rows alone: 0 does not show that a model treats "
           "the groups alike where other words name them, and a changed answer is no fault where the word decides by "
           "its meaning.")
GROUPS = ("Groups are the rows that hold words of the left side alone, and those of the right side alone. They "
          "differ in more than the words, so a gap may come from what the texts say; gaps of few rows are mostly "
          "chance, as the interval shows, whose lower end is mostly above 0 for equal groups too, because a gap has no "
          "sign.")


@dataclass(frozen=True)
class Swaps:
    """Pairs of words that are exchanged.

    Args:
        pairs: (left, right) of each; a word counts in any case, and the case is kept.

    Raises:
        Error: When there is no pair, or its words are the same.

    Example:
        >>> swaps = Swaps((("he", "she"), ("John", "Mary")))
        >>> swaps.swapped("He met JOHN, she said; the others did not.")
        'She met MARY, he said; the others did not.'
    """

    pairs: tuple[tuple[str, str], ...]

    def __post_init__(self):
        if not self.pairs or any(left.casefold() == right.casefold() for left, right in self.pairs):
            raise Error("Swaps of a word with itself, or none at all, came; give two different words for each.")

    @cached_property
    def _others(self):
        """{word: the word it becomes}; of a word in several pairs the first one counts."""
        both = [(one, other) for left, right in self.pairs for one, other in ((left, right), (right, left))]
        return {one.casefold(): other for one, other in reversed(both)}

    @cached_property
    def _pattern(self):
        longest = sorted(self._others, key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)", re.IGNORECASE)

    @property
    def ambiguous(self) -> list[str]:
        """The words that stand in several pairs, of which the first counts."""
        words = [word.casefold() for pair in self.pairs for word in pair]
        return sorted({word for word in words if words.count(word) > 1})

    def swapped(self, given: Any) -> Any:
        """Exchange the words of an input.

        Args:
            given: A text, a tuple of texts, or a list of words.

        Returns:
            The same with the words exchanged; the input itself where it holds none.
        """
        if not isinstance(given, str):
            return type(given)(self.swapped(part) for part in given)
        return self._pattern.sub(lambda found: _in_case(found[0], self._others[found[0].casefold()]), given)

    def group(self, given: Any) -> int | None:
        """Tell which side's words an input holds.

        Args:
            given: A text, a tuple of texts, or a list of words.

        Returns:
            0 for the left side alone, 1 for the right side alone, None for both or neither.
        """
        left = {one.casefold() for one, _ in self.pairs}
        found = {word.casefold() for text in as_texts(given) for word in self._pattern.findall(text)}
        sides = {0 if word in left else 1 for word in found}
        return sides.pop() if len(sides) == 1 else None


def _in_case(old, new):
    """Return a word in the case of the one that it replaces."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    if old[:1].isupper():
        return new[:1].upper() + new[1:]
    return new.lower() if old.islower() and new.istitle() else new


def read_swaps(path: str | Path) -> Swaps:
    """Read pairs of words: two a row, a tab between, no header; blank lines are left out.

    Args:
        path: The file.

    Returns:
        The `Swaps`.

    Raises:
        Error: With file and line, when a row has not two different words.
    """
    pairs = []
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").split("\n"), start=1):
        words = [word.strip() for word in line.removesuffix("\r").split("\t")]
        if words == [""]:
            continue
        if len(words) != 2 or not all(words) or words[0].casefold() == words[1].casefold():
            raise Error(f"{path}: line {number}: {line!r:.60} came, wanted two different words with a tab between.")
        pairs.append((words[0], words[1]))
    if not pairs:
        raise Error(f"{path} has no words; give two a row, with a tab between.")
    swaps = Swaps(tuple(pairs))
    if swaps.ambiguous:
        say(f"{path}: {', '.join(swaps.ambiguous)} stand in several rows; the first one counts.")
    return swaps


def swap_rate(predictor: Predictor, swaps: Swaps, inputs: Sequence[Any]) -> dict[str, Any]:
    """Count the rows whose answer changes when the words of two groups are exchanged.

    Args:
        predictor: The model.
        swaps: The words.
        inputs: What its task reads.

    Returns:
        {"rows": those that hold a word, "changed", "rate", "low", "high": Wilson's 95 % interval, "read": all rows,
        "examples": {"text", "swapped", "before", "after"} of each changed row, "meaning"}.

    Raises:
        Error: When no row holds a word, or answers of the task decide nothing.
    """
    changed = [(given, other) for given, other in ((given, swaps.swapped(given)) for given in inputs) if other != given]
    if not changed:
        raise Error(f"None of {len(inputs):,} rows holds one of the words to swap; give words that stand in the rows.")
    answers = iter(predictor.predict([text for pair in changed for text in pair]))
    found = [{"text": as_texts(given), "swapped": as_texts(other), "before": in_words(one), "after": in_words(two)}
             for given, other in changed for one, two in [(next(answers), next(answers))]
             if not are_same(predictor.task, one, two)]
    low, high = metrics.wilson(len(found), len(changed))
    return {"rows": len(changed), "changed": len(found), "rate": len(found) / len(changed), "low": low, "high": high,
            "read": len(inputs), "examples": found, "meaning": MEANING}


def group_gaps(predictor: Predictor, swaps: Swaps, inputs: Sequence[Any], targets: Any) -> dict[str, Any] | None:
    """Compare how a classifier errs on rows of the two groups.

    Args:
        predictor: The model.
        swaps: The words of the groups.
        inputs: What its task reads.
        targets: The class number of each.

    Returns:
        {"rows": of each group, "equalized_odds": {"gap", "low", "high"}, "calibration_error": of each group,
        "false_positives", "meaning"}; None where the task has not one class for each row. `false_positives` are of two
        classes: {"positive": the class, "with", "without": {"rows", "rate", "low", "high"}}, the rate at which rows
        of the other class are taken for it where they hold a word of either side and where they hold none (Dixon et al.
        2018). What a group without rows leaves undefined is None.
    """
    task = predictor.task
    if not isinstance(task, Classification) or task.multi_label:
        return None
    sides = np.array([-1 if side is None else side for side in map(swaps.group, inputs)])
    counts = [int((sides == side).sum()) for side in (0, 1)]
    predictions = predictor.predictions(inputs)
    labels, given = task.metric_inputs(targets, predictions)
    errors = [metrics.calibration_error(labels[sides == side], np.array(predictions)[sides == side])
              if counts[side] else None for side in (0, 1)]
    named = np.array([swaps.swapped(one) != one for one in inputs])
    return {"rows": counts, "equalized_odds": _odds(labels, given, sides) if any(counts) else None,
            "calibration_error": errors, **_false_positives(task, labels, given, named), "meaning": GROUPS}


def _odds(labels, given, sides):
    """Return the gap with its interval; None where no class has a rate in both groups."""
    units = labels[sides >= 0], given[sides >= 0], sides[sides >= 0]
    gap = metrics.equalized_odds_gap(*units)
    low, high = metrics.bootstrap(metrics.equalized_odds_gap, *units)
    return None if np.isnan(gap) else {"gap": gap, "low": low, "high": high}


def _false_positives(task, labels, given, named):
    if not task.is_binary:
        return {}
    positive = task.labels.index(task.positive_class)
    found = {}
    for name, where in (("with", named), ("without", ~named)):
        rows, wrong = int((where & (labels != positive)).sum()), int((where & (labels != positive) & (
            given == positive)).sum())
        low, high = metrics.wilson(wrong, rows) if rows else (None, None)
        found[name] = {"rows": rows, "rate": wrong / rows if rows else None, "low": low, "high": high}
    return {"false_positives": {"positive": task.positive_class, **found}}

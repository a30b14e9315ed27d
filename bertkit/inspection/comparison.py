"""Two models on the same rows: both scores, how far they differ by more than chance, and the rows where they do."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.labelled import read_labelled
from bertkit.errors import Error
from bertkit.inspection.answers import in_words
from bertkit.predictor import Predictor
from bertkit.report.comparison import render_comparison
from bertkit.report.shown import Shown

SHOWN = 20          # rows that a screen shows
LONGEST = 90        # characters of a row's text there


@dataclass(frozen=True)
class Disagreement:
    """A row that one of two models answers better than the other.

    Args:
        row: Its number, from 1.
        texts: What the models read.
        label: What is right, in words.
        a: What the first model answers, in words.
        b: What the second model answers.
        better: "a" or "b".
    """

    row: int
    texts: tuple[str, ...]
    label: str
    a: str
    b: str
    better: str


@dataclass(frozen=True)
class Comparison(Shown):
    """What two models do on the same labelled rows.

    Args:
        names: What the first and the second model are called.
        scores: {metric: score} of each.
        metric: The task's first metric, which is compared.
        difference: (score of the first − score of the second, its lower and its upper end), the paired 95 % bootstrap
            interval.
        only_a: Rows that are `counted` for the first model alone.
        only_b: Rows that are `counted` for the second model alone.
        rows: How many rows were read.
        counted: Which rows are counted, in words (see `Task.counted`).
        disagreements: The rows of `only_a` and `only_b`, those with the largest difference first.
    """

    names: tuple[str, str]
    scores: tuple[dict[str, Any], dict[str, Any]]
    metric: str
    difference: tuple[float, float, float]
    only_a: int
    only_b: int
    rows: int
    counted: str
    disagreements: list[Disagreement]

    @property
    def mcnemar_p(self) -> float:
        """The exact p of McNemar's test on `only_a` and `only_b`; where rows are not right or wrong, the sign test."""
        return metrics.mcnemar(self.only_a, self.only_b)

    def page(self) -> str:
        """Return it as a page.

        Returns:
            The HTML (see `report.comparison`).
        """
        return render_comparison(self)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON.

        Returns:
            {"a", "b": {"model", and its scores}, "difference": {"metric", "score", "low", "high"}, "mcnemar_p",
            "only_a", "only_b", "rows", "counted", "disagreements"}.
        """
        (a, b), (score, low, high) = self.scores, self.difference
        return {"a": {"model": self.names[0], **a}, "b": {"model": self.names[1], **b},
                "difference": {"metric": self.metric, "score": score, "low": low, "high": high},
                "mcnemar_p": self.mcnemar_p, "only_a": self.only_a, "only_b": self.only_b, "rows": self.rows,
                "counted": self.counted, "disagreements": [vars(one) for one in self.disagreements]}

    def table(self) -> list[tuple[str, float, float, float]]:
        """Return the scores of both that are numbers.

        Returns:
            (metric, score of the first, score of the second, their difference) of each.
        """
        a, b = self.scores
        return [(name, a[name], b[name], a[name] - b[name]) for name in a
                if name in b and all(isinstance(side[name], float | int) for side in (a, b))]

    def verdict(self) -> str:
        """Return in sentences what the numbers say and what they do not.

        Returns:
            The sentences.
        """
        score, low, high = self.difference
        apart = "chance alone seldom makes so large a difference" if low > 0 or high < 0 else (
            "the interval holds 0, so these rows do not tell which is better")
        gap = f"{abs(score):.4f} {'above' if score > 0 else 'below'} that of B" if score else "as high as that of B"
        return (f"{self.metric} of A is {gap} (95 % interval of A − B: {low:.4f} to {high:.4f}, "
                f"paired bootstrap): {apart}. Of {self.rows:,} rows, counted are "
                f"{self.counted}: {self.only_a:,} with A alone, {self.only_b:,} with B alone (McNemar's exact p "
                f"{self.mcnemar_p:.3g}). Both numbers are of these rows alone: other texts may tell otherwise.")

    def text(self) -> str:
        """Return the comparison as lines for a person.

        Returns:
            The lines: a table of scores, the verdict, and the first `SHOWN` rows where the two differ.
        """
        lines = [f"A  {self.names[0]}", f"B  {self.names[1]}", "", f"{'':<14}{'A':>10}{'B':>10}{'A - B':>10}"]
        lines += [f"{name:<14}{a:>10.4f}{b:>10.4f}{gap:>10.4f}" for name, a, b, gap in self.table()]
        lines += ["", self.verdict()]
        for one in islice(self.disagreements, SHOWN):
            lines += ["", f"row {one.row}: right is {one.label}; A says {one.a}; B says {one.b}",
                      *(f"    {cut(text)}" for text in one.texts)]
        more = len(self.disagreements) - SHOWN
        return "\n".join(lines + (["", f"{more:,} more such rows stand in the page (--out) and in --json."]
                                  if more > 0 else []))


def cut(text: str) -> str:
    """Return a text on one line that is short enough for a screen; dots say that it goes on.

    Args:
        text: The text.

    Returns:
        At most `LONGEST` characters.

    Example:
        >>> cut("a" * 100)[-5:]
        'aa...'
    """
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[:LONGEST - 3] + "..."


def compare(a: str | Path | Predictor, b: str | Path | Predictor, data: Data, columns: Columns = Columns(),
            **reading: Any) -> Comparison:
    """Compare two models of the same task on labelled rows.

    Args:
        a: The folder of a bundle, or a `Predictor`.
        b: Another one; their labels may stand in another order.
        data: A file of labelled rows, in a form that the task's recipe reads; or rows in memory.
        columns: Names of columns.
        **reading: Further arguments of `read_labelled`.

    Returns:
        The `Comparison`.

    Raises:
        Error: When the models have different tasks, or the rows do not fit one of them.
    """
    one, other = (side if isinstance(side, Predictor) else Predictor(side) for side in (a, b))
    _check_alike(one.task, other.task)
    rows = read_labelled(one.task, data, columns, **reading)
    again = rows if one.task == other.task else read_labelled(other.task, data, columns, **reading)
    if again.inputs != rows.inputs:
        raise Error(f"{rows.path}: the two models read other rows of it; give rows that both can use.")
    sides = [(one.task, rows.targets, one.predictions(rows.inputs)),
             (other.task, again.targets, other.predictions(rows.inputs))]
    name, metric = next(iter(one.task.metrics.items()))
    first, second = (task.metric_inputs(targets, predictions) for task, targets, predictions in sides)
    quality = np.array([task.row_quality(targets, predictions) for task, targets, predictions in sides])
    scores = [task.scores(targets, predictions) for task, targets, predictions in sides]
    return Comparison((one.version, other.version), (scores[0], scores[1]), name,
                      metrics.paired_drop(metric, first, second), int((quality[0] > quality[1]).sum()),
                      int((quality[0] < quality[1]).sum()), len(rows), one.task.counted,
                      _disagreements(rows, sides, quality))


def _check_alike(one, other):
    """Raise `Error` where two tasks do not answer the same question."""
    if list(one.metrics) != list(other.metrics) or one.counted != other.counted or one.reads != other.reads:
        raise Error(f"The models have the tasks {one.name} (which reads {', '.join(one.reads)}) and {other.name} "
                    f"(which reads {', '.join(other.reads)}); give two of the same.")
    labels = [sorted(getattr(task, "labels", ())) for task in (one, other)]
    if labels[0] != labels[1]:
        raise Error(f"The models have other labels: {', '.join(labels[0])} and {', '.join(labels[1])}; give two that "
                    "learnt the same.")


def _disagreements(rows, sides, quality):
    """Return the rows that one of the models answers better, those with the largest difference first."""
    gap = quality[0] - quality[1]
    found = [int(row) for row in np.argsort(-np.abs(gap), kind="stable") if gap[row]]
    inputs = [rows.inputs[row] for row in found]
    words = [[in_words(answer) for answer in task.answers(inputs, [predictions[row] for row in found])]
             for task, _, predictions in sides]
    task, targets, _ = sides[0]
    return [Disagreement(row + 1, as_texts(given), task.target_in_words(given, targets[row]), a, b,
                         "a" if gap[row] > 0 else "b") for row, given, a, b in zip(found, inputs, *words, strict=True)]


def as_texts(given: Any) -> tuple[str, ...]:
    """Return the texts of an input: of a list of words one, with blanks between them.

    Args:
        given: A text, a tuple of texts, or a list of words.

    Returns:
        The texts.

    Example:
        >>> as_texts(["in", "Rome"]), as_texts(("a", "b"))
        (('in Rome',), ('a', 'b'))
    """
    if isinstance(given, list):
        return (" ".join(given),)
    return tuple(given) if isinstance(given, tuple) else (given,)

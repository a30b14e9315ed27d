"""The GLUE table: the score of each task over seeds, and the mean over tasks under its right name."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Self

from bertkit.glue.page import text_table
from bertkit.metrics.glue import GLUE, SCORED


@dataclass(frozen=True)
class Figure:
    """A mean over seeds, in points.

    Args:
        mean: The mean.
        seeds: {seed: points}.
    """

    mean: float
    seeds: dict[int, float]

    @classmethod
    def of(cls, seeds: dict[int, float]) -> Self:
        """Return the figure of one seed or more.

        Args:
            seeds: {seed: points}.

        Returns:
            The `Figure`.

        Example:
            >>> print(Figure.of({0: 80.0, 1: 82.0}))
            81.00 ± 1.41
        """
        return cls(statistics.fmean(seeds.values()), seeds)

    @property
    def spread(self) -> float | None:
        """The standard deviation over seeds (n − 1), None for fewer than two."""
        return statistics.stdev(self.seeds.values()) if len(self.seeds) > 1 else None

    def __str__(self):
        return f"{self.mean:.2f}" + (f" ± {self.spread:.2f}" if len(self.seeds) > 1 else "")

    def to_json(self) -> dict[str, Any]:
        """Return the figure as JSON.

        Returns:
            {"mean", "spread", "n", "seeds"}.
        """
        return {"mean": self.mean, "spread": self.spread, "n": len(self.seeds),
                "seeds": {str(seed): points for seed, points in self.seeds.items()}}


@dataclass(frozen=True)
class Row:
    """The score of one task; without a finished run there are no figures.

    Args:
        task: The name of the task.
        errors: Which seeds failed, or what the task lacks.
        unlike: How its rows differ from those that GLUE publishes.
        metrics: The `Figure` of each official metric.
        score: The `Figure` of their mean.
        best: The run with the highest score.
    """

    task: str
    errors: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    metrics: dict[str, Figure] = field(default_factory=dict)
    score: Figure | None = None
    best: Any = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON, with the folder of the best run.

        Returns:
            {"score", "metrics", "errors", "unlike", "best"}.
        """
        figures = {name: figure.to_json() for name, figure in self.metrics.items()}
        return {"score": self.score and self.score.to_json(), "metrics": figures, "errors": list(self.errors),
                "unlike": list(self.unlike), "best": self.best and str(self.best.folder)}


@dataclass(frozen=True)
class Table:
    """All rows, and what was written to submit.

    Args:
        rows: The `Row` of each task.
        submission: {file of the submission: its path, or what went wrong}.
    """

    rows: tuple[Row, ...]
    submission: dict[str, str] = field(default_factory=dict)

    @property
    def scored(self) -> list[Row]:
        """The rows that have a score."""
        return [row for row in self.rows if row.score is not None]

    @property
    def name(self) -> str:
        """The name of the mean over tasks: "GLUE score" only for all nine tasks, metrics and published rows."""
        if len(self.scored) == len(SCORED) and not any(row.unlike for row in self.scored):
            return "GLUE score on dev"
        return f"mean of {len(self.scored)} task{'s' if len(self.scored) != 1 else ''}"

    @property
    def score(self) -> Figure | None:
        """The mean over tasks, with the seeds that every task has; None without any."""
        figures = [row.score for row in self.scored if row.score is not None]
        if not figures:
            return None
        seeds = [seed for seed in figures[0].seeds if all(seed in figure.seeds for figure in figures)]
        return Figure(statistics.fmean(figure.mean for figure in figures),
                      {seed: statistics.fmean(figure.seeds[seed] for figure in figures) for seed in seeds})

    def submitted(self, submission: dict[str, str]) -> Self:
        """Return the table with what was written to submit.

        Args:
            submission: {file of the submission: its path, or what went wrong}.

        Returns:
            A new `Table`.
        """
        return replace(self, submission=submission)

    def text(self) -> str:
        """Return the table as lines for a terminal.

        Returns:
            The lines.
        """
        return text_table(self)

    def to_json(self) -> dict[str, Any]:
        """Return the table as JSON.

        Returns:
            {"name", "score", "tasks", "submission"}.
        """
        return {"name": self.name, "score": self.score and self.score.to_json(),
                "tasks": {row.task: row.to_json() for row in self.rows}, "submission": self.submission}


def tabulate(outcomes: Iterable[Any], missing: Mapping[str, str]) -> Table:
    """Make the table of the outcomes so far.

    Args:
        outcomes: The `Outcome` of each run, those of a task one after the other.
        missing: {task: what it lacks}.

    Returns:
        The `Table`, in GLUE's order.
    """
    rows = {task: Row(task, (lacks,)) for task, lacks in missing.items()}
    for files, group in groupby(outcomes, key=lambda outcome: outcome.run.files):
        rows[files.name] = _row(files, list(group))
    return Table(tuple(rows[task] for task in GLUE if task in rows))


def _row(files, outcomes):
    errors = tuple(f"seed {outcome.run.seed}: {outcome.error}" for outcome in outcomes if outcome.error)
    done = [outcome for outcome in outcomes if not outcome.error]
    if not done:
        return Row(files.name, errors)
    metrics = {name: Figure.of({outcome.run.seed: 100 * outcome.scores[name] for outcome in done})
               for name in done[0].scores}
    score = Figure.of({outcome.run.seed: 100 * statistics.fmean(outcome.scores.values()) for outcome in done})
    best = max(done, key=lambda outcome: score.seeds[outcome.run.seed]).run
    return Row(files.name, errors, tuple(_unlike(files.layout, done[0].rows)), metrics, score, best)


def _unlike(layout, rows):
    """Yield how the dev rows differ from those that are published; MNLI's second file may be missing."""
    if layout.second and "test" not in rows:
        yield f"no {layout.second}, so the score is that of {layout.dev}"
    for split, published in layout.dev_rows.items():
        if rows.get(split, published) != published:
            path = layout.dev if split == "dev" else layout.second
            yield f"{path}: {rows[split]:,} rows, of which GLUE publishes {published:,}"

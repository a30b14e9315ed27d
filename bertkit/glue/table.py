"""The GLUE table: what each task reached over seeds, and the mean over tasks by its right name."""

import statistics
from dataclasses import dataclass, field, replace
from itertools import groupby

from bertkit.glue.page import lines
from bertkit.metrics.glue import GLUE, SCORED


@dataclass(frozen=True)
class Figure:
    """A mean over seeds, in points, and what each seed reached: {seed: points}."""

    mean: float
    seeds: dict

    @classmethod
    def of(cls, seeds):
        """Return the figure of {seed: points}, of one seed or more."""
        return cls(statistics.fmean(seeds.values()), seeds)

    @property
    def spread(self):
        """The standard deviation over seeds (n − 1), None for fewer than two."""
        return statistics.stdev(self.seeds.values()) if len(self.seeds) > 1 else None

    def __str__(self):
        return f"{self.mean:.2f}" + (f" ± {self.spread:.2f}" if len(self.seeds) > 1 else "")

    def to_json(self):
        """Return {"mean", "spread", "n", "seeds"}."""
        return {"mean": self.mean, "spread": self.spread, "n": len(self.seeds),
                "seeds": {str(seed): points for seed, points in self.seeds.items()}}


@dataclass(frozen=True)
class Row:
    """What one task reached: a `Figure` for each official metric, and as `score` for their mean.

    `errors` say which seeds failed, or what the task lacks, `unlike` what is not as GLUE publishes it; `best` is the
    run of the highest score. Without a run that is done there are no figures.
    """

    task: str
    errors: tuple = ()
    unlike: tuple = ()
    metrics: dict = field(default_factory=dict)
    score: Figure | None = None
    best: object = None

    def to_json(self):
        """Return the row as a JSON object, with the folder of the best run."""
        figures = {name: figure.to_json() for name, figure in self.metrics.items()}
        return {"score": self.score and self.score.to_json(), "metrics": figures, "errors": list(self.errors),
                "unlike": list(self.unlike), "best": self.best and str(self.best.folder)}


@dataclass(frozen=True)
class Table:
    """All rows, and what was written to `submission`, {file of the submission: path or what failed}."""

    rows: tuple
    submission: dict = field(default_factory=dict)

    @property
    def scored(self):
        """The rows that have a score."""
        return [row for row in self.rows if row.score is not None]

    @property
    def name(self):
        """What the mean over tasks is: the GLUE score only of all nine tasks, metrics and published rows."""
        if len(self.scored) == len(SCORED) and not any(row.unlike for row in self.scored):
            return "GLUE score on dev"
        return f"mean of {len(self.scored)} task{'s' if len(self.scored) != 1 else ''}"

    @property
    def score(self):
        """The mean over tasks, with the seeds that every task has; None without any."""
        figures = [row.score for row in self.scored]
        if not figures:
            return None
        seeds = [seed for seed in figures[0].seeds if all(seed in figure.seeds for figure in figures)]
        return Figure(statistics.fmean(figure.mean for figure in figures),
                      {seed: statistics.fmean(figure.seeds[seed] for figure in figures) for seed in seeds})

    def submitted(self, submission):
        """Return the table with what was written to submit."""
        return replace(self, submission=submission)

    def text(self):
        """Return the table as lines for a terminal."""
        return lines(self)

    def to_json(self):
        """Return the table as a JSON object."""
        return {"name": self.name, "score": self.score and self.score.to_json(),
                "tasks": {row.task: row.to_json() for row in self.rows}, "submission": self.submission}


def tabulate(outcomes, missing):
    """Return the `Table` of the outcomes of runs so far and of {task: what it lacks}, in GLUE's order."""
    rows = {task: Row(task, (lacks,)) for task, lacks in missing.items()}
    for files, found in groupby(outcomes, key=lambda outcome: outcome.run.files):
        rows[files.name] = _row(files, list(found))
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
    """Yield what of the dev rows is not as published; MNLI's second file may lack."""
    if layout.second and "test" not in rows:
        yield f"no {layout.second}, so the score is that of {layout.dev}"
    for split, published in layout.dev_rows.items():
        if rows.get(split, published) != published:
            path = layout.dev if split == "dev" else layout.second
            yield f"{path}: {rows[split]:,} rows, of which GLUE publishes {published:,}"

"""The runs of one command: each task with each seed, in a process and a bundle of its own, done once."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertkit.card import Card
from bertkit.data.glue import TaskFiles
from bertkit.errors import Error
from bertkit.metrics import GLUE
from bertkit.sweep import trials
from bertkit.terminal import say

FEWEST, MOST, STEPS = 3, 10, 1000       # epochs of a run, and the steps that small tasks should come to


@dataclass(frozen=True)
class GlueRun:
    """One task that is learned with one seed.

    The task's first official metric chooses the epoch.

    Args:
        files: The `TaskFiles`.
        seed: The seed.
        folder: The folder of the bundle.
        epochs: The epochs.
        rows: The rows that are learned from.
        knobs: The arguments that all runs share.
    """

    files: TaskFiles
    seed: int
    folder: Path
    epochs: int
    rows: int
    knobs: dict[str, Any]

    def __str__(self):
        return f"{self.files.name}, seed {self.seed}"

    @property
    def cost(self) -> int:
        """The rows that are learned from, times the epochs."""
        return self.epochs * self.rows

    @property
    def is_done(self) -> bool:
        """Whether the bundle is there; its last file is written when it is complete."""
        return (self.folder / "bundle.json").exists()

    @property
    def command(self) -> list[str]:
        """The command that makes the bundle."""
        knobs = {"train": self.files.train, "dev": self.files.dev, "test": self.files.second, "out": self.folder,
                 "seed": self.seed, "epochs": self.epochs, **self.knobs}
        flags = [str(word) for name, value in knobs.items() if value is not None
                 for word in (f"--{name.replace('_', '-')}", value)]
        chosen = GLUE[self.files.name].metrics[0].removesuffix("_matched")
        return [self.files.layout.recipe, *flags, "--set", f"metric={chosen}", "--json"]


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Args:
        run: The `GlueRun`.
        scores: {official metric: fraction} on dev.
        rows: {split: rows}.
        error: What went wrong, where it failed.
    """

    run: GlueRun
    scores: dict[str, float] | None = None
    rows: dict[str, int] | None = None
    error: str | None = None


def plan(tasks: Sequence[TaskFiles], seeds: Sequence[int], out: str | Path, epochs: int | None,
         knobs: dict[str, Any]) -> list[GlueRun]:
    """Return the runs, all seeds of a task before the next task's.

    Without `epochs` there are 3 (Devlin et al. 2018, section 4.1), on small tasks up to 10, so that there are about
    1000 steps (Zhang et al. 2021, arXiv 2006.05987: few rows need more epochs).

    Args:
        tasks: The `TaskFiles`.
        seeds: The seeds.
        out: The folder of all runs.
        epochs: The epochs of each run, or None.
        knobs: The arguments that all runs share, with "limit" and "batch_size".

    Returns:
        The runs.
    """
    runs: list[GlueRun] = []
    for files in tasks:
        rows = max(1, min(files.lines, knobs["limit"] or files.lines))
        passes = min(MOST, max(FEWEST, math.ceil(STEPS * knobs["batch_size"] / rows)))
        runs += [GlueRun(files, seed, Path(out) / "runs" / f"{files.name}-seed{seed}", epochs or passes, rows, knobs)
                 for seed in seeds]
    return runs


def execute(runs: Sequence[GlueRun]) -> Iterator[Outcome]:
    """Run what is not done, and yield the outcome of each run; print the progress and the time that is left.

    Args:
        runs: The runs.

    Yields:
        The `Outcome` of each.

    Raises:
        Error: at the end, when no run succeeded.
    """
    left, spent, finished, outcomes = sum(run.cost for run in runs if not run.is_done), 0.0, 0, []
    for number, run in enumerate(runs, start=1):
        error = None
        if not run.is_done:
            say(f"{number}/{len(runs)} {run}: {run.epochs} epoch{'s' * (run.epochs > 1)} of {run.rows:,} rows"
                + (f", {_duration(spent / finished * left)} left" if finished else ""))
            began = time.monotonic()
            run.folder.parent.mkdir(parents=True, exist_ok=True)
            _, error = trials.run_command(run.command, run.folder.with_name(run.folder.name + ".log"))
            spent, finished, left = spent + time.monotonic() - began, finished + run.cost, left - run.cost
        outcome = Outcome(run, error=error) if error else _outcome(run)
        reached = [f"{metric} {score:.4f}" for metric, score in (outcome.scores or {}).items()]
        say(f"{number}/{len(runs)} {run}: {outcome.error or ', '.join(reached)}")
        outcomes.append(outcome)
        yield outcome
    if all(outcome.error for outcome in outcomes):
        raise Error(f"No run succeeded; the first said: {outcomes[0].error}")


def _duration(seconds):
    return f"{seconds / 3600:.1f} h" if seconds > 5400 else f"{max(seconds / 60, 1):.0f} min"


def _outcome(run):
    """Return what a bundle's card says."""
    task = GLUE[run.files.name]
    try:
        card = Card.read(run.folder / "card.json")
        labels = tuple(card.model["labels"])
        if task.labels and labels != task.labels:
            raise Error(f"The labels of training are {', '.join(labels)}, and GLUE has {', '.join(task.labels)}; give "
                        "GLUE's own files.")
        scores = {metric: _score(card, metric) for metric in task.metrics if _split(metric) in card.scores}
    except Error as error:
        return Outcome(run, error=str(error))
    return Outcome(run, scores, {name: card.data[name]["rows"] for name in card.scores})


def _split(metric):
    """Return which rows of a run a metric is of: a second dev file stands in the place of test."""
    return "test" if metric.endswith("_mismatched") else "dev"


def _score(card, metric):
    score = card.scores[_split(metric)][metric.split("_")[0]]["score"]
    if score is None:
        raise Error(f"{metric} is undefined on dev, because the model gives every row the same answer; train longer, "
                    "or with another seed.")
    return score

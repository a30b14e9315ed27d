"""The files of GLUE as they are published: their places, their numbers of rows, and the test files without labels.

Sources: Wang et al. 2018, arXiv 1804.07461, table 1, and gluebenchmark.com, whose submissions are named here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertkit.data.classes import task_inputs
from bertkit.data.columns import Columns
from bertkit.data.lines import open_bytes
from bertkit.data.readers import read_examples
from bertkit.data.records import table
from bertkit.errors import Error
from bertkit.metrics.glue import SCORED

INDICES = ("index", "id")       # what the first column of a test file is called


@dataclass(frozen=True)
class Layout:
    """Which recipe learns a task, and its files below the GLUE folder.

    Args:
        recipe: The name of the recipe.
        train: The file of training rows.
        dev: The file of dev rows.
        tests: {file of the submission: file of rows without labels}.
        dev_rows: The numbers of rows that are published, {"dev", "test"}.
        second: Labelled rows that are only reported (MNLI's mismatched dev set).
    """

    recipe: str
    train: str
    dev: str
    tests: dict[str, str]
    dev_rows: dict[str, int]
    second: str | None = None


def _layout(name, dev_rows, recipe="classify"):
    return Layout(recipe, f"{name}/train.tsv", f"{name}/dev.tsv", {name: f"{name}/test.tsv"}, {"dev": dev_rows})


LAYOUTS = {
    "CoLA": _layout("CoLA", 1043),
    "SST-2": _layout("SST-2", 872),
    "MRPC": _layout("MRPC", 408),
    "STS-B": _layout("STS-B", 1500, "score"),
    "QQP": _layout("QQP", 40430),
    "MNLI": Layout("classify", "MNLI/train.tsv", "MNLI/dev_matched.tsv",
                   {"MNLI-m": "MNLI/test_matched.tsv", "MNLI-mm": "MNLI/test_mismatched.tsv",
                    "AX": "diagnostic/diagnostic.tsv"},
                   {"dev": 9815, "test": 9832}, "MNLI/dev_mismatched.tsv"),
    "QNLI": _layout("QNLI", 5463),
    "RTE": _layout("RTE", 277),
    "WNLI": _layout("WNLI", 71),
}


@dataclass(frozen=True)
class TaskFiles:
    """The files of one task that are there.

    Args:
        name: The task.
        layout: Its `Layout`.
        train: The file of training rows.
        dev: The file of dev rows.
        lines: The lines of the training file.
        second: Labelled rows that are only reported.
        tests: {file of the submission: file of rows without labels}.
    """

    name: str
    layout: Layout
    train: Path
    dev: Path
    lines: int
    second: Path | None = None
    tests: dict[str, Path] = field(default_factory=dict)


def find_tasks(folder: str | Path, names: Sequence[str] | None = None) -> tuple[list[TaskFiles], dict[str, str]]:
    """Find the files of GLUE's tasks.

    Args:
        folder: The GLUE folder.
        names: The tasks; None takes all nine.

    Returns:
        ([`TaskFiles`] in GLUE's order, {task: what it lacks}).

    Raises:
        Error: when a name is that of no task, and when no task is there.
    """
    folder, names = Path(folder), tuple(SCORED if names is None else names)
    if unknown := [name for name in names if name not in LAYOUTS]:
        raise Error(f"GLUE has no task {unknown[0]!r}; its tasks are {', '.join(LAYOUTS)}.")
    files, missing = [], {}
    for name, layout in LAYOUTS.items():
        lacking = [path for path in (layout.train, layout.dev) if not (folder / path).is_file()]
        if name in names and lacking:
            missing[name] = f"no {' and no '.join(lacking)}"
        elif name in names:
            files.append(_files(folder, name, layout))
    if not files:
        raise Error(f"{folder} holds none of {', '.join(names)}; a GLUE folder has a folder for each, such as "
                    "SST-2/train.tsv and SST-2/dev.tsv.")
    return files, missing


def _files(folder, name, layout):
    tests = {submission: folder / path for submission, path in layout.tests.items() if (folder / path).is_file()}
    second = folder / layout.second if layout.second and (folder / layout.second).is_file() else None
    with open_bytes(folder / layout.train) as file:
        lines = sum(1 for _ in file)
    return TaskFiles(name, layout, folder / layout.train, folder / layout.dev, lines, second, tests)


def read_test(task: Any, path: str | Path, columns: Columns = Columns()) -> tuple[list[Any], list[Any]]:
    """Read the rows of a test file, which have no labels.

    Args:
        task: A `Classification` or a `Regression`.
        path: The file.
        columns: Names of columns.

    Returns:
        (indices as the file has them, or from 0; inputs of `task`).

    Raises:
        Error: with file and line, when a row cannot be read: every row must be answered.
    """
    with table(Path(path)) as (names, *_):
        index = next((name for name in names if name.lower() in INDICES), None)
    examples = read_examples(path, columns.text, columns.second, index, labels_required=False, skip_bad_rows=None)
    indices = examples.labels if index else [str(number) for number in range(len(examples))]
    return indices, task_inputs(task, examples)

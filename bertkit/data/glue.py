"""The files of GLUE as they are published: where they lie, how many rows, and its test files without labels.

Sources: Wang et al. 2018, arXiv 1804.07461, table 1, and gluebenchmark.com, whose submissions are named here.
"""

from dataclasses import dataclass, field
from pathlib import Path

from bertkit.data.classes import task_inputs
from bertkit.data.columns import Columns
from bertkit.data.readers import read_examples
from bertkit.data.records import table
from bertkit.errors import Error
from bertkit.metrics.glue import SCORED

INDICES = ("index", "id")       # what the first column of a test file is called


@dataclass(frozen=True)
class Layout:
    """Which recipe learns a task, and its files below the GLUE folder.

    `second` are labelled rows that only report (MNLI's mismatched dev set), `tests` {file of the submission: rows
    without labels}, `dev_rows` how many rows of {"dev", "test"} are published.
    """

    recipe: str
    train: str
    dev: str
    tests: dict
    dev_rows: dict
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
    """The files of one task that are there; `lines` counts those of train."""

    name: str
    layout: Layout
    train: Path
    dev: Path
    lines: int
    second: Path | None = None
    tests: dict = field(default_factory=dict)


def find_tasks(folder, names=None):
    """Return ([TaskFiles ...], {task: what it lacks}) of the tasks `names`, all nine by default, in GLUE's order.

    Raises `Error` for a name that is no task's, and where none of them is there.
    """
    folder, names = Path(folder), tuple(SCORED if names is None else names)
    if unknown := [name for name in names if name not in LAYOUTS]:
        raise Error(f"GLUE has no task {unknown[0]!r}; its tasks are {', '.join(LAYOUTS)}.")
    found, missing = [], {}
    for name, layout in LAYOUTS.items():
        lacking = [path for path in (layout.train, layout.dev) if not (folder / path).is_file()]
        if name in names and lacking:
            missing[name] = f"no {' and no '.join(lacking)}"
        elif name in names:
            found.append(_files(folder, name, layout))
    if not found:
        raise Error(f"{folder} holds none of {', '.join(names)}; a GLUE folder has a folder for each, such as "
                    "SST-2/train.tsv and SST-2/dev.tsv.")
    return found, missing


def _files(folder, name, layout):
    tests = {submission: folder / path for submission, path in layout.tests.items() if (folder / path).is_file()}
    second = folder / layout.second if layout.second and (folder / layout.second).is_file() else None
    with open(folder / layout.train, "rb") as file:
        lines = sum(1 for _ in file)
    return TaskFiles(name, layout, folder / layout.train, folder / layout.dev, lines, second, tests)


def read_test(task, path, columns=Columns()):
    """Return (indices, inputs of `task`) of rows without labels, the indices as the file has them, or from 0.

    Raises `Error` with file and line for a row that cannot be read: each must be answered.
    """
    with table(Path(path)) as (names, _):
        index = next((name for name in names if name.lower() in INDICES), None)
    examples = read_examples(path, columns.text, columns.second, index, labels_required=False, skip_bad_rows=None)
    indices = examples.labels if index else [str(number) for number in range(len(examples))]
    return indices, task_inputs(task, examples)

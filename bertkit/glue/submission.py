"""Answers to rows without labels, in the form that gluebenchmark.com takes."""

import shutil
from pathlib import Path
from typing import Any

from bertkit.data.columns import Columns
from bertkit.data.glue import read_test
from bertkit.errors import Error
from bertkit.files.atomic import write_text
from bertkit.predictor import Predictor
from bertkit.sweep import trials
from bertkit.terminal import say

LOWEST, HIGHEST = 0, 5      # the range of STS-B's scores


def submit(folder: str | Path, data: str | Path, out: str | Path, tflite: str | Path | None = None,
           columns: Columns = Columns()) -> dict[str, Any]:
    """Write index, tab, prediction of each row of a file without labels.

    A prediction is the label as training has it, or the score, cut to 0..5, with three decimals.

    Args:
        folder: The bundle.
        data: The file of rows.
        out: The file that is written.
        tflite: An exported .tflite file of the bundle, which then answers in its place.
        columns: Names of columns.

    Returns:
        {"written", "rows"}.

    Raises:
        Error: when the bundle is of another task, when a row cannot be read, and when `out` exists.
    """
    if Path(out).exists():
        raise Error(f"{out} is already there; move it away, or choose another --out.")
    predictor = Predictor(folder, tflite=tflite)
    if predictor.task.name not in ("classify", "score") or getattr(predictor.task, "multi_label", False):
        raise Error(f"{folder} does not give a text one label or one score, and GLUE takes nothing else; give a bundle "
                    "of bertkit classify or score.")
    indices, inputs = read_test(predictor.task, data, columns)
    rows = zip(indices, map(_word, predictor.predict(inputs)), strict=True)
    write_text(Path(out), "index\tprediction\n" + "".join(f"{index}\t{word}\n" for index, word in rows))
    return {"written": str(out), "rows": len(indices)}


def _word(answer):
    if "label" in answer:
        return answer["label"]
    return f"{min(max(answer['score'], LOWEST), HIGHEST):.3f}"


def submit_best(table: Any, out: Path) -> dict[str, str]:
    """Let each task's best run answer its test files.

    The answers of a run are kept in OUT/predictions, so that it answers once; OUT/submission holds the files of the
    best runs.

    Args:
        table: The `Table`.
        out: The folder OUT.

    Returns:
        {file of the submission: its path, or what went wrong}.
    """
    written = {}
    for run in (row.best for row in table.scored):
        for name, test in run.files.tests.items():
            answers, target = out / "predictions" / f"{name}-seed{run.seed}.tsv", out / "submission" / f"{name}.tsv"
            error = None if answers.exists() else _answer(run, test, answers)
            target.parent.mkdir(exist_ok=True)
            if error is None:
                shutil.copyfile(answers, target)
            else:
                target.unlink(missing_ok=True)              # an earlier best run's
            written[name] = error or str(target)
            say(f"{name}.tsv: {written[name]}")
    return written


def _answer(run, test, answers):
    """Write a run's answers, in a process of its own; return what went wrong, or None."""
    answers.parent.mkdir(exist_ok=True)
    words = ["submit", str(run.folder), "--data", str(test), "--out", str(answers), "--json"]
    return trials.run_command(words, answers.with_suffix(".log"))[1]

"""What commands ask a model: cases of a tests file and cases made of the user's own rows; texts, or rows of a file."""

from pathlib import Path
from typing import Any

from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.inputs import print_skipped
from bertkit.data.summary import say_unlabelled
from bertkit.data.unlabelled import read_rows
from bertkit.errors import Error
from bertkit.inspection.cases import Case, read_cases
from bertkit.inspection.masked import MaskedModel
from bertkit.inspection.perturbations import PERTURBATIONS, make_cases


def cases_of(task: Any, tests: Data | None, data: Data | None, only: str | None = None,
             fill: str | Path | None = None, seed: int = 0, columns: Columns = Columns(),
             skip_bad_rows: bool = False) -> tuple[list[Case], list[str]]:
    """Read or make the cases of a command.

    Args:
        task: The task of the model that is asked.
        tests: A tests file, or None.
        data: A file of the user's own rows, or None.
        only: The changes of `data` with commas between them; None takes all.
        fill: A checkpoint of a masked language model for the masks of `tests`, or None.
        seed: Of all that is drawn.
        columns: Names of the columns of `data`.
        skip_bad_rows: Whether to leave rows of `data` out that cannot be used.

    Returns:
        (the cases, sentences on how they were made).

    Raises:
        Error: When neither file is given, a flag comes without the file that it is for, or a file cannot be read.
    """
    if tests is None and data is None:
        raise Error("There is nothing to ask; give a tests file with --tests, your own rows with --data, or both.")
    if data is None and (only is not None or columns != Columns()):
        raise Error("--only and names of columns are for the rows of --data; give them, or leave these out.")
    if tests is None and fill is not None:
        raise Error("--fill fills the masks of a tests file; give one with --tests, or leave it out.")
    cases = [] if tests is None else read_cases(tests, None if fill is None else MaskedModel(fill).words)
    if data is None:
        return cases, []
    rows = print_skipped(read_rows(task, data, columns, skip_bad_rows))
    say_unlabelled(rows)
    made, notes = make_cases(rows.inputs, tuple(PERTURBATIONS) if only is None else only.split(","), seed)
    if taken := {case.name for case in cases} & {case.name for case in made}:
        raise Error(f"The tests file has a test {min(taken)!r}, which is the name of a change too; name it otherwise.")
    return [*cases, *made], notes


def inputs_of(task: Any, data: Data | None, columns: Columns = Columns(), skip_bad_rows: bool = False) -> list[Any]:
    """Return the inputs of a command that takes a text or a file.

    Args:
        task: The task of the model that is asked.
        data: A file of rows, labelled or not; None takes the text itself of `columns`.
        columns: Names of the columns of `data`; without it the text, and the second one of a pair.
        skip_bad_rows: Whether to leave rows of `data` out that cannot be used.

    Returns:
        The inputs.

    Raises:
        Error: When there is neither a text nor a file, or the file cannot be read.
    """
    if data is None:
        if columns.text is None:
            raise Error("There is nothing to explain; give a text with --text, or rows with --data.")
        return [columns.text if columns.second is None else (columns.text, columns.second)]
    rows = print_skipped(read_rows(task, data, columns, skip_bad_rows))
    say_unlabelled(rows)
    return rows.inputs

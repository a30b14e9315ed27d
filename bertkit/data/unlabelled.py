"""Rows to answer: a file's inputs for a task beside all of its columns, and the file of answers made of them."""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from bertkit.data.annotated import task_data
from bertkit.data.cells import label_cell
from bertkit.data.columns import Columns, Source, join_names
from bertkit.data.conll import holds_tagged_columns
from bertkit.data.frames import Data, data_path
from bertkit.data.lines import BadRow, Lines, check_text, encoded_form, open_bytes
from bertkit.data.records import TABLES, parse_rows, row_as_dict, row_error, suffix, table, text_of
from bertkit.data.roles import choice_roles, example_roles, question_roles
from bertkit.data.sheets import is_dataset
from bertkit.data.squad import read_squad
from bertkit.data.tagged import read_tagged
from bertkit.data.values import Number
from bertkit.errors import Error
from bertkit.files.atomic import write_text

LONGEST_NUMBER = 300        # digits; a longer one stays the text that it is
WRITTEN = (".csv", ".tsv", ".jsonl")


@dataclass(frozen=True)
class Rows:
    """The rows of a file that are to be answered, side by side.

    Args:
        path: The file.
        inputs: What the task reads, one for each row.
        columns: {column: value} of each row, all that the file has.
        skipped: (line, reason) of the rows that were left out.
        source: How the file was understood.
    """

    path: Path
    inputs: list[Any]
    columns: list[dict[str, Any]]
    skipped: list[tuple[int, str]]
    source: Source = Source()

    def __len__(self):
        return len(self.inputs)

    def take(self, order: Sequence[int]) -> Self:
        """Return rows in another order.

        Args:
            order: Their numbers, from 0.

        Returns:
            The rows.
        """
        return replace(self, inputs=[self.inputs[row] for row in order], columns=[self.columns[row] for row in order])


def read_rows(task: Any, path: Data, columns: Columns = Columns(), skip_bad_rows: bool = False) -> Rows:
    """Read the rows of any file that the task's recipe reads, labelled or not, or the lines of a text file.

    Args:
        task: The task.
        path: The file.
        columns: Names of columns; those of labels are not read.
        skip_bad_rows: List rows that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Rows`.

    Raises:
        Error: with file and line, when a row cannot be used, and when the columns are not recognised.
    """
    path = data_path(path)
    kind = suffix(path)
    tables = {*TABLES} - ({".json"} if task.name == "answer" else {".tsv"} if task.name == "tag" else set())
    if kind in tables or is_dataset(path) or kind in (".tsv", ".txt") and columns.text is not None:
        return _of_table(task, path, columns, skip_bad_rows)
    if task.name == "tag" and (kind != ".txt" or holds_tagged_columns(path)):
        found = read_tagged(path, columns, skip_bad_rows=skip_bad_rows)
        kept = [{"text": " ".join(words)} for words in found.words]
        return Rows(path, found.words, kept, found.skipped, found.source)
    if task.name == "answer" and kind == ".json":
        asked = read_squad(path, columns, skip_bad_rows=skip_bad_rows)
        kept = [{"id": key, "question": question, "context": context} for key, question, context in zip(
            asked.ids, asked.questions, asked.contexts, strict=True)]
        return Rows(path, [(row["question"], row["context"]) for row in kept], kept, asked.skipped, asked.source)
    return _of_lines(task, path)


def _of_table(task, path, columns, skip_bad_rows):
    with table(path, judged=False) as (names, rows, form):
        names, rows = task_data(names, rows)
        words = next((name for name in (columns.word, "tokens", "words") if name in names), None)
        if task.name == "tag" and words is not None and columns.text is None:
            return _of_words(path, names, rows, form, words, skip_bad_rows)
        used = text_columns(task, path, names, columns)
        kept, skipped = parse_rows(path, rows, lambda line, record: _row(line, row_as_dict(record, names), used), None,
                                   skip_bad_rows)
    if not kept:
        raise Error(f"{path} has no row that can be used ({len(skipped)} were skipped); give it one text a line.")
    _, values, texts = zip(*kept, strict=True)
    inputs = [given[0] if len(task.reads) == 1 else given for given in texts]
    roles = {f"text {place}" if len(used) > 1 else "text": name for place, name in enumerate(used, start=1)}
    return Rows(path, inputs, list(values), skipped, Source.of(form, names, roles))


def _of_words(path, names, rows, form, column, skip_bad_rows):
    """Return rows that are lists of words."""
    kept, skipped = parse_rows(path, rows, lambda line, record: _words(line, row_as_dict(record, names), column), None,
                               skip_bad_rows)
    return Rows(path, [words for *_, words in kept], [values for _, values, _ in kept], skipped,
                Source.of(form, names, {"word": column}))


def _words(line, values, column):
    found = label_cell(line, column, values.get(column))
    if not isinstance(found, list):
        raise BadRow(line, f"column {column!r}: a text came where a list of words was wanted; name it with --text")
    return values, [str(word) for word in found]


def _row(line, values, used):
    return values, tuple(text_of(line, values, name) for name in used)


def text_columns(task: Any, path: Path, names: Sequence[str], columns: Columns) -> list[str]:
    """Return the columns that hold the texts that a task reads, in its order.

    Args:
        task: The task.
        path: The file, for errors.
        names: The names of its columns.
        columns: The names that flags give.

    Returns:
        The names.

    Raises:
        Error: when the columns cannot be told, or are not as many as the task reads.
    """
    if task.reads[-1] == "...":
        roles, endings = choice_roles(path, names, columns, labels_required=False)
        if roles["second"] is not None:
            raise Error(f"{path} has a column {roles['second']!r} that begins each ending; join it to the endings.")
        return [roles["text"], *endings]
    if task.reads == ("question", "context"):
        roles = question_roles(path, names, columns)
        return [roles["question"], roles["context"]]
    roles = {"text": names[0], "second": None} if len(names) == 1 and columns.text is None else example_roles(
        path, names, columns, None)
    used = [name for name in (roles["text"], roles["second"]) if name is not None]
    if len(used) != len(task.reads):
        raise Error(f"{path}: {join_names(used)} would be read, and this model reads {', '.join(task.reads)}; name the "
                    f"columns with --text{' and --second' if len(task.reads) > 1 else ''}.")
    return used


def _of_lines(task, path):
    """Return the lines of a text file."""
    inputs, kept = [], []
    with open_bytes(path) as file:
        check_text(path, file)
        lines = Lines(file)
        try:
            for line in lines:
                text = line.removesuffix("\n").removesuffix("\r")
                inputs.append(task.input(text))
                kept.append({"text": text})
        except BadRow as bad:
            raise row_error(path, bad, skippable=False) from bad
        except Error as error:
            raise Error(f"{path}: line {lines.number} {error}.") from None
    return Rows(path, inputs, kept, [], Source(encoded_form(path, "lines")))


def answered(rows: Rows, answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each row's columns with its answer beside them.

    Args:
        rows: The `Rows`.
        answers: One answer for each.

    Returns:
        The rows; an answer whose name is that of a column of the file is called "predicted_" and its name.

    >>> answered(Rows(Path("f"), ["a"], [{"text": "a", "label": "no"}], []), [{"label": "yes"}])
    [{'text': 'a', 'label': 'no', 'predicted_label': 'yes'}]
    """
    taken = {name for row in rows.columns for name in row}
    names = {name: f"predicted_{name}" if name in taken else name for answer in answers for name in answer}
    return [row | {names[name]: value for name, value in answer.items()}
            for row, answer in zip(rows.columns, answers, strict=True)]


def write_rows(path: str | Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as a .csv, .tsv or .jsonl file; what is no text or number stands in a cell as JSON.

    Args:
        path: The file; its name says the form.
        rows: The rows.

    Raises:
        Error: when the name says none of these.
    """
    kind = Path(path).suffix.lower()
    check_written(path)
    if kind == ".jsonl":
        write_text(path, "".join(row_json(row) + "\n" for row in rows))
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    made = csv.writer(stream, delimiter="\t" if kind == ".tsv" else ",", lineterminator="\n")
    made.writerows([names, *([_cell(row.get(name)) for name in names] for row in rows)])
    write_text(path, stream.getvalue())


def row_json(value: Any) -> str:
    """Return a row, or what stands in a cell of it, as JSON; the numbers of a file of JSON are numbers again.

    Args:
        value: The row.

    Returns:
        One line of JSON.

    Example:
        >>> row_json({"id": Number("7"), "zip": "07"})
        '{"id": 7, "zip": "07"}'
    """
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value):
    if isinstance(value, Number):
        exact = len(value) < LONGEST_NUMBER and math.isfinite(float(value))
        return str(value) if not exact else int(value) if value.lstrip("-").isdigit() else float(value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def check_written(path: str | Path) -> None:
    """Check that a file of rows can be written under a name.

    Args:
        path: The file.

    Raises:
        Error: when its suffix is none that is written.
    """
    if Path(path).suffix.lower() not in WRITTEN:
        raise Error(f"{path} cannot be written; give a name that ends in {', '.join(WRITTEN[:-1])} or {WRITTEN[-1]}.")


def _cell(value):
    if value is None:
        return ""
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else row_json(value)

"""Read labelled texts from records; GLUE's layouts are recognised, and errors name the file and the line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from bertkit.data.annotated import classified
from bertkit.data.cells import label_cell, settled
from bertkit.data.columns import Columns, Source, join_names
from bertkit.data.frames import Data, data_path
from bertkit.data.lines import BadRow
from bertkit.data.records import COLA, check_limit, parse_rows, row_error, table
from bertkit.data.roles import example_roles
from bertkit.data.values import json_type
from bertkit.errors import Error
from bertkit.metrics.glue import THREE_WAY

_GLUE = {
    ("sentence", None, "label"): "SST-2",
    ("#1 string", "#2 string", "quality"): "MRPC",
    ("question1", "question2", "is_duplicate"): "QQP",
    ("sentence1", "sentence2", "score"): "STS-B",
    ("sentence1", "sentence2", "gold_label"): "MNLI",
    ("question", "sentence", "label"): "QNLI",
    ("sentence1", "sentence2", "label"): "RTE or WNLI",
}


@dataclass(frozen=True)
class Examples:
    """The rows of one file, in its order; the lists run side by side.

    Args:
        path: The file.
        kind: The GLUE layout that was recognised, else "columns".
        columns: The names of the columns that served as "text", "second" and "label".
        first: The text of each row, or the first text of its pair.
        second: The second text of each pair; None for single texts.
        labels: A str for each row, or a list of str (multi-label); None without labels.
        lines: The line of each row, from 1.
        skipped: (line, reason) of the rows that were left out.
        groups: The group of each row; the rows of a group stay together. None where there are no groups.
        source: How the file was understood.

    Example:
        >>> films = Examples(Path("films.tsv"), "columns", {"text": "text"}, first=["a film", "a play"], second=None,
        ...                  labels=["1", "0"], lines=[2, 3], skipped=[])
        >>> len(films), films.first[1], films.labels[1], films.lines[1]
        (2, 'a play', '0', 3)
    """

    path: Path
    kind: str
    columns: dict[str, str]
    first: list[str]
    second: Any
    labels: Any
    lines: list[int]
    skipped: list[tuple[int, str]]
    groups: list[str] | None = None
    source: Source = Source()

    def __len__(self):
        return len(self.first)

    def without(self, bad: dict[int, BadRow], skip_bad_rows: bool | None) -> Self:
        """Return the examples without some rows.

        Args:
            bad: {row: why it cannot be used}.
            skip_bad_rows: List them in `skipped`; otherwise the first one is an error.

        Returns:
            The examples.

        Raises:
            Error: with file and line, when rows are bad and not to be skipped, or all are.
        """
        if not bad:
            return self
        kept = [row for row in range(len(self)) if row not in bad]
        if not skip_bad_rows or not kept:
            raise row_error(self.path, bad[min(bad)], bool(kept) and skip_bad_rows is not None, len(bad), len(kept))
        parts: dict[str, Any] = {}
        for name in ("first", "second", "labels", "lines", "groups"):
            values = getattr(self, name)
            parts[name] = values and [values[row] for row in kept]
        skipped = sorted([*self.skipped, *(each.args for each in bad.values())])
        return replace(self, **parts, skipped=skipped)


class _Layout(NamedTuple):
    kind: str
    columns: dict[str, str]  # role -> name
    places: dict[str, int]   # role -> where a list of fields holds it


def read_examples(path: Data, text: str | None = None, second: str | None = None, label: str | None = None,
                  limit: int | None = None, labels_required: bool | None = True, separator: str | None = None,
                  skip_bad_rows: bool | None = False) -> Examples:
    r"""Read examples from a .tsv (no quoting), .csv (RFC 4180) or .jsonl file in UTF-8.

    A column that is not named is recognised (the GLUE layouts, headerless CoLA, common names). A JSONL label may be a
    list. Lines end at \n (a \r before it is dropped); blank lines are no rows; texts are kept as they are.

    Args:
        path: The file.
        text: The column of the text, or of a pair's first text.
        second: The column of a pair's second text.
        label: The column of the label.
        limit: Read the first rows only.
        labels_required: Whether a file without labels is an error. None does not look for a column of labels that
            `label` does not name.
        separator: What stands between the labels in a cell: with "|" the cell "a|b" is ["a", "b"].
        skip_bad_rows: List rows that cannot be used in `.skipped`, instead of an error (but not broken quotes or bytes
            in CSV, which hide where the next row begins). None is False, and the error does not suggest to skip them.

    Returns:
        The `Examples`.

    Raises:
        Error: with file and line, when a row cannot be used, and when the columns are not recognised.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "films.tsv"
        >>> _ = path.write_text("sentence\tlabel\na good film\t1\n")
        >>> examples = read_examples(path)
        >>> examples.first, examples.labels, examples.kind
        (['a good film'], ['1'], 'SST-2')
    """
    check_limit(limit)
    path = data_path(path)
    with table(path) as (names, rows, form):
        names, rows = classified(names, rows)
        layout = _layout(path, names, Columns(text, second, label), labels_required)
        kept, skipped = parse_rows(path, rows, lambda line, record: _example(line, record, layout, separator), limit,
                                   skip_bad_rows)
    return _gathered(path, layout, kept, skipped, Source.of(form, names, layout.columns), skip_bad_rows)


def label_names(examples: Examples, order: Sequence[str] | None = None) -> list[str]:
    """Return the labels that occur, sorted: by value if all are integers, else by letters; MNLI's as GLUE has them.

    Args:
        examples: The `Examples`.
        order: All labels, each once, in an order to take instead.

    Returns:
        The labels.

    Raises:
        Error: when `order` names a label twice, or lacks one.

    Example:
        >>> label_names(Examples(Path("f"), "columns", {}, [], None, ["10", "9", "10"], [], []))
        ['9', '10']
    """
    if order is not None:
        if len(set(order)) < len(order):
            raise Error(f"the labels {list(order)} name one twice; give each once.")
        label_indices(examples, order)
        return list(order)
    names = {name for label in _labels(examples) for name in _each(label)}
    if names == set(THREE_WAY):
        return list(THREE_WAY)
    whole = all(re.fullmatch("[+-]?[0-9]{1,18}", name) for name in names)
    return sorted(names, key=lambda name: (int(name) if whole else 0, name))


def label_indices(examples: Examples, names: Sequence[str]) -> np.ndarray:
    """Return the number of each label in `names`.

    Args:
        examples: The `Examples`.
        names: The labels.

    Returns:
        int32 [rows], or multi-label int32 [rows, C] of 0 and 1.

    Raises:
        Error: with file and line, when a label is not among the names.

    Example:
        >>> films = Examples(Path("f"), "columns", {}, [], None, ["no", "yes"], [2, 3], [])
        >>> label_indices(films, ["no", "yes"])
        array([0, 1], dtype=int32)
    """
    places, labels = {name: place for place, name in enumerate(names)}, _labels(examples)
    for line, label in zip(examples.lines, labels, strict=True):
        for name in _each(label):
            if name not in places:
                raise Error(f"{examples.path}: line {line}: the label {name!r} is not among those "
                            f"of training ({join_names(places)}); mend it, or train with it.")
    if not isinstance(labels[0], list):
        return np.array([places[label] for label in labels], np.int32)
    indices = np.zeros((len(labels), len(places)), np.int32)
    for row, label in zip(indices, labels, strict=True):
        row[[places[name] for name in label]] = 1
    return indices


def _labels(examples):
    if not examples.labels:
        raise Error(f"{examples.path} came without labels; name their column with --label.")
    return examples.labels


def _each(label):
    return label if isinstance(label, list) else (label,)


def _layout(path, names, columns, labels_required):
    """Return which columns serve as text, second and label."""
    roles = example_roles(path, names, columns, labels_required)
    columns = {role: name for role, name in roles.items() if name is not None}
    lower = tuple(name and name.lower() for name in roles.values())
    kind = "CoLA" if names is COLA else _GLUE.get(lower, "columns")
    return _Layout(kind, columns, {role: names.index(name) for role, name in columns.items()})


def _example(line, record, layout, separator):
    """Return the first text, the second and the label of a record; None where not in the layout."""
    values: dict[str, Any] = {"second": None, "label": None}
    for role, name in layout.columns.items():
        if isinstance(record, dict) and name not in record:
            raise BadRow(line, f"the object has no key {name!r}")
        values[role] = record[name] if isinstance(record, dict) else record[layout.places[role]]
        if role != "label" and type(values[role]) is not str:
            raise BadRow(line, f"column {name!r}: {json_type(values[role])} came where a string was wanted")
    if "label" in layout.columns:
        values["label"] = label_cell(line, layout.columns["label"], values["label"], separator)
    return values["text"], values["second"], values["label"]


def _gathered(path, layout, kept, skipped, source, skip_bad_rows):
    if not kept:
        raise Error(f"{path} has a header and no row that can be used ({len(skipped)} were skipped); give it "
                    "one example a line.")
    lines, first, second, labels = map(list, zip(*kept, strict=True))
    examples = Examples(path, layout.kind, layout.columns, first, second if "second" in layout.columns else None,
                        None, lines, skipped, source=source)
    if "label" not in layout.columns:
        return examples
    labels, bad, note = settled(layout.columns["label"], lines, labels)
    found = replace(examples, labels=labels, source=replace(source, notes=(note,) if note else ()))
    return found.without(bad, skip_bad_rows)

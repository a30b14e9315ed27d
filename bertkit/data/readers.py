"""Read labelled texts from records; GLUE's layouts are recognised, and errors name the file and the line."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertkit.data.columns import check_columns
from bertkit.data.lines import BadRow
from bertkit.data.records import COLA, check_limit, join_names, json_type, parse_rows, table
from bertkit.errors import Error
from bertkit.metrics.glue import THREE_WAY

# Well-known names in lower case; the first group that a file touches must name one column or pair.
_PAIRS = [
    ("sentence1", "sentence2"), ("#1 string", "#2 string"), ("question1", "question2"),
    ("premise", "hypothesis"), ("text1", "text2"), ("text_a", "text_b"), ("first", "second"),
    ("question", "sentence"), ("question", "context"), ("question", "passage"), ("question", "answer"),
    ("query", "document"), ("query", "passage"),
]
_TEXTS = [
    {"text", "sentence"},
    {"review", "content", "comment", "message", "tweet", "utterance", "body", "document", "question",
     "query"},
]
_LABELS = [
    {"label", "labels", "gold_label"},
    {"class", "category", "intent", "sentiment", "target", "quality", "is_duplicate", "score", "grade"},
]
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

    def __len__(self):
        return len(self.first)


class _Layout(NamedTuple):
    kind: str
    columns: dict[str, str]  # role -> name
    keys: dict[str, int | str]  # role -> where a record holds it


def read_examples(path: str | Path, text: str | None = None, second: str | None = None, label: str | None = None,
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
    path = Path(path)
    with table(path) as (names, rows):
        layout = _layout(path, names, text, second, label, labels_required)
        kept, skipped = parse_rows(path, rows, lambda line, record, kept: _example(
            line, record, layout, separator, kept), limit, skip_bad_rows)
    return _gathered(path, layout, kept, skipped)


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


def _layout(path, names, text, second, label, labels_required):
    """Return which columns serve as text, second and label."""
    free = [name for name in names if name not in (text, second, label)]
    if text is None:
        pairs = [_pairs(free)] if second is None else []
        singles = [[(name, second) for name in group] for group in _groups(free, _TEXTS)]
        text, second = _only(path, names, "text", pairs + singles) or _unknown(path, names, "text")
    if label is None and labels_required is not None:
        label = _only(path, names, "label", _groups(free, _LABELS))
    if label is None and labels_required:
        _unknown(path, names, "label")
    roles = {"text": text, "second": second, "label": label}
    columns = {role: name for role, name in roles.items() if name is not None}
    for role, name in columns.items():
        check_columns(path, names, [name], f"name one of them with --{role}")
    lower = tuple(name and name.lower() for name in roles.values())
    kind = "CoLA" if names is COLA else _GLUE.get(lower, "columns")
    is_json = path.suffix.lower() == ".jsonl"
    keys = {role: name if is_json else names.index(name) for role, name in columns.items()}
    return _Layout(kind, columns, keys)


def _pairs(names):
    spelling = {name.lower(): name for name in names}
    return [(spelling[a], spelling[b]) for a, b in _PAIRS if a in spelling and b in spelling]


def _groups(names, groups):
    return [[name for name in names if name.lower() in group] for group in groups]


def _only(path, names, role, groups):
    """Return the one candidate of the first group that has any, None if there is none."""
    candidates = next(filter(None, groups), [None])
    return candidates[0] if len(candidates) == 1 else _unknown(path, names, role)


def _unknown(path, names, role):
    raise Error(f"{path}: which column is the {role} cannot be told from the names in its header "
                f"({join_names(names)}); say it with --{role} COLUMN.")


def _example(line, record, layout, separator, kept):
    """Return the first text, the second and the label of a record; None where not in the layout."""
    values: dict[str, Any] = {"second": None, "label": None}
    for role, key in layout.keys.items():
        if isinstance(record, dict) and key not in record:
            raise BadRow(line, f"the object has no key {key!r}")
        values[role] = record[key]
        if role != "label" and type(values[role]) is not str:
            raise BadRow(line, f"column {key!r}: {json_type(values[role])} came where a string was wanted")
    if "label" in layout.keys:
        values["label"] = _label(line, layout.columns["label"], values["label"], separator)
        if kept and type(kept[-1][-1]) is not type(values["label"]):
            raise BadRow(line, "a list of labels and a single label came in one file")
    return values["text"], values["second"], values["label"]


def _label(line, column, value, separator):
    """Return the label, or the list of labels."""
    if separator is not None and isinstance(value, str):
        value = value.strip().split(separator) if value.strip() else []
    return [_one(line, column, part) for part in value] if isinstance(value, list) else _one(line, column, value)


def _one(line, column, value):
    """Return a label without surrounding blanks."""
    if isinstance(value, bool):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise BadRow(line, f"column {column!r}: {json_type(value)} came where a label was wanted")
    value = value.strip()
    # SNLI and MNLI write "-" where the annotators did not agree.
    if not value or (value == "-" and column == "gold_label"):
        raise BadRow(line, f"column {column!r}: the label is empty")
    return value


def _gathered(path, layout, kept, skipped):
    if not kept:
        raise Error(f"{path} has a header and no row that can be used ({len(skipped)} were skipped); give it "
                    "one example a line.")
    lines, first, second, labels = map(list, zip(*kept, strict=True))
    return Examples(path, layout.kind, layout.columns, first, second if "second" in layout.keys else None,
                    labels if "label" in layout.keys else None, lines, skipped)

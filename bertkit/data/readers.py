"""Labelled texts from TSV (GLUE layouts too), CSV and JSONL files, with file and line in errors."""

import csv
import json
import re
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bertkit.errors import Error

_LONGEST = 2**28  # bytes of a line; beyond it a file is not rows of text
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"

# Well-known names in lower case; the first group that a file touches must name one column or pair.
_PAIRS = [
    ("sentence1", "sentence2"), ("#1 string", "#2 string"), ("question1", "question2"),
    ("premise", "hypothesis"), ("text1", "text2"), ("text_a", "text_b"), ("first", "second"),
    ("question", "sentence"), ("question", "context"), ("question", "passage"),
    ("question", "answer"), ("query", "document"), ("query", "passage"),
]
_TEXTS = [
    {"text", "sentence"},
    {"review", "content", "comment", "message", "tweet", "utterance", "body", "document",
     "question", "query"},
]
_LABELS = [
    {"label", "labels", "gold_label"},
    {"class", "category", "intent", "sentiment", "target", "quality", "is_duplicate", "score",
     "grade"},
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
_COLA = ["source", "label", "mark", "sentence"]  # the columns of CoLA, which has no header


@dataclass(frozen=True)
class Examples:
    """The rows of one file, in its order; the lists run side by side.

    `kind` is the GLUE layout recognised, else "columns"; `columns` says which name served as
    "text", "second" and "label".  `labels` are str, or lists of str (multi-label), or None.
    `lines` count from 1; `skipped` holds (line, reason) of the rows left out.
    """

    path: Path
    kind: str
    columns: dict[str, str]
    first: list[str]
    second: list[str] | None
    labels: list | None
    lines: list[int]
    skipped: list[tuple[int, str]]

    def __len__(self):
        return len(self.first)


class _BadRow(Exception):
    """A row that cannot be used; args are its line and the reason."""


class _Number(str):
    """A JSON number, spelt as in the file."""


class _Layout(NamedTuple):
    kind: str
    names: list[str]
    columns: dict[str, str]  # role -> name
    keys: dict[str, int | str]  # role -> where a record holds it


def read_examples(path, text=None, second=None, label=None, limit=None, labels_required=True,
                  separator=None, skip_bad_rows=False):
    """Return the Examples of a .tsv (no quoting), .csv (RFC 4180) or .jsonl file in UTF-8.

    `text`, `second` and `label` name columns; what is not named is recognised (the GLUE layouts,
    headerless CoLA, common names).  `limit` reads the first rows only; without `labels_required`
    a file may lack labels.  `separator` splits labels: "a|b" is ["a", "b"]; a JSONL label may be
    a list.  Lines end at \\n (a \\r before it is dropped); blank lines are no rows; texts are kept
    as they are.  Raises Error with file and line for a row that cannot be used; `skip_bad_rows`
    lists it in `.skipped` instead (save broken quotes or bytes in CSV, which hide where the next
    row begins).

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "films.tsv"
    >>> _ = path.write_text("sentence\\tlabel\\na good film\\t1\\n")
    >>> examples = read_examples(path)
    >>> examples.first, examples.labels, examples.kind
    (['a good film'], ['1'], 'SST-2')
    """
    if limit is not None and limit < 1:
        raise Error(f"limit={limit} reads nothing; give 1 or more.")
    path, kept, skipped = Path(path), [], []
    with _opened(path) as file:
        names, rows = _named(path, _records(path, file))
        layout = _layout(path, names, text, second, label, labels_required)
        for line, record in rows:
            try:
                kept.append((line, *_example(line, record, layout, separator, kept)))
            except _BadRow as bad:
                if not skip_bad_rows:
                    raise _error(path, bad) from bad
                skipped.append(bad.args)
            if len(kept) == limit:
                break
    return _gathered(path, layout, kept, skipped)


def label_names(examples, order=None):
    """Return the labels that occur, sorted: by value if all are integers, else by letters.

    `order` is returned as a list if it holds every one of them, and each once, else Error.

    >>> label_names(Examples(Path("f"), "columns", {}, [], None, ["10", "9", "10"], [], []))
    ['9', '10']
    """
    if order is not None:
        if len(set(order)) < len(order):
            raise Error(f"the labels {list(order)} name one twice; give each once.")
        label_indices(examples, order)
        return list(order)
    names = {name for label in _labels(examples) for name in _each(label)}
    whole = all(re.fullmatch("[+-]?[0-9]{1,18}", name) for name in names)
    return sorted(names, key=lambda name: (int(name) if whole else 0, name))


def label_indices(examples, names):
    """Return the place of each label in `names`: int32 [B]; multi-label int32 [B,C] of 0 and 1.

    Raises Error with file and line for a label that is not among them.

    >>> films = Examples(Path("f"), "columns", {}, [], None, ["no", "yes"], [2, 3], [])
    >>> label_indices(films, ["no", "yes"])
    array([0, 1], dtype=int32)
    """
    places, labels = {name: place for place, name in enumerate(names)}, _labels(examples)
    for line, label in zip(examples.lines, labels, strict=True):
        for name in _each(label):
            if name not in places:
                raise Error(f"{examples.path}: line {line}: the label {name!r} is not among those "
                            f"of training ({_listed(places)}); mend it, or train with it.")
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


# From a file to records: a list of fields, or the dict of a JSON object.


def _opened(path):
    """Return the file, open and found to begin like text."""
    if path.is_dir():
        raise Error(f"{path} is a folder; give the .tsv, .csv or .jsonl file in it.")
    try:
        file = open(path, "rb")
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give an existing file.") from error
    try:
        _check_text(path, file.peek(4096)[:4096])
    except Error:
        file.close()
        raise
    return file


def _check_text(path, head):
    if not head:
        raise Error(f"{path} is empty; wanted a header and rows.")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Error(f"{path} is UTF-16; convert it with iconv -f UTF-16 -t UTF-8.")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    # A stray NUL is text; of compressed bytes some 11 % are controls, of UTF-16 about half.
    if controls > max(3, 0.03 * len(head)):
        raise Error(f"{path} is not text ({controls} of its first {len(head)} bytes are control "
                    "characters); give a .tsv, .csv or .jsonl file in UTF-8, not compressed.")


class _Lines:
    """Decoded lines, ended by \\n alone; after one that raises, the next can still be read."""

    def __init__(self, file):
        self.file, self.number = file, 0

    def __iter__(self):
        return self

    def __next__(self):
        line = self.file.readline(_LONGEST)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == _LONGEST:
            raise Error(f"{self.file.name}: line {self.number} does not end within {_LONGEST} "
                        "bytes; give one example a line.")
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            column = len(line[:error.start].decode("utf-8")) + 1
            raise _BadRow(self.number, f"column {column}: the byte {line[error.start]:#04x} is "
                          "not UTF-8 (Latin-1 is converted with "
                          "iconv -f ISO-8859-1 -t UTF-8)") from error
        return text.removeprefix("\ufeff") if self.number == 1 else text


def _records(path, file):
    """Yield (line, record), or (line, _BadRow) where there is none; blank lines are left out."""
    parse = {".tsv": partial(map, _tab_fields), ".csv": partial(_csv_fields, path),
             ".jsonl": _json_objects}.get(path.suffix.lower())
    if parse is None:
        raise Error(f"{path} is of an unknown format; give a .tsv, .csv or .jsonl file.")
    lines = _Lines(file)
    records = parse(lines)
    while True:
        line = lines.number + 1
        try:
            record = next(records)
        except StopIteration:
            return
        except _BadRow as bad:
            record = bad
        if record not in (None, [], [""]):
            yield line, record


def _tab_fields(line):
    return line.removesuffix("\n").removesuffix("\r").split("\t")


def _csv_fields(path, lines):
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    start = 1
    try:
        for fields in csv.reader(lines, strict=True):
            yield fields
            start = lines.number + 1
    except csv.Error as error:
        raise Error(f"{path}: the row from line {start} to line {lines.number} is not CSV "
                    f"({error}); close each field's quotes, double those inside.") from error
    except _BadRow as bad:
        raise Error("{}: line {}, {}.".format(path, *bad.args)) from bad


def _json_objects(lines):
    def refuse(constant):
        raise ValueError(f"{constant} is no JSON number")

    decoder = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=refuse)
    return map(partial(_json_object, lines, decoder), lines)


def _json_object(lines, decoder, line):
    """Return the object in a line, None in a blank one."""
    if not line.strip():
        return None
    try:
        record = decoder.decode(line)
        if "\\u" in line:  # half of a surrogate pair is no character, and fails here
            json.dumps(record, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise _BadRow(lines.number, f"column {error.colno}: not JSON ({error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise _BadRow(lines.number, f"not JSON of text ({error})") from error
    if not isinstance(record, dict):
        raise _BadRow(lines.number, f"{_json_type(record)} came where an object was wanted")
    return record


def _json_type(value):
    names = {dict: "an object", list: "a list", bool: "true or false", str: "a string",
             _Number: "a number", type(None): "null"}
    return names[type(value)]


# From records to examples.


def _named(path, records):
    """Return the names of the columns, and the rows after them."""
    leading = []
    for line, record in records:
        leading.append((line, record))
        if isinstance(record, dict):
            return list(record), chain(leading, records)
        if isinstance(record, list) and _is_cola(path, record):
            return _COLA, chain(leading, records)
        if isinstance(record, list):
            return [name.strip() for name in record], records
        if path.suffix.lower() != ".jsonl":
            break  # without its header a table cannot be read
    if leading:
        raise _error(path, leading[0][1])
    raise Error(f"{path} holds nothing but blank lines; wanted a header and rows.")


def _is_cola(path, fields):
    return (path.suffix.lower() == ".tsv" and len(fields) == 4 and fields[1] in ("0", "1")
            and fields[2] in ("", "*"))


def _layout(path, names, text, second, label, labels_required):
    """Return which columns serve as text, second and label."""
    free = [name for name in names if name not in (text, second, label)]
    if text is None:
        pairs = [_pairs(free)] if second is None else []
        singles = [[(name, second) for name in group] for group in _groups(free, _TEXTS)]
        text, second = _only(path, names, "text", pairs + singles) or _unknown(path, names, "text")
    if label is None:
        label = _only(path, names, "label", _groups(free, _LABELS))
    if label is None and labels_required:
        _unknown(path, names, "label")
    roles = {"text": text, "second": second, "label": label}
    columns = {role: name for role, name in roles.items() if name is not None}
    _check_columns(path, names, columns)
    lower = tuple(name and name.lower() for name in roles.values())
    kind = "CoLA" if names is _COLA else _GLUE.get(lower, "columns")
    is_json = path.suffix.lower() == ".jsonl"
    keys = {role: name if is_json else names.index(name) for role, name in columns.items()}
    return _Layout(kind, names, columns, keys)


def _pairs(names):
    spelling = {name.lower(): name for name in names}
    return [(spelling[a], spelling[b]) for a, b in _PAIRS if a in spelling and b in spelling]


def _groups(names, groups):
    return [[name for name in names if name.lower() in group] for group in groups]


def _only(path, names, role, groups):
    """Return the one candidate of the first group that has any, None if there is none."""
    found = next(filter(None, groups), [None])
    return found[0] if len(found) == 1 else _unknown(path, names, role)


def _unknown(path, names, role):
    raise Error(f"{path}: which column is the {role} cannot be told from the names in its header "
                f"({_listed(names)}); say it with --{role} COLUMN.")


def _check_columns(path, names, columns):
    for role, name in columns.items():
        if names.count(name) != 1:
            raise Error(f"{path} has {names.count(name) or 'no'} columns {name!r}, its columns are "
                        f"{_listed(names)}; name one of them with --{role}.")


def _listed(names):
    """Return names for a message, short whatever they are."""
    shown = [repr(name if len(name) <= 30 else name[:27] + "...") for name in list(names)[:12]]
    return ", ".join(shown) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _example(line, record, layout, separator, kept):
    """Return the first text, the second and the label of a record; None where not in the layout."""
    if isinstance(record, _BadRow):
        raise record
    if isinstance(record, list) and len(record) != len(layout.names):
        raise _BadRow(line, f"{len(record)} fields came, {len(layout.names)} were wanted "
                      f"({_listed(layout.names)})")
    values = {"second": None, "label": None}
    for role, key in layout.keys.items():
        if isinstance(record, dict) and key not in record:
            raise _BadRow(line, f"the object has no key {key!r}")
        values[role] = record[key]
        if role != "label" and type(values[role]) is not str:
            raise _BadRow(line, f"column {key!r}: {_json_type(values[role])} came where a string "
                          "was wanted")
    if "label" in layout.keys:
        values["label"] = _label(line, layout.columns["label"], values["label"], separator)
        if kept and type(kept[-1][-1]) is not type(values["label"]):
            raise _BadRow(line, "a list of labels and a single label came in one file")
    return values["text"], values["second"], values["label"]


def _label(line, column, value, separator):
    """Return the label without surrounding blanks, or the list of them."""
    if isinstance(value, list):
        return [_label(line, column, part, None) for part in value]
    if isinstance(value, bool):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise _BadRow(line, f"column {column!r}: {_json_type(value)} came where a label was wanted")
    value = value.strip()
    if separator is not None:
        parts = value.split(separator) if value else []
        return [_label(line, column, part, None) for part in parts]
    # SNLI and MNLI write "-" where the annotators did not agree.
    if not value or (value == "-" and column == "gold_label"):
        raise _BadRow(line, f"column {column!r}: the label is empty")
    return value


def _gathered(path, layout, kept, skipped):
    if not kept:
        raise Error(f"{path} has a header and no row that can be used ({len(skipped)} were "
                    "skipped); give it one example a line.")
    lines, first, second, labels = map(list, zip(*kept, strict=True))
    return Examples(path, layout.kind, layout.columns, first,
                    second if "second" in layout.keys else None,
                    labels if "label" in layout.keys else None, lines, skipped)


def _error(path, bad):
    line, reason = bad.args
    return Error(f"{path}: line {line}, {reason}; mend it, or read with skip_bad_rows=True.")

"""The sheet: the texts of several systems side by side, in random order, with questions on a scale."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.annotation.page import LETTERS, render_sheet
from bertkit.data.columns import join_names
from bertkit.data.lines import BadRow, Lines, check_text, open_bytes
from bertkit.data.records import row_error, table
from bertkit.data.values import json_type
from bertkit.errors import Error
from bertkit.files.atomic import read_json, write_json, write_text
from bertkit.files.schema import Only, Several, Whole, check, check_argument

QUESTIONS = ("It reads well.", "It says what matters in the source.", "It says nothing that is not in the source.")

FIXED = ("item", "output", "source", "text")        # the columns of a sheet besides its questions
_TEXTS = ("text", "summary", "answer", "target", "prediction", "output", "document", "source")
_FORMULA = ("=", "+", "-", "@", "\t")               # a spreadsheet computes a cell that begins with one of these

_KEY = Only({"systems": Several(str, 1, len(LETTERS), different=True), "questions": Several(str, 1, different=True),
             "scale": Whole(2, 100), "seed": Whole(), "places": [[str]]})


@dataclass(frozen=True)
class Key:
    """The key of a sheet says which system wrote which output.

    Args:
        systems: names of the systems.
        questions: the columns of ratings.
        scale: largest rating; 1 is the smallest.
        seed: seed of the order.
        places: for each item the system behind each of its outputs A, B, ...
    """

    systems: list[str]
    questions: list[str]
    scale: int
    seed: int
    places: list[list[str]]

    @classmethod
    def read(cls, path: str | Path) -> "Key":
        """Read the key in a file.

        Args:
            path: the .key.json file.

        Returns:
            A `Key`.

        Raises:
            Error: when the file is missing or is no key.
        """
        values = read_json(path)
        check(values, _KEY, path, "give the .key.json beside the sheet")
        if any(sorted(place) != sorted(values["systems"]) for place in values["places"]):
            raise Error(f"{path} has an item whose outputs are not one of each system; give the .key.json beside the "
                        "sheet.")
        return cls(**values)


def annotate(files: Sequence[str | Path], out: str | Path, source: str | Path | None = None,
             questions: Sequence[str] | None = None, scale: int = 5, seed: int = 0,
             limit: int | None = None) -> dict[str, Any]:
    """Write a sheet for people to fill, and its key beside it.

    The order of the items and of the outputs of each item is random. The names of the systems are in the key alone.

    Args:
        files: the texts of each system: .txt with one text a line, or .jsonl, .csv or .tsv with a column of texts.
        out: the sheet, .html or .csv.
        source: file of the texts that the systems worked on, or None.
        questions: the questions about each output; None takes `QUESTIONS`.
        scale: largest rating, 2 to 100; 1 is the smallest.
        seed: seed of the order.
        limit: number of texts that are used, from the first on; None uses all.

    Returns:
        A dict {"sheet": path, "key": path, "items": number, "outputs": number of systems}.

    Raises:
        Error: when the sheet exists, the files differ in length or cannot be read, the questions clash, or the scale
            has fewer than two steps.
    """
    out, questions = Path(out), list(questions or QUESTIONS)
    if out.suffix not in (".html", ".csv"):
        raise Error(f"{out} is no name for a sheet; end it in .html or .csv.")
    check_argument("seed", seed, Whole())
    if existing := next((path for path in (out, key_path(out)) if path.exists()), None):
        raise Error(f"{existing} is already there, and a sheet may hold ratings; choose another --out.")
    systems = [Path(file).stem for file in files]
    _check(systems, questions, scale, limit)
    texts = [read_texts(file)[:limit] for file in files]
    sources = read_texts(source)[:limit] if source else [""] * len(texts[0])
    for file, column in zip(files, texts, strict=True):
        if len(column) != len(sources):
            raise Error(f"{file} has {len(column)} texts, and {source or files[0]} {len(sources)}; give as many.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(sources))
    orders = [rng.permutation(len(systems)) for _ in sources]
    rows = [(int(item) + 1, sources[item], [texts[system][item] for system in orders[item]]) for item in order]
    key = Key(systems, questions, scale, seed, [[systems[system] for system in outputs] for outputs in orders])
    write_text(out, render_sheet(rows, questions, scale) if out.suffix == ".html" else _csv(rows, questions))
    write_json(key_path(out), asdict(key))
    return {"sheet": str(out), "key": str(key_path(out)), "items": len(rows), "outputs": len(systems)}


def key_path(out: str | Path) -> Path:
    """Return where the key of a sheet is written.

    Args:
        out: the sheet.

    Returns:
        The path of the key.
    """
    return Path(out).with_suffix(".key.json")


def read_texts(path: str | Path) -> list[str]:
    """Read the texts of a file.

    Args:
        path: .txt with one text a line, or .jsonl, .csv or .tsv with a column of texts ("text", "summary", ...).

    Returns:
        A list of str.

    Raises:
        Error: with file and line, when a row has no text, or the file has no column of texts.
    """
    path = Path(path)
    if path.suffix.lower() == ".txt":
        with open_bytes(path, "a text a line") as file:
            check_text(path, file, "a text a line")
            try:
                return [line.removesuffix("\n").removesuffix("\r") for line in Lines(file)]
            except BadRow as bad:
                raise row_error(path, bad, skippable=False) from bad
    with table(path) as (names, rows, _):
        name = next((name for wanted in _TEXTS for name in names if name.lower() == wanted), None)
        if name is None:
            raise Error(f"{path} has the columns {join_names(names)}; wanted one of {', '.join(_TEXTS)}.")
        return [_text(path, line, record, names, name) for line, record in rows]


def _text(path, line, record, names, name):
    if isinstance(record, BadRow):
        raise row_error(path, record, skippable=False)
    value = record.get(name) if isinstance(record, dict) else record[names.index(name)]
    if type(value) is not str:
        raise Error(f"{path}: line {line}, column {name!r}: {json_type(value)} came where a text was wanted.")
    return value


def _check(systems, questions, scale, limit):
    if not 1 <= len(systems) <= len(LETTERS) or len(set(systems)) < len(systems):
        raise Error(f"The files name the systems {join_names(systems)}; give 1 to {len(LETTERS)} files of different "
                    "names.")
    if len(set(questions)) < len(questions) or {*FIXED, ""} & {question.strip() for question in questions}:
        raise Error(f"The questions are {join_names(questions)}; give different ones, none of them {', '.join(FIXED)}.")
    if not 2 <= scale <= 100 or limit is not None and limit < 1:
        raise Error(f"scale={scale}, limit={limit} leave nothing to judge; give a scale of 2 to 100, a limit above 0.")


def _csv(rows, questions):
    """Return the sheet as CSV; an apostrophe keeps a spreadsheet from computing a text."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["item", "output", *questions, "source", "text"])
    for item, source, texts in rows:
        for letter, text in zip(LETTERS, texts, strict=False):
            writer.writerow([item, letter, *[""] * len(questions), _plain(source), _plain(text)])
    return file.getvalue()


def _plain(text):
    return f"'{text}" if text.startswith(_FORMULA) else text

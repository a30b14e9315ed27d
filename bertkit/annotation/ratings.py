"""The ratings of people: the filled sheets, how far they agree, and the mean rating of each system."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertkit import metrics
from bertkit.annotation.page import LETTERS
from bertkit.annotation.sheet import FIXED, Key
from bertkit.data.lines import BadRow
from bertkit.data.records import join_names, table
from bertkit.errors import Error


class Filled(NamedTuple):
    """The sheet that one annotator filled.

    Args:
        path: the file.
        questions: list of the questions.
        ratings: dict {(item, output, question): number}.
        places: dict {(item, output): line of the file}.
    """

    path: Path
    questions: list[str]
    ratings: dict[tuple[int, str, str], int]
    places: dict[tuple[int, str], int]


def agreement(files: Sequence[str | Path], key: str | Path | None = None) -> dict[str, Any]:
    """Return how far annotators agree, with 95 % bootstrap intervals over the items.

    "alpha" is Krippendorff's α of ordinal ratings. "kappa", over the outputs that all annotators rated, is Cohen's κ
    with quadratic weights for two annotators and Fleiss' κ for more. What fewer than two annotators rated has no
    agreement.

    Args:
        files: filled sheets, .csv, one for each annotator.
        key: the key of the sheet, or None. With it the mean rating of each system is returned too.

    Returns:
        A dict {"annotators", "items", "questions": {question: {"ratings", "alpha", "kappa", "systems"}}}; each score is
        {"score", "low", "high"}.

    Raises:
        Error: with file, line and column, when a cell is no rating, or the sheets are not of one kind.
    """
    hidden = Key.read(key) if key is not None else None
    sheets = [read_filled(file, hidden) for file in files]
    for sheet in sheets[1:]:
        if sorted(sheet.questions) != sorted(sheets[0].questions):
            raise Error(f"{sheet.path} asks {join_names(sheet.questions)}, and {sheets[0].path} "
                        f"{join_names(sheets[0].questions)}; give sheets with the same questions.")
    result: dict[str, Any] = {"annotators": len(sheets), "items": len(_items(sheets)), "questions": {}}
    for question in sheets[0].questions:
        ratings = _table(sheets, question, hidden)
        result["questions"][question] = {"ratings": int(np.isfinite(ratings).sum()), **_agreed(ratings),
                                         **({"systems": _means(ratings, hidden.systems)} if hidden else {})}
    return result


def read_filled(path: str | Path, key: Key | None = None) -> Filled:
    """Read a filled sheet; an empty cell is no rating.

    Args:
        path: CSV file.
        key: the key of the sheet, or None.

    Returns:
        A `Filled`.

    Raises:
        Error: with file, line and column, when the file is no filled sheet, or not one of this key.
    """
    path = Path(path)
    ratings: dict[tuple[int, str, str], int] = {}
    places: dict[tuple[int, str], int] = {}
    if path.suffix.lower() != ".csv":
        raise Error(f"{path} is no filled sheet; give the .csv files that annotators saved.")
    with table(path) as (names, rows):
        questions = [name for name in names if name not in FIXED]
        if missing := [name for name in FIXED[:2] if name not in names]:
            raise Error(f"{path} has the columns {join_names(names)} and no {missing[0]}; wanted a sheet.")
        if not questions or key is not None and sorted(questions) != sorted(key.questions):
            wanted = ("a column for each question" if key is None
                      else f"those of the key, {join_names(key.questions)}")
            raise Error(f"{path} asks {join_names(questions) or 'nothing'}; wanted {wanted}.")
        for line, record in rows:
            if isinstance(record, BadRow):
                raise Error("{}: line {}, {}.".format(path, *record.args))
            cells = {name: str(cell).strip() for name, cell in zip(names, record, strict=True)}
            place = _place(path, line, cells, key)
            if place in places:
                raise Error(f"{path}: line {line}: item {place[0]}, output {place[1]} came before, in line "
                            f"{places[place]}; keep one of the two.")
            places[place] = line
            for question in questions:
                if cells[question]:
                    ratings[*place, question] = _rating(path, line, question, cells[question], key)
    return Filled(path, questions, ratings, places)


def _place(path, line, cells, key):
    """Return (item, output) of a row."""
    item, output = cells["item"], cells["output"]
    last = len(key.places) if key is not None else 10**9
    if not (item.isascii() and item.isdigit() and 1 <= int(item) <= last):
        raise Error(f"{path}: line {line}, column 'item': {item!r:.40} came, wanted "
                    f"{f'a number of 1 to {last}' if key is not None else 'the number of an item'}.")
    letters = LETTERS[:len(key.systems)] if key is not None else LETTERS
    if len(output) != 1 or output not in letters:
        raise Error(f"{path}: line {line}, column 'output': {output!r:.40} came, wanted a letter of A to "
                    f"{letters[-1]}.")
    return int(item), output


def _rating(path, line, question, cell, key):
    largest = key.scale if key is not None else 100
    if not (cell.isascii() and cell.isdigit() and 1 <= int(cell) <= largest):
        raise Error(f"{path}: line {line}, column {question!r}: {cell!r:.40} came, wanted a whole number of 1 to "
                    f"{largest}, or nothing.")
    return int(cell)


def _items(sheets):
    return sorted({item for sheet in sheets for item, _ in sheet.places})


def _table(sheets, question, key):
    """Return ratings [items, outputs, annotators], nan where there are none; with a key, outputs are its systems."""
    items = {item: row for row, item in enumerate(_items(sheets))}
    outputs = key.systems if key is not None else sorted({output for sheet in sheets for _, output in sheet.places})
    table_of_ratings = np.full((len(items), len(outputs), len(sheets)), np.nan)
    for annotator, sheet in enumerate(sheets):
        for (item, output, column), value in sheet.ratings.items():
            if column == question:
                name = output if key is None else key.places[item - 1][LETTERS.index(output)]
                table_of_ratings[items[item], outputs.index(name), annotator] = value
    return table_of_ratings


def _agreed(ratings):
    """Return α and κ of ratings [items, outputs, annotators], those that are defined."""
    rated = np.isfinite(ratings)
    together = [rated.sum(axis=2) > 1, rated.all(axis=2) & (ratings.shape[2] > 1)]
    kappa = _cohen if ratings.shape[2] == 2 else _fleiss
    return {name: _interval(measure, ratings) for name, measure, enough in zip(
        ("alpha", "kappa"), (_alpha, kappa), together, strict=True) if enough.any()}


def _alpha(ratings):
    rows = ratings.reshape(-1, ratings.shape[2])
    if not (np.isfinite(rows).sum(axis=1) > 1).any():
        return float("nan")                         # a resample that holds no output rated twice
    return metrics.krippendorff_alpha(rows, "ordinal")


def _cohen(ratings):
    both = _by_all(ratings).astype("int64")
    if not len(both):
        return float("nan")
    steps = range(both.min(), both.max() + 1)           # also those that nobody gave, which separate the others
    return metrics.cohen_kappa(both[:, 0], both[:, 1], "quadratic", steps)


def _fleiss(ratings):
    all_of_them = _by_all(ratings)
    return metrics.fleiss_kappa(all_of_them) if len(all_of_them) else float("nan")


def _by_all(ratings):
    rows = ratings.reshape(-1, ratings.shape[2])
    return rows[np.isfinite(rows).all(axis=1)]


def _means(ratings, systems):
    """Return {system: its mean rating} of those that were rated."""
    return {name: _interval(_mean, ratings[:, place]) for place, name in enumerate(systems)
            if np.isfinite(ratings[:, place]).any()}


def _mean(ratings):
    rated = ratings[np.isfinite(ratings)]
    return float(rated.mean()) if len(rated) else float("nan")


def _interval(measure, ratings):
    low, high = metrics.bootstrap(measure, ratings)
    return {"score": measure(ratings), "low": low, "high": high}

"""Read texts that belong together, to train embeddings: pairs, triples with a wrong text, pairs with a score."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bertkit.data.columns import Columns, Source
from bertkit.data.frames import Data, data_path
from bertkit.data.inputs import number
from bertkit.data.lines import BadRow
from bertkit.data.records import check_limit, parse_rows, row_as_dict, table, text_of
from bertkit.data.roles import pair_roles
from bertkit.errors import Error

_WANTED = "first and second, first, positive and negative, or two sentences and their score"


@dataclass(frozen=True)
class Pairs:
    """The rows of one file, in its order.

    Args:
        path: The file.
        groups: Two texts of each row, or three where the last is a wrong second text.
        scores: How alike the two texts of each row are, in the file's units; None without scores.
        lines: The line of each row, from 1.
        skipped: (line, reason) of the rows that were left out.
        source: How the file was understood.
    """

    path: Path
    groups: list[tuple[str, ...]]
    scores: list[float] | None
    lines: list[int]
    skipped: list[tuple[int, str]]
    source: Source = Source()

    def __len__(self):
        return len(self.groups)

    def labels(self) -> np.ndarray:
        """Return what a loss needs beside the texts.

        Returns:
            The scores, scaled so that this file's are from 0 to 1, float32 [rows]. Without scores int32 [rows, 2], the
            numbers of the first two texts of each row; equal texts have equal numbers.

        Raises:
            Error: when all scores are equal.
        """
        if self.scores is None:
            numbers: dict[str, int] = {}
            return np.array([[numbers.setdefault(text, len(numbers)) for text in group[:2]] for group in self.groups],
                            "int32")
        low, high = min(self.scores), max(self.scores)
        if low == high:
            raise Error(f"{self.path} scores all of the {len(self)} rows that were read {low:g}; give pairs that are "
                        "alike and pairs that are not.")
        return ((np.array(self.scores) - low) / (high - low)).astype("float32")

    def scored_pairs(self) -> tuple[Path, list[tuple[str, ...]], list[float], list[tuple[int, str]]]:
        """Return what is scored.

        Returns:
            (path, groups, scores, skipped).

        Raises:
            Error: when there are no scores.
        """
        if self.scores is None:
            raise Error(f"{self.path} has no scores to compare cosines with; give two sentences and their score a "
                        "line, as STS files have them.")
        return self.path, self.groups, self.scores, self.skipped

    def training_pairs(self) -> tuple[Path, list[tuple[str, ...]], np.ndarray, list[tuple[int, str]]]:
        """Return what is learned from.

        Returns:
            (path, groups, labels, skipped); labels are float32 [rows] or int32 [rows, 2], as `labels` returns them.
        """
        return self.path, self.groups, self.labels(), self.skipped


def read_pairs(path: Data, columns: Columns = Columns(), limit: int | None = None,
               skip_bad_rows: bool = False) -> Pairs:
    r"""Read pairs from any file of rows with a header (see `data.records.table`).

    Columns are recognised by name (first, second, score; anchor, positive, negative; sentence1, sentence2 and others),
    or named. Three columns of other names are first, positive and negative; two are first and second.

    Args:
        path: The file.
        columns: Names of columns.
        limit: Read the first rows only.
        skip_bad_rows: List rows that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Pairs`.

    Raises:
        Error: with file and line, when a row cannot be used, and when the columns are not recognised.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "questions.tsv"
        >>> _ = path.write_text("query\tpositive\tnegative\nwho?\tshe\tthere\n")
        >>> read_pairs(path).groups
        [('who?', 'she', 'there')]
    """
    check_limit(limit)
    path = data_path(path)
    with table(path) as (names, rows, form):
        roles = pair_roles(path, names, columns)
        texts, score = [name for role, name in roles.items() if name and role != "label"], roles["label"]
        kept, skipped = parse_rows(path, rows, lambda line, record: _row(line, record, names, texts, score), limit,
                                   skip_bad_rows)
    if not kept:
        raise Error(f"{path} has no row that can be used ({len(skipped)} were skipped); wanted {_WANTED}.")
    lines, groups, scores = map(list, zip(*kept, strict=True))
    return Pairs(path, groups, scores if score else None, lines, skipped, Source.of(form, names, roles))


def _row(line, record, names, texts, score):
    """Return (texts, score or None) of a record."""
    values = row_as_dict(record, names)
    group = tuple(text_of(line, values, name) for name in texts)
    return group, None if score is None else _number(line, values, score)


def _number(line, values, name):
    value = number(values.get(name))
    if math.isnan(value):
        raise BadRow(line, f"column {name!r}: the score {str(values.get(name))!r:.40} is no number")
    return value

"""Rows of data files as the doctor looks at them: texts, labels, and the columns that say where a row is from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertkit.data.columns import Columns
from bertkit.data.readers import read_examples
from bertkit.data.records import row_as_dict, table
from bertkit.data.tagged import read_tagged
from bertkit.doctor.case import Case
from bertkit.errors import Error

# Columns that name a document or an author, in lower case.
ORIGINS = ("author", "author_id", "user", "user_id", "speaker", "writer", "document", "document_id", "doc", "doc_id",
           "article", "article_id", "title", "url", "source_id", "thread", "thread_id", "review_id", "patient",
           "patient_id", "group")


@dataclass(frozen=True)
class DataRows:
    """The rows of one file.

    Args:
        path: The file.
        texts: A tuple of texts for each row; of tagged words one text.
        labels: A label for each row; None where the file has none, or several for a text.
        lines: The line of each row.
        rows: The rows as a training set-up has them: (text, label), (first, second, label) or {"words", "tags"}.
        origins: {column that names a document or an author: its value for each row}.
    """
    path: Path
    texts: list[tuple[str, ...]]
    labels: list[str] | None
    lines: list[int]
    rows: list[Any]
    origins: dict[str, list[str]]


def read_rows(path: str | Path) -> DataRows:
    """Read a file of texts with labels, or of tagged words.

    Args:
        path: The file.

    Returns:
        Its `DataRows`.

    Raises:
        Error: With file and line, when the file is neither.
    """
    try:
        found = read_examples(path, labels_required=False, skip_bad_rows=True)
    except Error as error:
        try:
            sentences = read_tagged(path, Columns(), None, True)
        except Error:
            raise error from None
        words: list[Any] = [{"words": row, "tags": tags} for row, tags in
                            zip(sentences.words, sentences.tags, strict=True)]
        return DataRows(Path(path), [(" ".join(row["words"]),) for row in words], None, list(range(1, len(words) + 1)),
                        words, {})
    texts: list[tuple[str, ...]] = list(zip(found.first, found.second, strict=True)) if found.second else [
        (text,) for text in found.first]
    labels = list(found.labels) if found.labels and all(isinstance(label, str) for label in found.labels) else None
    rows = [(*text, label) for text, label in zip(texts, found.labels or [None] * len(texts), strict=True)]
    return DataRows(Path(path), texts, labels, list(found.lines), rows, _origins(path, len(texts)))


def _origins(path, count):
    """Return the columns that name documents or authors; none where rows were left out, whose places are not known."""
    try:
        with table(Path(path)) as (names, rows, _):
            wanted = [name for name in names if name.lower() in ORIGINS]
            values = [row_as_dict(record, names) for _, record in rows] if wanted else []
    except Exception:                                   # a form in which rows have no names
        return {}
    return {name: [str(value.get(name, "")) for value in values] for name in wanted} if len(values) == count else {}


@dataclass(frozen=True)
class Data:
    """What a check of data sees.

    Args:
        case: The case, for its tokenizer and its length.
        train: The training rows.
        dev: The dev rows, or None.
    """
    case: Case
    train: DataRows
    dev: DataRows | None

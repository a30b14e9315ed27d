"""Read texts with what is to be written from them: documents with summaries, sources with targets."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from bertkit.data.columns import Columns, check_columns
from bertkit.data.lines import BadRow
from bertkit.data.records import check_limit, join_names, parse_rows, row_as_dict, table, text_of
from bertkit.errors import Error

_SOURCES = ("source", "src", "document", "article", "dialogue", "text", "input")
_TARGETS = ("target", "tgt", "summary", "summaries", "highlights", "abstract", "reference", "references", "output")
_WANTED = "source and target, or document and summary"


@dataclass(frozen=True)
class Parallel:
    """The rows of one file, in its order.

    Args:
        path: The file.
        sources: The source of each row.
        references: The texts of each row that a written text is compared with.
        lines: The line of each row, from 1.
        skipped: (line, reason) of the rows that were left out.
    """

    path: Path
    sources: list[str]
    references: list[list[str]]
    lines: list[int]
    skipped: list[tuple[int, str]]

    def __len__(self):
        return len(self.sources)


def read_parallel(path: str | Path, columns: Columns = Columns(), limit: int | None = None,
                  skip_bad_rows: bool = False) -> Parallel:
    r"""Read sources and targets from a .tsv (no quoting), .csv or .jsonl file in UTF-8.

    Columns are recognised by name (source, document, article, text; target, summary, highlights, abstract), or named
    (text, label). A .tsv of two columns of other names has no header, and is source, tab, target. In JSON a target may
    be a list of texts, each of which is a reference. SQuALITY's lines, {"document", "questions"}, are read as
    published: the answers to question 1, which asks for the plot, are the references; the other questions are not read.

    Args:
        path: The file.
        columns: Names of columns.
        limit: Read the first rows only.
        skip_bad_rows: List rows that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Parallel` texts.

    Raises:
        Error: with file and line, when a row cannot be used, and when the columns are not recognised.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "rows.tsv"
        >>> _ = path.write_text("eins zwei\tone two\n")
        >>> read_parallel(path).references
        [['one two']]
    """
    check_limit(limit)
    path = Path(path)
    with table(path) as (names, rows):
        source, target = _columns(path, names, columns)
        if source is None:                              # no header: the names are the first row
            rows, names = chain([(1, names)], rows), ["source", "target"]
            source, target = names
        kept, skipped = parse_rows(path, rows, lambda line, record, _: _row(line, record, names, source, target), limit,
                                   skip_bad_rows)
    if not kept:
        raise Error(f"{path} has no row that can be used ({len(skipped)} were skipped); wanted {_WANTED}.")
    lines, sources, references = map(list, zip(*kept, strict=True))
    return Parallel(path, sources, references, lines, skipped)


def _columns(path, names, columns):
    """Return the names of the two columns, or (None, None) of a table without a header."""
    given = [name for name in (columns.text, columns.label) if name is not None]
    spelling = {name.lower(): name for name in reversed(names)}
    source = columns.text or next((spelling[name] for name in _SOURCES if name in spelling), None)
    target = columns.label or next((spelling[name] for name in (*_TARGETS, "questions") if name in spelling), None)
    check_columns(path, names, [source, target], "name one of them with --text or --label")
    if source and target:
        return source, target
    if path.suffix.lower() == ".tsv" and len(names) == 2 and not given and source is target is None:
        return None, None
    raise Error(f"{path} has the columns {join_names(names)}; wanted {_WANTED}, or name them with --text and --label.")


def _row(line, record, names, source, target):
    """Return the source and the list of references of a record."""
    values = row_as_dict(record, names)
    given = _plot(line, values.get(target)) if target == "questions" else values.get(target)
    if not isinstance(given, list):
        return text_of(line, values, source), [text_of(line, values, target)]
    if not given:
        raise BadRow(line, f"column {target!r}: an empty list came where a text was wanted")
    return text_of(line, values, source), [text_of(line, {target: text}, target) for text in given]


def _plot(line, questions):
    """Return the answers to the first of SQuALITY's questions."""
    try:
        first = next(question for question in questions if str(question["question_number"]) == "1")
        return [answer["response_text"] for answer in first["responses"]]
    except (TypeError, KeyError, StopIteration):
        raise BadRow(line, "column 'questions': no question_number 1 with responses, each with response_text, as "
                           "SQuALITY has them") from None

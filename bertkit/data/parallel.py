"""Read texts with what is to be written from them: documents with summaries, sources with targets."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from bertkit.data.columns import Columns, Source
from bertkit.data.frames import Data, data_path
from bertkit.data.lines import BadRow, SecondHeader
from bertkit.data.records import check_limit, parse_rows, row_as_dict, suffix, table, text_of
from bertkit.data.roles import parallel_roles
from bertkit.errors import Error

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
        source: How the file was understood.
    """

    path: Path
    sources: list[str]
    references: list[list[str]]
    lines: list[int]
    skipped: list[tuple[int, str]]
    source: Source = Source()

    def __len__(self):
        return len(self.sources)


def read_parallel(path: Data, columns: Columns = Columns(), limit: int | None = None,
                  skip_bad_rows: bool = False) -> Parallel:
    r"""Read sources and targets from any file of rows (see `data.records.table`).

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
    path = data_path(path)
    with table(path) as (names, rows, form):
        roles = parallel_roles(path, names, columns, suffix(path) == ".tsv")
        if roles["text"] is None:                       # no header: the names are the first row
            rows = ((line, row.record if isinstance(row, SecondHeader) else row) for line, row in rows)
            rows, names = chain([(1, names)], rows), ["source", "target"]
            roles = {"text": "source", "label": "target"}
        source, target = roles["text"], roles["label"]
        kept, skipped = parse_rows(path, rows, lambda line, record: _row(line, record, names, source, target), limit,
                                   skip_bad_rows)
    if not kept:
        raise Error(f"{path} has no row that can be used ({len(skipped)} were skipped); wanted {_WANTED}.")
    lines, sources, references = map(list, zip(*kept, strict=True))
    return Parallel(path, sources, references, lines, skipped, Source.of(form, names, roles))


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

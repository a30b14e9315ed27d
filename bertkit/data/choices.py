"""Read multiple choices: SWAG's and CODAH's layouts, or a prompt with numbered endings."""

import re
from dataclasses import dataclass
from pathlib import Path

from bertkit.data.columns import Columns, Source
from bertkit.data.frames import Data, data_path
from bertkit.data.lines import BadRow
from bertkit.data.records import check_limit, parse_rows, row_as_dict, table, text_of
from bertkit.data.roles import ENDING, choice_roles
from bertkit.errors import Error


@dataclass(frozen=True)
class Choices:
    """The rows of one file, in its order: a prompt, its endings, and which of them is right.

    Args:
        path: The file.
        prompts: The prompt of each row.
        endings: The endings of each row.
        labels: The number of the right ending of each row, from 0.
        lines: The line of each row, from 1.
        skipped: (line, reason) of the rows that were left out.
        source: How the file was understood.
    """

    path: Path
    prompts: list[str]
    endings: list[list[str]]
    labels: list[int]
    lines: list[int]
    skipped: list[tuple[int, str]]
    source: Source = Source()

    def __len__(self):
        return len(self.prompts)


def read_choices(path: Data, columns: Columns = Columns(), limit: int | None = None,
                 skip_bad_rows: bool = False) -> Choices:
    r"""Read multiple choices from any file of rows (see `data.records.table`).

    The columns are a prompt (prompt, context, passage, question, or SWAG's sent1), endings with numbers (ending0,
    choice1, ...) and label, the number of the right one from 0. Every ending begins with SWAG's sent2, or with the
    question about a context. CODAH's file, which has no header, is recognised.

    Args:
        path: The file.
        columns: Names of columns.
        limit: Read the first rows only.
        skip_bad_rows: List rows that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Choices`.

    Raises:
        Error: with file and line, when a row cannot be used, and when the file holds no multiple choices.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "films.csv"
        >>> _ = path.write_text("prompt,ending0,ending1,label\nIt is,cold,so,0\n")
        >>> read_choices(path).endings
        [['cold', 'so']]
    """
    check_limit(limit)
    path = data_path(path)
    with table(path) as (names, rows, form):
        roles, endings = choice_roles(path, names, columns)
        used = (roles["text"], roles["second"], endings, roles["label"])
        kept, skipped = parse_rows(path, rows, lambda line, record: _choice(line, record, names, used), limit,
                                   skip_bad_rows)
    if not kept:
        raise Error(f"{path} has no row that can be used ({len(skipped)} were skipped); give it one question a line.")
    lines, prompts, texts, labels = map(list, zip(*kept, strict=True))
    source = Source.of(form, names, roles | {f"ending {place}": name for place, name in enumerate(endings)})
    return Choices(path, prompts, texts, labels, lines, skipped, source)


def _choice(line, record, names, columns):
    """Return the prompt, the endings and the right one's index of a record."""
    values = row_as_dict(record, names)
    prompt, start, endings, label = columns
    if more := [name for name in values if ENDING.fullmatch(name) and name not in endings]:
        raise BadRow(line, f"column {more[0]!r}: the row has more endings than the first, which has {len(endings)}")
    texts = [text_of(line, values, name) for name in (prompt, *([start] if start else []), *endings)]
    beginning = texts[1] + " " if start else ""
    full = [beginning + text for text in texts[-len(endings):]]
    right = values.get(label)
    number = str(right).strip()
    if isinstance(right, bool) or not re.fullmatch(r"\d{1,3}", number) or int(number) >= len(full):
        raise BadRow(line, f"column {label!r}: {str(right)!r:.40} came, wanted the number of the right ending, 0 to "
                           f"{len(full) - 1}")
    return texts[0], full, int(number)

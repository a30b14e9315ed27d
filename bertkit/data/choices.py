"""Read multiple choices: SWAG's and CODAH's layouts, or a prompt with numbered endings."""

import re
from dataclasses import dataclass
from pathlib import Path

from bertkit.data.columns import check_columns
from bertkit.data.lines import BadRow
from bertkit.data.records import check_limit, join_names, parse_rows, row_as_dict, table, text_of
from bertkit.errors import Error

_ABOUT = ("prompt", "context", "premise", "passage", "article")    # what a question may be about
_PROMPTS = ("sent1", *_ABOUT, "question", "text")       # SWAG's startphrase is sent1 and sent2 together
_STARTS = {"sent1": "sent2", **dict.fromkeys(_ABOUT, "question")}       # what begins each ending, by the prompt
_ENDING = re.compile(r"(?:ending|choice|option|answer)[ _-]?(\d+)", re.IGNORECASE)


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
    """

    path: Path
    prompts: list[str]
    endings: list[list[str]]
    labels: list[int]
    lines: list[int]
    skipped: list[tuple[int, str]]

    def __len__(self):
        return len(self.prompts)


def read_choices(path: str | Path, limit: int | None = None, skip_bad_rows: bool = False) -> Choices:
    r"""Read multiple choices from a .tsv (no quoting), .csv or .jsonl file in UTF-8.

    The columns are a prompt (prompt, context, passage, question, or SWAG's sent1), endings with numbers (ending0,
    choice1, ...) and label, the number of the right one from 0. Every ending begins with SWAG's sent2, or with the
    question about a context. CODAH's file, which has no header, is recognised.

    Args:
        path: The file.
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
    path = Path(path)
    with table(path) as (names, rows):
        columns = _columns(path, names)
        kept, skipped = parse_rows(path, rows, lambda line, record, _: _choice(line, record, names, columns), limit,
                                   skip_bad_rows)
    if not kept:
        raise Error(f"{path} has no row that can be used ({len(skipped)} were skipped); give it one question a line.")
    lines, prompts, endings, labels = map(list, zip(*kept, strict=True))
    return Choices(path, prompts, endings, labels, lines, skipped)


def _columns(path, names):
    """Return (prompt column, column that begins every ending or None, ending columns in their order, label column)."""
    spelling = {name.lower(): name for name in names}
    prompt = next((spelling[name] for name in _PROMPTS if name in spelling), None)
    numbered = sorted((int(found[1]), name) for name in names if (found := _ENDING.fullmatch(name)))
    if prompt is None or len(numbered) < 2 or "label" not in spelling:
        raise Error(f"{path} is no file of multiple choices, its columns are {join_names(names)}; wanted a prompt, "
                    "ending0, ending1, ... and label (as SWAG has them), or CODAH's seven columns.")
    start, endings = spelling.get(_STARTS.get(prompt.lower())), [name for _, name in numbered]
    check_columns(path, names, [prompt, start, *endings, spelling["label"]], "leave one of them")
    return prompt, start, endings, spelling["label"]


def _choice(line, record, names, columns):
    """Return the prompt, the endings and the right one's index of a record."""
    values = row_as_dict(record, names)
    prompt, start, endings, label = columns
    if more := [name for name in values if _ENDING.fullmatch(name) and name not in endings]:
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

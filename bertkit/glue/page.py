"""The GLUE table in three forms: for a terminal, for a spreadsheet, for a browser."""

from pathlib import Path
from typing import Any

from bertkit.files.atomic import write_json, write_text
from bertkit.report import markup
from bertkit.report.page import render_document

COLUMNS = ("task", "score", "spread", "n", "metrics", "notes")
CAPTION = ("Points on dev: the mean over n seeds and their standard deviation (n − 1). A task's score is the mean "
           "of its metrics.")


def write_table(table: Any, out: Path) -> None:
    """Write table.tsv, glue.json and glue.html into a folder.

    Args:
        table: The `Table`.
        out: The folder.
    """
    cells = [COLUMNS, *((*row[:-1], "; ".join(row[-1])) for row in table_rows(table))]
    write_text(out / "table.tsv", "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in cells))
    write_json(out / "glue.json", table.to_json())
    html = markup.table(CAPTION, COLUMNS, cells[1:], words=("metrics", "notes"))
    title = f"GLUE: {table.name}"
    write_text(out / "glue.html", render_document(title, markup.element("h1", title), markup.element("main", html)))


def text_table(table: Any) -> str:
    """Return the table as text for a terminal: a line a task, the mean over tasks, then the notes.

    Args:
        table: The `Table`.

    Returns:
        The lines.
    """
    cells = [COLUMNS[:-1], *(row[:-1] for row in table_rows(table))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    aligned = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([*aligned, *(f"{row[0]}: {note}" for row in table_rows(table) for note in row[-1])])


def table_rows(table: Any) -> list[tuple[Any, ...]]:
    """Return the cells of each task, and of the mean over tasks.

    Args:
        table: The `Table`.

    Returns:
        (task, score, spread, n, metrics, notes) of each, texts; the notes are a list.
    """
    tasks = [(row.task, *_figures(row.score), ", ".join(f"{name} {figure}" for name, figure in row.metrics.items()),
              [*row.errors, *row.unlike]) for row in table.rows]
    return [*tasks, (table.name, *_figures(table.score), "", [])]


def _figures(figure):
    if figure is None:
        return "-", "-", "0"
    return f"{figure.mean:.2f}", "-" if figure.spread is None else f"{figure.spread:.2f}", str(len(figure.seeds))

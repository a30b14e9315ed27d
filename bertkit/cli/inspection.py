"""The commands that look inside: two models side by side, tests of behaviour, bias. As in commands.py."""

from typing import Any

from bertkit.data.columns import Columns


def compare(a: str, b: str, /, data: str, out: str | None = None, separator: str = "|", skip_bad_rows: bool = False,
            columns: Columns = Columns()) -> Any:
    """Compare two bundles of one task on the same labelled rows: scores, intervals, the rows where they differ.

    a               a bundle that a recipe left
    b               another one of the same task
    data            labelled rows, in a form that the task's recipe reads
    out             a page to write, which needs no network
    separator       what parts the labels in a cell, for multi-label bundles
    skip_bad_rows   go on without rows that cannot be used, and say how many
    """
    from bertkit.inspection.comparison import compare as run
    found = run(a, b, data, columns, separator=separator, skip_bad_rows=skip_bad_rows)
    if out is not None:
        from bertkit.report.comparison import render_comparison
        from bertkit.report.page import write_report
        write_report(out, render_comparison(found))
    return found

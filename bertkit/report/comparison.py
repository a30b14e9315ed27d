"""Two models side by side as a page: their scores, what differs by more than chance, the rows where they differ."""

from typing import Any

from bertkit.report.markup import element, note, number, section, table, texts
from bertkit.report.page import render_document

MOST = 500          # rows that a page shows


def render_comparison(comparison: Any) -> str:
    """Return the page of a comparison, which loads and runs nothing; every text is escaped.

    Args:
        comparison: An `inspection.comparison.Comparison`.

    Returns:
        The HTML.
    """
    title = f"{comparison.names[0]} and {comparison.names[1]}"
    head = element("header", element("h1", title), element("p", comparison.verdict(), class_="says"))
    return render_document(title, head, element("main", _scores(comparison), _counts(comparison), _rows(comparison)))


def _scores(comparison):
    _, low, high = comparison.difference
    rows = [(*row, f"{number(low)} to {number(high)}" if row[0] == comparison.metric else "")
            for row in comparison.table()]
    return section("Scores", table(f"A is {comparison.names[0]}, B is {comparison.names[1]}",
                                   ("metric", "A", "B", "A − B", "95 % interval"), rows, words=("metric",)))


def _counts(comparison):
    rows = [("A alone", comparison.only_a), ("B alone", comparison.only_b),
            ("both or neither", comparison.rows - comparison.only_a - comparison.only_b)]
    return section("Rows", table(f"Counted are {comparison.counted}; McNemar's exact p is "
                                 f"{comparison.mcnemar_p:.3g}", ("with", "rows"), rows, words=("with",)))


def _rows(comparison):
    shown = comparison.disagreements[:MOST]
    rows = [(one.row, one.better.upper(), texts(one.texts), one.label, one.a, one.b) for one in shown]
    said = note(f"The first {MOST} of {len(comparison.disagreements):,}; --json has all of them.") if len(
        comparison.disagreements) > MOST else ""
    return section("Where they differ", said, table(
        f"{len(shown):,} rows, the largest difference first", ("row", "better", "text", "right", "A says", "B says"),
        rows, words=("better", "text", "right", "A says", "B says")))

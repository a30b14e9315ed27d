"""The page of an examination: a summary in words, the findings by organ, a small picture of what was measured."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bertkit.report import charts
from bertkit.report.markup import Markup, element, join, note, number, section, table
from bertkit.report.page import render_document

WORDS = ("check", "verdict", "what was found", "measured")
WIDTH, HEIGHT = 160, 26


def render_examination(title: str, subject: Mapping[str, Any], summary: str,
                       groups: Sequence[tuple[str, Sequence[Any]]]) -> str:
    """Return the page of an examination.

    Args:
        title: What was examined.
        subject: What is known of it.
        summary: What was found, in words.
        groups: (name of the organ, its findings, the worst first), each with `check`, `verdict`, `message`, `evidence`,
            `cost`, `remedy` and `source`.

    Returns:
        The HTML.
    """
    about = ", ".join(f"{name} {number(value)}" for name, value in subject.items() if value is not None
                      and name != "path")
    head = element("header", element("h1", title), note(about), element("p", summary, class_="says"))
    worst = [finding for _, part in groups for finding in part if finding.verdict in ("ill", "suspect")]
    first = section("What to do", join(map(_advice, worst))) if worst else Markup("")
    return render_document(title, head, element("main", first, join(_organ(name, part) for name, part in groups)))


def _advice(finding):
    """Return what is wrong, what it costs, what to do, and by which source."""
    return join([element("h3", f"{finding.check}: {finding.verdict}"), element("p", finding.message),
                 element("p", f"{finding.cost} {finding.remedy}"), note(f"Source: {finding.source}"), _curve(finding)])


def _organ(name, findings):
    counts = ", ".join(f"{count} {verdict}" for verdict in ("ill", "suspect", "healthy", "unknown")
                       if (count := sum(finding.verdict == verdict for finding in findings)))
    rows = [(finding.check, finding.verdict, finding.message or str(finding.evidence.get("reason", "")),
             _measured(finding))
            for finding in findings]
    return section(name, table(counts, WORDS, rows, WORDS))


def _measured(finding):
    """Return a small picture of the first number against its limit, and the numbers."""
    numbers = {name: value for name, value in finding.evidence.items()
               if isinstance(value, int | float) and not isinstance(value, bool)}
    shown = [f"{name.replace('_', ' ')} {_short(value)}" for name, value in list(numbers.items())[:5]]
    limit = next((value for name, value in numbers.items() if name.startswith("limit")), None)
    value = next((value for name, value in numbers.items() if "limit" not in name), None)
    picture = _bar(float(value), float(limit)) if limit is not None and limit > 0 and value is not None else Markup("")
    return join([picture, element("div", "; ".join(shown))])


def _short(value):
    return f"{value:.3g}" if isinstance(value, float) else f"{value:,}"


def _bar(value, limit):
    """Return a bar on a scale of powers of ten, with a line at the limit."""
    if not value >= 0 or not math.isfinite(value):
        return Markup("")
    low, high = math.log10(limit) - 6, math.log10(limit) + 3
    share = min(max((math.log10(max(value, 1e-300)) - low) / (high - low), 0.01), 1)
    at = 6 / 9 * WIDTH
    return element("svg", element("title", f"{value:.3g}, limit {limit:.3g}"),
                   element("rect", x=0, y=6, width=f"{share * WIDTH:.1f}", height=12, class_="bar"),
                   element("line", x1=f"{at:.1f}", x2=f"{at:.1f}", y1=0, y2=HEIGHT, class_="axis"),
                   viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=f"{value:.3g}, limit {limit:.3g}")


def _curve(finding):
    """Return the learning rate over the run where it was measured."""
    rates = finding.evidence.get("rates")
    if not isinstance(rates, list) or len(rates) < 3:
        return Markup("")
    return charts.lines("Learning rate", {"rate": (list(range(len(rates))), rates)}, "part of the run", "rate")

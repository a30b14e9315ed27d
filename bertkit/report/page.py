"""The whole report: what the model is, how it learned, what it gets wrong, in one file that needs nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.files.atomic import write_text
from bertkit.report import curves, reading, style
from bertkit.report.head import appendix, head
from bertkit.report.markup import Markup, element
from bertkit.report.partial_input import render_probe as show_partial_input
from bertkit.tasks.registry import entry_of


def render_report(card: Any, task: Any, dev: dict[str, Any], history: Sequence[dict[str, Any]] = (),
                  partial_input: dict[str, Any] | None = None, commonest: dict[str, float] | None = None) -> str:
    """Return the report of a run as HTML; every text of `card` and `dev` is escaped.

    Args:
        card: The `Card`.
        task: The task.
        dev: {"inputs", "targets", "predictions"} as the task has them, or empty.
        history: Points {"step", "loss", "rate"} and {"step", "epoch", "dev_loss", "dev_METRIC"}.
        partial_input: What `partial_input.probe` returned.
        commonest: What `partial_input.commonest` returned.

    Returns:
        The HTML.
    """
    chosen = _deciding_metric(card, task)
    shown = curves.render_curves(history, chosen, sign=-1 if chosen in task.less_is_better else 1)
    sections = entry_of(task).part("sections") if dev else None
    main = element("main", shown, sections(task, dev) if sections else "",
                   show_partial_input(partial_input, card) if partial_input else "", reading.render_reading(card.data),
                   appendix(card))
    return render_document(f"{card.name}: {card.task}", head(card, _beside(task, partial_input, commonest)), main)


def _beside(task, partial_input, commonest):
    """Return (what, its score) of what the model's first score is compared with."""
    first = next(iter(task.metrics), None)
    found = [(task.commonest, commonest[first])] if commonest and first in commonest else []
    whole = [view for view in (partial_input or {}).get("views", ()) if not view["half"]]
    return found + [(f"word counts of {view['sees']}", view["score"]) for view in whole]


def _deciding_metric(card, task):
    """Return the metric that chose the epoch: the one that the tuning names, else the task's first."""
    named = card.to_json().get("knobs", {}).get("tuning", {}).get("metric")
    return named or next(iter(task.metrics), None)


def render_document(title: str, *children: Any) -> str:
    """Return a whole page of HTML in the look of a report, which loads and runs nothing.

    Args:
        title: The title.
        children: What the body holds.

    Returns:
        The HTML.
    """
    return f"<!DOCTYPE html>\n{element('html', _meta(title), element('body', *children), lang='en')}\n"


def _meta(title):
    return element("head", element("meta", charset="utf-8"),
                   element("meta", http_equiv="Content-Security-Policy", content=style.policy()),
                   element("meta", name="viewport", content="width=device-width, initial-scale=1"),
                   element("meta", name="referrer", content="no-referrer"),
                   element("title", title),
                   element("style", Markup(style.STYLE)))


def write_report(path: str | Path, page: str) -> None:
    """Write a report's file, whole or not at all; `Error` is raised where it cannot be written.

    Args:
        path: The file.
        page: The HTML.
    """
    write_text(path, page)

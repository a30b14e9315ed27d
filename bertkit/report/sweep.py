"""What a sweep leaves: a table of trials, a summary of settings, and a picture that opens without a network."""

import statistics
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import write_json, write_text
from bertkit.report.sweep_picture import draw_sweep, setting_name
from bertkit.tasks.registry import entries
from bertkit.terminal import say

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1b1f24 }}
table {{ border-collapse: collapse; margin-top: 1.5rem; font-variant-numeric: tabular-nums }}
td, th {{ text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #d8dde3; vertical-align: top }}
</style></head><body><h1>{title}</h1><p>{best}</p>{picture}<table><tr>{head}</tr>{rows}</table></body></html>
"""


def write_report(out: Path, recipe: str, trials: Sequence[dict[str, Any]], last: bool = False) -> dict[str, Any]:
    """Write table.tsv, summary.json and sweep.html of the trials so far.

    Args:
        out: The folder.
        recipe: The name of the recipe.
        trials: {"setting", "seed", "score", "metric", "seconds", "error"} of each.
        last: Whether the sweep has ended; the table is then also printed.

    Returns:
        The summary.

    Raises:
        Error: when the sweep has ended and no trial succeeded.
    """
    result = summary(recipe, trials)
    names = list(trials[0]["setting"])
    rows = [[*(trial["setting"][name] for name in names), trial["seed"], _figure(trial["score"]), trial["seconds"],
             trial["error"] or ""] for trial in trials]
    head = [*names, "seed", result["metric"] or "score", "seconds", "error"]
    lines = ["\t".join(" ".join(str(cell).split()) for cell in row) for row in [head, *rows]]
    write_text(out / "table.tsv", "\n".join(lines) + "\n")
    write_json(out / "summary.json", result)
    write_text(out / "sweep.html", PAGE.format(
        title=escape(f"Sweep of {recipe}"), best=escape(_sentence(result)), picture=draw_sweep(result),
        head="".join(f"<th>{escape(cell)}</th>" for cell in head),
        rows="".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)))
    if last:
        _show(result)
        if result["best"] is None:
            raise Error(f"No trial succeeded; the first said: {trials[0]['error']}")
    return result


def summary(recipe: str, trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Summarise trials by setting: the best mean over seeds first, settings with a failed seed last.

    Args:
        recipe: The name of the recipe.
        trials: {"setting", "seed", "score", "metric", "seconds", "error"} of each.

    Returns:
        {"recipe", "metric", "best", "settings": [{"setting", "mean", "spread", "scores", "errors"} ...]}; "spread" is
        the standard deviation over seeds (n − 1), None for one seed.
    """
    settings: dict[Any, list[Any]] = {}
    for trial in trials:
        settings.setdefault(tuple(trial["setting"].items()), []).append(trial)
    metrics = [trial["metric"] for trial in trials if trial["metric"]]
    better = metric_direction(metrics[0]) if metrics else 1
    means = sorted(map(_of_setting, settings.values()), key=lambda s: (bool(s["errors"]), -better * (s["mean"] or 0)))
    best = next((setting for setting in means if setting["mean"] is not None), None)
    return {"recipe": recipe, "metric": f"dev {metrics[0]}" if metrics else None, "best": best, "settings": means}


def metric_direction(metric: str) -> int:
    """Return whether more or less of a metric is better.

    Args:
        metric: Its name.

    Returns:
        1 where more is better, −1 where less is.

    Example:
        >>> metric_direction("accuracy"), metric_direction("mse")
        (1, -1)
    """
    return -1 if any(metric in task.less_is_better for task in (entry.task for entry in entries())) else 1


def _of_setting(trials):
    scores = {str(trial["seed"]): trial["score"] for trial in trials if trial["score"] is not None}
    values = list(scores.values())
    return {"setting": trials[0]["setting"], "mean": statistics.fmean(values) if values else None,
            "spread": statistics.stdev(values) if len(values) > 1 else None, "scores": scores,
            "errors": {str(trial["seed"]): trial["error"] for trial in trials if trial["score"] is None}}


def _sentence(result):
    best = result["best"]
    if best is None:
        return "No trial has succeeded."
    spread = "" if best["spread"] is None else f" ± {_figure(best['spread'])}"
    seeds = ", ".join(best["scores"])
    return f"Best by {result['metric']}: {setting_name(best)}, {_figure(best['mean'])}{spread} (seeds: {seeds})."


def _show(result):
    """Print the table of settings."""
    width = max(len(setting_name(setting)) for setting in result["settings"])
    say(f"{'setting':<{width}}  {result['metric'] or 'score':>14}  {'spread':>8}  seeds")
    for setting in result["settings"]:
        failed = f", {len(setting['errors'])} failed" if setting["errors"] else ""
        say(f"{setting_name(setting):<{width}}  {_figure(setting['mean']):>14}  {_figure(setting['spread']):>8}  "
            f"{len(setting['scores'])}{failed}")
    say(_sentence(result))


def _figure(number):
    return "-" if number is None else f"{number:.4f}"

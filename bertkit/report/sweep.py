"""What a sweep leaves: a table of trials, a summary of settings, and a picture that opens without a network."""

import statistics
from html import escape

from bertkit.errors import Error
from bertkit.files.atomic import write_json, write_text
from bertkit.report.sweep_picture import named, picture
from bertkit.tasks.registry import entries
from bertkit.terminal import say

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1b1f24 }}
table {{ border-collapse: collapse; margin-top: 1.5rem; font-variant-numeric: tabular-nums }}
td, th {{ text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #d8dde3; vertical-align: top }}
</style></head><body><h1>{title}</h1><p>{best}</p>{picture}<table><tr>{head}</tr>{rows}</table></body></html>
"""


def write(out, recipe, trials, last=False):
    """Write table.tsv, summary.json and sweep.html of the trials so far; return the summary.

    The `last` time it is also shown, and raises `Error` where no trial succeeded.
    """
    found = summary(recipe, trials)
    names = list(trials[0]["setting"])
    rows = [[*(trial["setting"][name] for name in names), trial["seed"], _shown(trial["score"]), trial["seconds"],
             trial["error"] or ""] for trial in trials]
    head = [*names, "seed", found["metric"] or "score", "seconds", "error"]
    lines = ["\t".join(" ".join(str(cell).split()) for cell in row) for row in [head, *rows]]
    write_text(out / "table.tsv", "\n".join(lines) + "\n")
    write_json(out / "summary.json", found)
    write_text(out / "sweep.html", PAGE.format(
        title=escape(f"Sweep of {recipe}"), best=escape(_sentence(found)), picture=picture(found),
        head="".join(f"<th>{escape(cell)}</th>" for cell in head),
        rows="".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)))
    if last:
        _show(found)
        if found["best"] is None:
            raise Error(f"No trial succeeded; the first said: {trials[0]['error']}")
    return found


def summary(recipe, trials):
    """Return {"recipe", "metric", "best", "settings": [{"setting", "mean", "spread", "scores", "errors"} ...]}.

    Settings by their mean over seeds, the best first, those with a failed seed last; `spread` is the standard deviation
    over seeds (n − 1), None for one.
    """
    settings = {}
    for trial in trials:
        settings.setdefault(tuple(trial["setting"].items()), []).append(trial)
    metrics = [trial["metric"] for trial in trials if trial["metric"]]
    better = sign(metrics[0]) if metrics else 1
    found = sorted(map(_of_setting, settings.values()), key=lambda s: (bool(s["errors"]), -better * (s["mean"] or 0)))
    best = next((setting for setting in found if setting["mean"] is not None), None)
    return {"recipe": recipe, "metric": f"dev {metrics[0]}" if metrics else None, "best": best, "settings": found}


def sign(metric):
    """Return 1 for a metric of which more is better, −1 for one of which less is.

    >>> sign("accuracy"), sign("mse")
    (1, -1)
    """
    return -1 if any(metric in task.less_is_better for task in (entry.task for entry in entries())) else 1


def _of_setting(trials):
    scores = {str(trial["seed"]): trial["score"] for trial in trials if trial["score"] is not None}
    values = list(scores.values())
    return {"setting": trials[0]["setting"], "mean": statistics.fmean(values) if values else None,
            "spread": statistics.stdev(values) if len(values) > 1 else None, "scores": scores,
            "errors": {str(trial["seed"]): trial["error"] for trial in trials if trial["score"] is None}}


def _sentence(found):
    best = found["best"]
    if best is None:
        return "No trial has succeeded."
    spread = "" if best["spread"] is None else f" ± {_shown(best['spread'])}"
    seeds = ", ".join(best["scores"])
    return f"Best by {found['metric']}: {named(best)}, {_shown(best['mean'])}{spread} (seeds: {seeds})."


def _show(found):
    """Say the table of settings."""
    width = max(len(named(setting)) for setting in found["settings"])
    say(f"{'setting':<{width}}  {found['metric'] or 'score':>14}  {'spread':>8}  seeds")
    for setting in found["settings"]:
        failed = f", {len(setting['errors'])} failed" if setting["errors"] else ""
        say(f"{named(setting):<{width}}  {_shown(setting['mean']):>14}  {_shown(setting['spread']):>8}  "
            f"{len(setting['scores'])}{failed}")
    say(_sentence(found))


def _shown(number):
    return "-" if number is None else f"{number:.4f}"

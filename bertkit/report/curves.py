"""How the run went: losses, dev scores, learning rate, with the best epoch marked."""

import math
import numbers
from collections.abc import Sequence
from typing import Any

from bertkit.report import charts
from bertkit.report.markup import element, note, section


def render_curves(history: Sequence[dict[str, Any]], first: str | None = None, caption: str | None = None,
                  sign: int = 1) -> str:
    """Return the curves of a history.

    Args:
        history: Points with "step", and "loss", "rate", "epoch", "dev_loss" or "dev_METRIC".
        first: The metric that chose the best epoch.
        caption: A sentence above the curves, in place of the usual one.
        sign: −1 for a metric of which less is better.

    Returns:
        The HTML; "" for an empty history.
    """
    if not history:
        return ""
    best = best_epoch(history, first, sign)
    mark = (best["step"], f"best: epoch {best['epoch']}" if "epoch" in best else "best") if best else None
    steps, epochs = _series(history, "loss"), _series(history, "dev_loss")
    losses = {name: points for name, points in (("training loss", steps), ("dev loss", epochs)) if points[0]}
    names = sorted({name for point in history for name in point if name.startswith("dev_")} - {"dev_loss"},
                   key=lambda name: (name != f"dev_{first}", name))
    scores = {name.removeprefix("dev_"): _series(history, name) for name in names}
    rate = _series(history, "rate")
    figures = [charts.lines("Loss", losses, "step", "loss", mark, points=("dev loss",))] if losses else []
    figures += [charts.lines(f"Dev {_joined(group)}", group, "step", "score", mark, points=tuple(group))
                for group in _alike(scores)]
    if rate[0]:
        figures.append(charts.lines("Learning rate", {"learning rate": rate}, "step", "learning rate", mark, least=0))
    return section("Training", note(caption or _how_chosen(best, first)), element("div", *figures, class_="charts"))


def best_epoch(history: Sequence[dict[str, Any]], first: str | None, sign: int = 1) -> dict[str, Any] | None:
    """Return the point with the best dev score; of equal ones that with the lowest dev loss.

    Args:
        history: Points with "dev_METRIC" and "dev_loss".
        first: The metric.
        sign: −1 for a metric of which less is better.

    Returns:
        The point, or None where no point has a score.

    Example:
        >>> best_epoch([{"epoch": 1, "dev_f1": 0.5}, {"epoch": 2, "dev_f1": 0.7}], "f1")["epoch"]
        2
    """
    points = [point for point in history if _is_number(point.get(f"dev_{first}"))]
    return max(points, key=lambda point: (sign * point[f"dev_{first}"], -point.get("dev_loss", math.inf)), default=None)


def _how_chosen(best, first):
    if best is None:
        return "No dev score was kept."
    return f"Dev {first} chose the epoch; the weights of the best one are the ones that were kept."


def _is_number(value):
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and math.isfinite(value)


def _series(history, name):
    """Return (steps, values) of the points that have a number of this name, in their order."""
    points = [(point["step"], float(point[name])) for point in history
              if "step" in point and isinstance(point.get(name), numbers.Real)]
    return [step for step, _ in points], [value for _, value in points]


def _alike(scores):
    """Return the series in groups of one scale: fractions together, everything else for itself."""
    filled = {name: points for name, points in scores.items() if points[0]}
    fractions = {name: points for name, points in filled.items()
                 if all(not math.isfinite(y) or -1 <= y <= 1 for y in points[1])}
    rest = [{name: points} for name, points in filled.items() if name not in fractions]
    return ([fractions] if fractions else []) + rest


def _joined(group):
    return ", ".join(group) if len(group) < 4 else "scores"

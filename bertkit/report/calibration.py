"""Whether probabilities are right: of the decisions given 0.8, eight in ten should be right."""

from typing import Any

import numpy as np

from bertkit.metrics.calibration import calibration_error, reliability
from bertkit.report import charts
from bertkit.report.markup import Markup, element, join, note, number, table


def render_calibration(targets: Any, probabilities: np.ndarray) -> Markup:
    """Return the reliability diagram, its numbers and the calibration error.

    Args:
        targets: Class numbers [B].
        probabilities: float [B,C].

    Returns:
        The HTML.
    """
    rows = [row for row in reliability(targets, probabilities) if row["rows"]]
    error = number(calibration_error(targets, probabilities))
    lean = sum(row["rows"] * (row["confidence"] - row["accuracy"]) for row in rows) / len(targets)
    listed = table("The bins that hold decisions", ("confidence", "decisions", "mean confidence", "share right"),
                   [(f"{row['low']:.2f}–{row['high']:.2f}", row["rows"], row["confidence"], row["accuracy"])
                    for row in rows])
    return join([note(f"Expected calibration error {error}, over 15 equal bins of confidence (Guo et al. 2017). On "
                      f"average the confidence is {number(abs(lean))} {'above' if lean > 0 else 'below'} the share "
                      "that is right. Bars that end below the dashed line are over-confident."),
                 element("div", _diagram(rows, error), listed, class_="charts")])


def _diagram(rows, error):
    plot = charts.Plot(charts.Axis(0, 1, "confidence"), charts.Axis(0, 1, "share that is right"))
    bars = [plot.bars(np.array([row["low"], row["high"]]), np.array([row["accuracy"]])) for row in rows]
    return charts.figure("Reliability", plot.picture("Reliability", f"Expected calibration error {error}.", *bars,
                                                     plot.diagonal()))

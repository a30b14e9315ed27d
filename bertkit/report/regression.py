"""How far predicted numbers are from the true ones: scatter, residuals, the worst rows with their texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.report import charts
from bertkit.report.markup import Markup, element, join, quoting, section, table, texts

WORST = 20


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the sections of predicted numbers.

    Args:
        task: A `Regression`.
        dev: {"inputs", "targets": numbers, "predictions": numbers}.

    Returns:
        The HTML.
    """
    targets, predictions = (np.asarray(side, "float64")
                            for side in task.metric_inputs(dev["targets"], dev["predictions"]))
    return join([section("True and predicted", compare_scores(targets, predictions)),
                 quoting(dev, "Worst mistakes", worst_examples, dev["inputs"], targets, predictions)])


def compare_scores(targets: np.ndarray, predictions: np.ndarray) -> Markup:
    """Return the scatter and the residuals, predicted − true.

    Args:
        targets: The true numbers, float [rows].
        predictions: The predicted numbers, float [rows].

    Returns:
        The HTML.
    """
    return element("div", charts.scatter("True and predicted", targets, predictions, "true", "predicted"),
                   charts.histogram("Residuals", predictions - targets, "predicted − true"), class_="charts")


def worst_examples(inputs: Sequence[Any], targets: np.ndarray, predictions: np.ndarray) -> Markup:
    """Return the rows whose prediction is farthest from the truth; rows that are no numbers come first.

    Args:
        inputs: The texts, or pairs of texts.
        targets: The true numbers, float [rows].
        predictions: The predicted numbers, float [rows].

    Returns:
        The HTML.
    """
    away = np.abs(predictions - targets)
    order = np.argsort(-np.where(np.isnan(away), np.inf, away), kind="stable")[:WORST]
    rows = [(int(row) + 1, texts(inputs[row]), float(targets[row]), float(predictions[row]),
             float(predictions[row] - targets[row])) for row in order]
    return table(f"The {len(rows)} of {len(away)} rows that are farthest off",
                 ("row", "text", "true", "predicted", "predicted − true"), rows, words=("text",))

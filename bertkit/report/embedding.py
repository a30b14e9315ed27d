"""How similar texts are to a model, compared with the given scores."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.report import charts
from bertkit.report.markup import Markup, element, join, quoting, section, table, texts

WORST = 20


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the sections of pairs of texts.

    Args:
        task: An `Embedding`.
        dev: {"inputs", "targets": scores of similarity, "predictions": vectors}.

    Returns:
        The HTML.
    """
    targets, cosines = task.metric_inputs(dev["targets"], dev["predictions"])
    scatter = charts.scatter("Given and found", targets, cosines, "given similarity", "cosine", same=False)
    drawn = element("div", scatter, charts.histogram("Cosines", cosines, "cosine"), class_="charts")
    return join([section("Similarity", drawn),
                 quoting(dev, "Worst mistakes", worst_examples, dev["inputs"], targets, cosines)])


def worst_examples(inputs: Sequence[Any], targets: np.ndarray, cosines: np.ndarray) -> Markup:
    """Return the pairs whose ranks by score and by cosine differ most; ranks, because the scales differ.

    Args:
        inputs: The pairs.
        targets: Scores of similarity, float [pairs].
        cosines: The cosines of the vectors, float [pairs].

    Returns:
        The HTML.
    """
    places = [np.argsort(np.argsort(side, kind="stable"), kind="stable") for side in (targets, cosines)]
    away = places[1] - places[0]
    order = np.argsort(-np.abs(away), kind="stable")[:WORST]
    rows = [(int(row) + 1, texts(inputs[row]), float(targets[row]), float(cosines[row]), int(away[row]))
            for row in order]
    return table(f"The {len(rows)} of {len(targets)} pairs whose place in the order is farthest off; above 0: found "
                 "too alike", ("row", "texts", "given", "cosine", "places"), rows, words=("texts",))

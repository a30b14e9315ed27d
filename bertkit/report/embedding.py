"""How alike texts are found to be, against how alike they are."""

import numpy as np

from bertkit.report import charts
from bertkit.report.markup import element, joined, section, table, texts

WORST = 20


def sections(task, dev):
    """Return the sections of pairs of texts: targets are scores of likeness, predictions their vectors."""
    targets, cosines = task.sides(dev["targets"], dev["predictions"])
    scatter = charts.scatter("Given and found", targets, cosines, "given similarity", "cosine", same=False)
    drawn = element("div", scatter, charts.histogram("Cosines", cosines, "cosine"), class_="charts")
    return joined([section("Similarity", drawn), section("Worst mistakes", worst(dev["inputs"], targets, cosines))])


def worst(inputs, targets, cosines):
    """Return the pairs whose places in the two orders are farthest apart, because the scales differ."""
    places = [np.argsort(np.argsort(side, kind="stable"), kind="stable") for side in (targets, cosines)]
    away = places[1] - places[0]
    order = np.argsort(-np.abs(away), kind="stable")[:WORST]
    rows = [(int(row) + 1, texts(inputs[row]), float(targets[row]), float(cosines[row]), int(away[row]))
            for row in order]
    return table(f"The {len(rows)} of {len(targets)} pairs whose place in the order is farthest off; above 0: found "
                 "too alike", ("row", "texts", "given", "cosine", "places"), rows, words=("texts",))

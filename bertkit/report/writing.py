"""What was written beside what a reference says; the worst texts first."""

import numpy as np

from bertkit.report.markup import section, table, text

WORST = 20


def sections(task, dev):
    """Return the section of written texts: targets are lists of references, predictions texts."""
    (counts,) = task.sides(dev["targets"], dev["predictions"])
    scores = counts[:, 10]
    order = np.argsort(scores, kind="stable")[:WORST]
    rows = [(int(row) + 1, text(dev["inputs"][row]), text(dev["targets"][row][0]), text(dev["predictions"][row]),
             scores[row]) for row in order]
    return section("Worst texts", table(
        f"The {len(rows)} of {len(scores)} texts of lowest ROUGE-1, with the first reference",
        ("row", "source", "reference", "written", "ROUGE-1"), rows, words=("source", "reference", "written")))

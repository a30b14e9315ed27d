"""What was written, beside a reference; the worst texts first."""

from typing import Any

import numpy as np

from bertkit.report.markup import Markup, quoting, table, text

WORST = 20


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the section of written texts.

    Args:
        task: A `Writing`.
        dev: {"inputs", "targets": lists of references, "predictions": texts}.

    Returns:
        The HTML.
    """
    (counts,) = task.metric_inputs(dev["targets"], dev["predictions"])
    scores = counts[:, 10]
    order = np.argsort(scores, kind="stable")[:WORST]
    rows = [(int(row) + 1, text(dev["inputs"][row]), text(dev["targets"][row][0]), text(dev["predictions"][row]),
             scores[row]) for row in order]
    return quoting(dev, "Worst texts", table,
                   f"The {len(rows)} of {len(scores)} texts of lowest ROUGE-1, with the first reference",
                   ("row", "source", "reference", "written", "ROUGE-1"), rows, ("source", "reference", "written"))

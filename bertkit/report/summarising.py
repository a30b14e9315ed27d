"""How near extracts come to their references, beside the first sentences and the best sentences."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.report.markup import Markup, element, join, quoting, section, table, text

WORST = 10
SYSTEMS = {"": "this model", "lead_": "the first sentences", "oracle_": "the best that were found (oracle)"}


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the sections of extractive summaries.

    Args:
        task: An `Extraction`.
        dev: {"inputs", "targets": lists of references, "predictions": extracts}.

    Returns:
        The HTML.
    """
    (scores,) = task.metric_inputs(dev["targets"], dev["predictions"])
    return join([section("Beside lead and oracle", compare_systems(task, scores)),
                 quoting(dev, "Worst summaries", worst_examples, dev["targets"], dev["predictions"], scores)])


def compare_systems(task: Any, scores: np.ndarray) -> Markup:
    """Return the table of the scores of the model, the lead and the oracle.

    Args:
        task: An `Extraction`.
        scores: float [documents, 9].

    Returns:
        The HTML.
    """
    kinds = [name for name in task.metrics if "_" not in name]
    rows = [(name, *(task.metrics[prefix + kind](scores) for kind in kinds)) for prefix, name in SYSTEMS.items()]
    return table(f"ROUGE, F1, means over {len(scores)} documents; at most {task.count} sentences each",
                 ("system", *kinds), rows)


def worst_examples(targets: Sequence[Any], predictions: Sequence[Any], scores: np.ndarray) -> Markup:
    """Return the documents whose summary is farthest below the oracle's.

    Args:
        targets: Lists of references.
        predictions: The extracts.
        scores: float [documents, 9].

    Returns:
        The HTML.
    """
    kinds = scores.shape[1] // 3
    behind = scores[:, 2 * kinds] - scores[:, 0]
    order = np.argsort(-behind, kind="stable")[:WORST]
    rows = [(int(row) + 1, text(predictions[row].text()), element("div", text(targets[row][0])), scores[row, 0],
             scores[row, 2 * kinds]) for row in order]
    return table(f"The {len(rows)} of {len(behind)} farthest behind the oracle, with the first reference",
                 ("row", "summary", "reference", "ROUGE-1", "oracle"), rows, words=("summary", "reference"))

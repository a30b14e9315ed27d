"""How near extracts come to their references, beside the first sentences and the best ones."""

import numpy as np

from bertkit.report.markup import element, joined, section, table, text

WORST = 10
SYSTEMS = {"": "this model", "lead_": "the first sentences", "oracle_": "the best that were found (oracle)"}


def sections(task, dev):
    """Return the sections of extractive summaries: targets are lists of references, predictions extracts."""
    (scores,) = task.sides(dev["targets"], dev["predictions"])
    return joined([section("Beside lead and oracle", compared(task, scores)),
                   section("Worst summaries", worst(dev["targets"], dev["predictions"], scores))])


def compared(task, scores):
    """Return the table of the three systems' scores."""
    kinds = [name for name in task.metrics if "_" not in name]
    rows = [(name, *(task.metrics[prefix + kind](scores) for kind in kinds)) for prefix, name in SYSTEMS.items()]
    return table(f"ROUGE, F1, means over {len(scores)} documents; at most {task.count} sentences each",
                 ("system", *kinds), rows)


def worst(targets, predictions, scores):
    """Return the documents whose summary falls farthest behind the oracle's."""
    kinds = scores.shape[1] // 3
    behind = scores[:, 2 * kinds] - scores[:, 0]
    order = np.argsort(-behind, kind="stable")[:WORST]
    rows = [(int(row) + 1, text(predictions[row].text()), element("div", text(targets[row][0])), scores[row, 0],
             scores[row, 2 * kinds]) for row in order]
    return table(f"The {len(rows)} of {len(behind)} farthest behind the oracle, with the first reference",
                 ("row", "summary", "reference", "ROUGE-1", "oracle"), rows, words=("summary", "reference"))

"""Which endings a model chooses: by position, by confidence, the worst mistakes with prompt and endings."""

from typing import Any

import numpy as np

from bertkit.report import calibration
from bertkit.report.markup import Markup, element, join, note, quoting, section, share, table, text

WORST = 15
FLOOR = 1e-12


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the sections of chosen endings.

    Args:
        task: A `Choosing`.
        dev: {"inputs", "targets": numbers of the right endings, "predictions": probabilities of each row's endings}.

    Returns:
        The HTML.
    """
    targets, chosen = (np.asarray(side) for side in task.metric_inputs(dev["targets"], dev["predictions"]))
    most = max(len(row) for row in dev["predictions"])
    padded = np.array([[*row, *[0.0] * (most - len(row))] for row in dev["predictions"]])
    return join([section("Positions", position_table(targets, chosen)),
                 section("Calibration", calibration.render_calibration(targets, padded)),
                 quoting(dev, "Worst mistakes", worst_examples, dev["inputs"], targets, chosen, dev["predictions"])])


def position_table(targets: np.ndarray, chosen: np.ndarray) -> Markup:
    """Return a table of how often each position is right, is chosen, and is chosen where it is right.

    Positions that are chosen much more often than they are right show a model that looks at the position.

    Args:
        targets: The numbers of the right endings, int [rows], from 0.
        chosen: The numbers of the chosen endings, int [rows].

    Returns:
        The HTML.
    """
    count = int(max(targets.max(), chosen.max())) + 1
    rows = [(f"ending {place + 1}", int((targets == place).sum()), int((chosen == place).sum()),
             share(float((chosen[targets == place] == place).mean())) if (targets == place).any() else "undefined")
            for place in range(count)]
    return table("Endings by their position", ("position", "right", "chosen", "chosen where right"), rows)


def worst_examples(inputs: Any, targets: np.ndarray, chosen: np.ndarray, probabilities: Any) -> Markup:
    """Return the mistakes whose right ending has the lowest probability, with prompt, endings and probabilities.

    Args:
        inputs: (prompt, ending, ending, ...) of each.
        targets: The numbers of the right endings, int [rows], from 0.
        chosen: The numbers of the chosen endings, int [rows].
        probabilities: Those of each row's endings.

    Returns:
        The HTML.
    """
    wrong = np.flatnonzero(targets != chosen)
    if not len(wrong):
        return note("No row was decided wrongly.")
    loss = np.array([-np.log(max(float(probabilities[row][targets[row]]), FLOOR)) for row in wrong])
    order = np.argsort(-loss, kind="stable")[:WORST]
    rows = [(int(wrong[i]) + 1, _shown(inputs[wrong[i]], targets[wrong[i]], chosen[wrong[i]], probabilities[wrong[i]]),
             loss[i]) for i in order]
    return table(f"{len(rows)} of {len(wrong)} wrong rows, highest loss first", ("row", "prompt and endings", "loss"),
                 rows, words=("prompt and endings",))


def _shown(example, target, chosen, probabilities):
    endings = [element("li", text(ending), f" (p\N{NO-BREAK SPACE}{p:.3f}", ", right" if place == target else "",
                       ", chosen" if place == chosen else "", ")")
               for place, (ending, p) in enumerate(zip(example[1:], probabilities, strict=True))]
    return join([element("div", text(example[0])), element("ol", *endings)])

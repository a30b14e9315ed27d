"""What a classifier gets right and wrong: confusions, classes, calibration, the worst mistakes with their texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.report import calibration
from bertkit.report.markup import Markup, element, join, note, number, quoting, section, share, table, texts

WORST = 20
MOST_CLASSES = 20     # a matrix of more classes cannot be read
FLOOR = 1e-12


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the sections of a classifier's predictions.

    Args:
        task: A `Classification`.
        dev: {"inputs", "targets", "predictions": probabilities [rows, C]}.

    Returns:
        The HTML.
    """
    probabilities = np.asarray(dev["predictions"], "float64")
    targets, predictions = task.metric_inputs(dev["targets"], dev["predictions"])
    parts = [quoting(dev, "Worst mistakes", worst_examples, task.labels, dev["inputs"], probabilities, targets,
                     predictions),
             section("Classes", class_table(task.labels, targets, predictions)),
             section("Calibration", calibration_section(probabilities, targets))]
    if not task.multi_label:
        parts.insert(0, section("Confusion", confusion_table(task.labels, targets, predictions)))
    return join(parts)


def confusion_table(labels: Sequence[str], targets: Any, predictions: Any) -> Markup:
    """Return the matrix of counts with shares of each row; for many classes, the most frequent confusions.

    Args:
        labels: The names of the classes.
        targets: The true class numbers.
        predictions: The predicted class numbers.

    Returns:
        The HTML.
    """
    counts = metrics.confusion(targets, predictions, range(len(labels)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if len(labels) > MOST_CLASSES:
        return _commonest(labels, counts, shares)
    rows = [(label, *(_heat(counts[i, j], shares[i, j], i == j) for j in range(len(labels))), int(counts[i].sum()))
            for i, label in enumerate(labels)]
    return join([note("Rows are the true classes, columns the given ones. A cell has the count and its share of the "
                      "row, and is the darker the larger the share; outlined cells are right."),
                 table("Confusion matrix", ("true \\ given", *labels, "rows"), rows)])


def _heat(count, part, right):
    return element("td", number(int(count)), element("small", share(part)),
                   class_=f"heat heat{int(np.ceil(part * 5))}{' right' if right else ''}")


def _commonest(labels, counts, shares):
    wrong = counts * (1 - np.eye(len(labels), dtype=int))
    order = [place for place in np.argsort(-wrong, axis=None, kind="stable")[:WORST] if wrong.flat[place]]
    pairs = [np.unravel_index(place, wrong.shape) for place in order]
    rows = [(labels[i], labels[j], int(wrong[i, j]), share(shares[i, j])) for i, j in pairs]
    return table(f"The {len(rows)} commonest of {int((wrong > 0).sum())} confusions between {len(labels)} classes",
                 ("true", "given", "rows", "share of the true class"), rows, words=("true", "given"))


def class_table(labels: Sequence[str], targets: Any, predictions: Any) -> Markup:
    """Return a table of precision, recall and F1 of each class, or of each label of a multi-label task.

    Args:
        labels: The names of the classes.
        targets: The true class numbers [rows], or [rows, C] of 0 and 1.
        predictions: The predicted ones, in the same form.

    Returns:
        The HTML.
    """
    if np.ndim(targets) == 1:
        targets, predictions = np.eye(len(labels), dtype=int)[np.stack([targets, predictions])]
    hits = (targets & predictions).sum(axis=0)
    actual, predicted = targets.sum(axis=0), predictions.sum(axis=0)
    rows = [(label, int(actual[c]), int(predicted[c]), _ratio(hits[c], predicted[c]), _ratio(hits[c], actual[c]),
             _ratio(2 * hits[c], actual[c] + predicted[c])) for c, label in enumerate(labels)]
    return table("Scores of each class; undefined where nothing is of it",
                 ("class", "true", "given", "precision", "recall", "F1"), rows)


def _ratio(part, whole):
    return float(part) / float(whole) if whole else float("nan")


def calibration_section(probabilities: np.ndarray, targets: Any) -> Markup:
    """Return the calibration of the most probable class, or of each label's yes or no.

    Args:
        probabilities: float [rows, C].
        targets: Class numbers [rows], or [rows, C] of 0 and 1.

    Returns:
        The HTML.
    """
    if np.ndim(targets) == 2:
        yes = probabilities.reshape(-1, 1)
        return calibration.render_calibration(np.ravel(targets), np.hstack([1 - yes, yes]))
    return calibration.render_calibration(targets, probabilities)


def row_losses(probabilities: np.ndarray, targets: Any) -> np.ndarray:
    """Compute each row's −log p of its class, or Σ over labels of −log p of the label's true value.

    Args:
        probabilities: float [rows, C].
        targets: Class numbers [rows], or [rows, C] of 0 and 1.

    Returns:
        float [rows], in nats.

    Example:
        >>> row_losses(np.array([[0.5, 0.5]]), np.array([1])).round(4).tolist()
        [0.6931]
    """
    targets = np.asarray(targets)
    if targets.ndim == 1:
        return -np.log(np.maximum(probabilities[np.arange(len(targets)), targets], FLOOR))
    return -np.log(np.maximum(np.where(targets > 0, probabilities, 1 - probabilities), FLOOR)).sum(axis=1)


def worst_examples(labels: Sequence[str], inputs: Sequence[Any], probabilities: np.ndarray, targets: Any,
                   predictions: Any) -> Markup:
    """Return the mistakes with the highest loss, each with its texts, the true and the predicted classes.

    Args:
        labels: The names of the classes.
        inputs: The texts, or pairs of texts.
        probabilities: float [rows, C].
        targets: The true class numbers [rows], or [rows, C] of 0 and 1.
        predictions: The predicted ones, in the same form.

    Returns:
        The HTML.
    """
    targets, predictions = np.asarray(targets), np.asarray(predictions)
    loss = row_losses(probabilities, targets)
    wrong = np.flatnonzero((targets != predictions).reshape(len(predictions), -1).any(axis=1))
    if not len(wrong):
        return note("No row was decided wrongly.")
    rows = wrong[np.argsort(-loss[wrong], kind="stable")][:WORST]
    listed = [(int(row) + 1, texts(inputs[row]), _names(labels, targets[row], probabilities[row]),
               _names(labels, predictions[row], probabilities[row]), loss[row]) for row in rows]
    return table(f"{len(rows)} of {len(wrong)} wrong rows, highest loss first; p is the model's probability",
                 ("row", "text", "true", "given", "loss"), listed, words=("text", "true", "given"))


def _names(labels, which, probabilities):
    places = np.flatnonzero(which) if np.ndim(which) else [which]
    if not len(places):
        return "none"
    return join(element("div", f"{labels[c]} (p\N{NO-BREAK SPACE}{probabilities[c]:.3f})") for c in places)

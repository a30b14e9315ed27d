"""Texts with classes or scores as inputs of the tasks that are learned from them."""

import math
from typing import Any

from bertkit.data.cells import no_labels
from bertkit.data.columns import Columns
from bertkit.data.folders import read_folder
from bertkit.data.frames import Data, data_path
from bertkit.data.inputs import Labelled, number, print_skipped
from bertkit.data.lines import BadRow
from bertkit.data.readers import Examples, label_indices, label_names, read_examples
from bertkit.data.sheets import is_dataset
from bertkit.errors import Error
from bertkit.tasks.classification import Classification
from bertkit.tasks.documents import Documents
from bertkit.tasks.regression import Regression


def read_texts(path: Data, columns: Columns, reading: dict[str, Any]) -> Examples:
    """Read a file, or a folder with a folder of texts for each class.

    Args:
        path: The file or folder.
        columns: Names of columns, for a file.
        reading: Further arguments of `read_examples`.

    Returns:
        The `Examples`.
    """
    path = data_path(path)
    if path.is_dir() and not is_dataset(path):
        return print_skipped(read_folder(path, reading.get("limit"), reading.get("skip_bad_rows", False)), "file")
    examples = read_examples(path, columns.text, columns.second, columns.label, **reading)
    bad = no_labels(examples.columns["label"], examples.lines, examples.labels) if examples.labels else {}
    return print_skipped(examples.without(bad, reading.get("skip_bad_rows", False)))


def classification(examples: Examples) -> Classification:
    """Return the task that is learned from examples.

    Args:
        examples: The `Examples`.

    Returns:
        The `Classification`.

    Raises:
        Error: when all examples have one label.
    """
    labels, several = label_names(examples), isinstance(examples.labels[0], list)
    if len(labels) < 2 and not several:
        raise Error(f"{examples.path} has the label {labels[0]!r} in all of the {len(examples)} rows that were read; "
                    "give rows of two classes or more.")
    return Classification(tuple(labels), several, examples.second is not None)


def documents(examples: Examples) -> Documents:
    """Return the task on long documents that is learned from examples.

    Args:
        examples: The `Examples`.

    Returns:
        The `Documents`.
    """
    task = classification(examples)
    return Documents(task.labels, task.multi_label)


def classes(task: Classification, examples: Examples) -> Labelled:
    """Return examples as inputs of a task, with their classes.

    Args:
        task: The `Classification`.
        examples: The `Examples`.

    Returns:
        The `Labelled` inputs.

    Raises:
        Error: when the examples do not fit the task.
    """
    if isinstance(examples.labels[0], list) != task.multi_label:
        raise Error(f"{examples.path} has {'one label' if task.multi_label else 'lists of labels'} a row, and the rows "
                    f"of training have {'lists of them' if task.multi_label else 'one'}; write them alike.")
    return Labelled(examples.path, task_inputs(task, examples), label_indices(examples, task.labels), examples.skipped,
                    examples.groups, examples.source)


def read_scored(path: Data, columns: Columns, reading: dict[str, Any]) -> Examples:
    """Read a file whose labels are numbers.

    Args:
        path: The file.
        columns: Names of columns.
        reading: Further arguments of `read_examples`.

    Returns:
        The `Examples`.

    Raises:
        Error: with file and line, when a label is no number and such rows are not to be skipped.
    """
    examples = read_examples(path, columns.text, columns.second, columns.label, **reading)
    name, numbers = examples.columns["label"], [number(label) for label in examples.labels]
    wrong = {row: BadRow(examples.lines[row], f"column {name!r}: the score {label!r:.40} is no number")
             for row, (label, value) in enumerate(zip(examples.labels, numbers, strict=True)) if math.isnan(value)}
    return print_skipped(examples.without(wrong, reading.get("skip_bad_rows", False)))


def regression(examples: Examples) -> Regression:
    """Return the task that is learned from examples with scores.

    Args:
        examples: The `Examples`.

    Returns:
        The `Regression`.

    Raises:
        Error: when all examples have one score.
    """
    scores = [number(label) for label in examples.labels]
    if min(scores) == max(scores):
        raise Error(f"{examples.path} scores all of the {len(scores)} rows that were read {scores[0]:g}; give rows of "
                    "different scores.")
    return Regression.of(scores, examples.second is not None)


def scores(task: Regression, examples: Examples) -> Labelled:
    """Return examples as inputs of a `Regression`, with their scores.

    Args:
        task: The `Regression`.
        examples: The `Examples`.

    Returns:
        The `Labelled` inputs.
    """
    targets = [number(label) for label in examples.labels]
    return Labelled(examples.path, task_inputs(task, examples), targets, examples.skipped, source=examples.source)


def task_inputs(task: Any, examples: Examples) -> list[Any]:
    """Return the texts, or pairs of texts, of examples.

    Args:
        task: A `Classification` or a `Regression`. One whose `pairs` is None reads single texts and pairs alike.
        examples: The `Examples`.

    Returns:
        Texts, or (first, second).

    Raises:
        Error: when single texts came and the task reads pairs, or the other way round.
    """
    paired = examples.second is not None
    if task.pairs not in (None, paired):
        raise Error(f"{examples.path} has {'single texts' if task.pairs else 'pairs'}, and this model reads "
                    f"{'pairs' if task.pairs else 'single texts'}; name the columns with --text and --second.")
    return list(zip(examples.first, examples.second, strict=True)) if paired else examples.first

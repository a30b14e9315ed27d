"""Texts with classes or scores as inputs of the tasks that are learnt from them."""

import math
from dataclasses import replace
from pathlib import Path

from bertkit.data.folders import read_folder
from bertkit.data.inputs import Labelled, number, said
from bertkit.data.lines import BadRow
from bertkit.data.readers import label_indices, label_names, read_examples
from bertkit.data.records import complaint
from bertkit.errors import Error
from bertkit.tasks.classification import Classification
from bertkit.tasks.documents import Documents
from bertkit.tasks.regression import Regression


def read_texts(path, columns, reading):
    """Return the `Examples` of a file, or of a folder of texts for each class."""
    if Path(path).is_dir():
        return said(read_folder(path, reading.get("limit"), reading.get("skip_bad_rows", False)), "file")
    return said(read_examples(path, columns.text, columns.second, columns.label, **reading))


def classification(examples):
    """Return the `Classification` that is learnt from examples; raises `Error` where all have one label."""
    labels, several = label_names(examples), isinstance(examples.labels[0], list)
    if len(labels) < 2 and not several:
        raise Error(f"{examples.path} has the label {labels[0]!r} in all of the {len(examples)} rows that were read; "
                    "give rows of two classes or more.")
    return Classification(tuple(labels), several, examples.second is not None)


def documents(examples):
    """Return the `Documents` that is learnt from examples."""
    found = classification(examples)
    return Documents(found.labels, found.multi_label)


def classes(task, examples):
    """Return examples as inputs of a `Classification` with their classes; raises `Error` where they do not fit it."""
    if isinstance(examples.labels[0], list) != task.multi_label:
        raise Error(f"{examples.path} has {'one label' if task.multi_label else 'lists of labels'} a row, and the rows "
                    f"of training have {'lists of them' if task.multi_label else 'one'}; write them alike.")
    return Labelled(examples.path, task_inputs(task, examples), label_indices(examples, task.labels), examples.skipped,
                    examples.groups)


def read_scored(path, columns, reading):
    """Return the `Examples` of a file whose labels are numbers; raises `Error`, or skips, where one is none."""
    examples = read_examples(path, columns.text, columns.second, columns.label, **reading)
    name, numbers = examples.columns["label"], [number(label) for label in examples.labels]
    wrong = [(line, f"column {name!r}: the score {label!r:.40} is no number")
             for line, label, value in zip(examples.lines, examples.labels, numbers, strict=True) if math.isnan(value)]
    if wrong and (len(wrong) == len(examples) or not reading.get("skip_bad_rows")):
        raise complaint(path, BadRow(*wrong[0]))
    return said(_without(examples, {line for line, _ in wrong}, sorted([*examples.skipped, *wrong])))


def _without(examples, lines, skipped):
    """Return examples without the rows of some lines."""
    kept = [row for row, line in enumerate(examples.lines) if line not in lines]
    parts = {name: values and [values[row] for row in kept] for name in ("first", "second", "labels", "lines")
             for values in [getattr(examples, name)]}
    return replace(examples, **parts, skipped=skipped)


def regression(examples):
    """Return the `Regression` that is learnt from examples; raises `Error` where all have one score."""
    found = [number(label) for label in examples.labels]
    if min(found) == max(found):
        raise Error(f"{examples.path} scores all of the {len(found)} rows that were read {found[0]:g}; give rows of "
                    "different scores.")
    return Regression.of(found, examples.second is not None)


def scores(task, examples):
    """Return examples as inputs of a `Regression` with their scores; raises `Error` where they do not fit it."""
    targets = [number(label) for label in examples.labels]
    return Labelled(examples.path, task_inputs(task, examples), targets, examples.skipped)


def task_inputs(task, examples):
    """Return texts, or (first, second)."""
    paired = examples.second is not None
    if task.pairs not in (None, paired):
        raise Error(f"{examples.path} has {'single texts' if task.pairs else 'pairs'}, and this model reads "
                    f"{'pairs' if task.pairs else 'single texts'}; name the columns with --text and --second.")
    return list(zip(examples.first, examples.second, strict=True)) if paired else examples.first

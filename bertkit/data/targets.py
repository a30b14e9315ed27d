"""Labels as a user has them, numbers, names, lists of names, as the arrays that losses take."""

import math
from typing import Any

import numpy as np

from bertkit.data.columns import join_names as named
from bertkit.errors import Error


def targets(labels: list, classes: Any = None) -> np.ndarray:
    """Return labels as the array that a loss takes.

    Args:
        labels: One a row: whole numbers (classes), numbers with a point (scores), names, or lists of names (several
            labels a row); lists of numbers, all of one length, stay as they are.
        classes: The names in the order of the model's outputs; by default those that occur, sorted.

    Returns:
        int32 [B], float32 [B], or [B,C]: 1 where a row has a label, else 0.

    Raises:
        Error: If labels are of several kinds, are no numbers (nan), or are not among the classes.

    >>> targets(["no", "yes", "no"]), targets([["b"], [], ["a", "b"]]).tolist()
    (array([0, 1, 0], dtype=int32), [[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    """
    kinds = [_kind(row, label) for row, label in enumerate(labels, start=1)]
    kind = "a number" if set(kinds) == {"an integer", "a number"} else kinds[0] if kinds else "an integer"
    fitting = ("an integer", "a number") if kind == "a number" else (kind,)
    odd = next((row for row, each in enumerate(kinds, start=1) if each not in fitting), None)
    if odd is not None:
        raise Error(f"The label of row {odd} is {kinds[odd - 1]}, that of row 1 {kinds[0]}; give labels of one kind.")
    if kind == "a list":
        return _several(labels, classes)
    if kind == "a number":
        return np.array(labels, "float32")
    return _places(labels, classes) if kind == "a name" or classes is not None else np.array(labels, "int32")


def class_indices(names: Any, found: Any) -> dict:
    """Return the place of each class.

    Args:
        names: The classes in their order, or None.
        found: The classes that occur; sorted, they are taken where `names` is None.

    Returns:
        {class: its place}.

    Raises:
        Error: If a class comes twice.

    Example:
        >>> class_indices(None, ["yes", "no", "yes"])
        {'no': 0, 'yes': 1}
    """
    names = sorted(set(found)) if names is None else list(names)
    if len(set(names)) < len(names):
        raise Error(f"classes={names!r:.80} has one class twice; give each once.")
    return {name: place for place, name in enumerate(names)}


def class_index(places: dict, label: Any, row: int) -> int:
    """Return the place of a row's label.

    Args:
        places: {class: its place}.
        label: The label.
        row: The number of the row, for the error.

    Returns:
        The place.

    Raises:
        Error: If the label is not among the classes.

    Example:
        >>> class_index({"no": 0, "yes": 1}, "yes", row=1)
        1
    """
    if label not in places:
        known = named(list(map(str, places)))
        raise Error(f"The label {label!r:.40} of row {row} is not among the classes ({known}); give all of them in "
                    "classes=[...].")
    return places[label]


def _kind(row, label):
    if isinstance(label, bool | int) and abs(label) < 2**31:
        return "an integer"
    if isinstance(label, float) and math.isfinite(label):
        return "a number"
    kinds: dict[type, str] = {str: "a name", list: "a list", tuple: "a list"}
    if type(label) not in kinds:
        raise Error(f"The label of row {row} is {label!r:.40}; wanted a number, a name, or a list of names.")
    return kinds[type(label)]


def _places(labels, classes):
    """Return the places of labels; whole numbers are places already where the classes are names."""
    if classes is not None and isinstance(labels[0], int) and not all(isinstance(name, int) for name in classes):
        classes = range(len(list(classes)))
    places = class_indices(classes, labels)
    return np.array([class_index(places, label, row) for row, label in enumerate(labels, start=1)], "int32")


def _several(labels, classes):
    values = [value for label in labels for value in label]
    if values and not any(isinstance(value, str) for value in values):
        numbers = all(isinstance(value, bool | int | float) for value in values)
        if len({len(label) for label in labels}) > 1 or not numbers:
            raise Error("Labels that are lists of numbers have several lengths or hold other things; give lists of "
                        "names, or as many numbers in each row.")
        return np.array(labels, "int32" if all(isinstance(value, bool | int) for value in values) else "float32")
    places = class_indices(classes, values)
    found = np.zeros((len(labels), len(places)), "float32")
    for row, label in enumerate(labels):
        found[row, [class_index(places, name, row + 1) for name in label]] = 1
    return found

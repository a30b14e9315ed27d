"""Lists of inputs as callers have them: lists, arrays, columns of pandas."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from bertkit.errors import Error


def to_list(values: Any, what: str) -> list:
    """Return the rows of a list, a tuple, an array, or a column or frame of pandas, as a list in their order.

    Args:
        values: The rows; those of an array [B,N] and of a frame are lists.
        what: What a row is, for the message, such as "texts".

    Returns:
        A list of Python's own values.

    Raises:
        Error: For one string, a dict, a set, and whatever has no rows.

    >>> to_list(("a film", "a play"), "texts"), to_list(np.array([1, 0]), "labels")
    (['a film', 'a play'], [1, 0])
    >>> to_list("a film", "texts")
    Traceback (most recent call last):
    ...
    bertkit.errors.Error: 'a film' came where a list of texts was wanted; put it in a list: [...].
    """
    single = isinstance(values, str | bytes | bytearray | Mapping | Set) or not isinstance(values, Iterable)
    if single or getattr(values, "ndim", 1) == 0:
        raise Error(f"{values!r:.60} came where a list of {what} was wanted; put it in a list: [...].")
    if hasattr(values, "__array__"):            # also a frame, which would give the names of its columns
        values = np.asarray(values).tolist()
    return [value.tolist() if isinstance(value, np.generic | np.ndarray) else value for value in values]

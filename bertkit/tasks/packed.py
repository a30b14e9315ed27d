"""The inputs of a task as rows of ids, with what is needed to get from rows back to inputs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

UNSCORED = -1       # the label of a token that is not scored


@dataclass(frozen=True)
class Packed:
    """Rows of ids; an input may have several.

    An example is `group` rows, or, where `counts` says so, as many rows as it needs, which are read together.

    Args:
        rows: (token ids, segment ids) of each row, with the special tokens and without padding.
        origin: What the task needs to make one prediction for each input from the outputs of the rows.
        labels: For training, an array with one label for each example.
        token_labels: For training, one list for each row beside its ids, or int32 [tokens of all rows]; -1 where
            nothing is scored.
        group: Rows of an example.
        counts: int64 [examples], rows of each example, or None where all have `group`.

    Example:
        >>> packed = Packed([([2, 5, 3], [0, 0, 0])], labels=np.array([1], "int32"))
        >>> len(packed.rows), packed.group
        (1, 1)
    """

    rows: list[tuple[list[int], list[int]]]
    origin: Any = None
    labels: Any = None
    token_labels: list[list[int]] | np.ndarray | None = None
    group: int = 1
    counts: np.ndarray | None = None

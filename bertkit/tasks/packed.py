"""Inputs of a task as rows of ids, with what it takes to come back from rows to inputs."""

from dataclasses import dataclass

import numpy as np

UNSCORED = -1       # the label of a token that is not scored


@dataclass(frozen=True)
class Packed:
    """`rows` are (token ids, segment ids) with the special tokens, unpadded; an input may give several.

    `origin` is what the task needs to make one prediction an input of what the model says of each row. For training,
    `labels` are one example's each, or `token_labels` one list a row beside its ids, -1 where nothing is scored; an
    example is `group` rows, or, where `counts` [examples] says so, as many rows as it needs, which are read together.
    """

    rows: list
    origin: object = None
    labels: np.ndarray | None = None
    token_labels: list | None = None
    group: int = 1
    counts: np.ndarray | None = None

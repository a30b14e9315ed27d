"""The labelled inputs of a task, as every reader gives them."""

import hashlib
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from bertkit.data.columns import Source
from bertkit.errors import Error
from bertkit.terminal import say

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Labelled:
    """Inputs of a task and their targets, side by side.

    Args:
        path: The file that they are from.
        inputs: What the task reads, one for each row.
        targets: What the task is scored against, one for each row.
        skipped: (number, reason) of the rows that were left out.
        groups: The group of each row; the rows of a group stay together. None where there are no groups.
        source: How the file was understood.
        texts: Whether its texts may stand in report, card and messages.
    """

    path: Path
    inputs: list[Any]
    targets: Any
    skipped: list[Any]
    groups: list[Any] | None = None
    source: Source = Source()
    texts: bool = True

    def __len__(self):
        return len(self.inputs)

    def split_by_group(self, share: float) -> tuple[Self, Self]:
        """Split the rows in two by a hash of each group, or of each input where there are no groups.

        A row goes to the same side whatever other rows the file has.

        Args:
            share: About this share of the rows goes to the second part, from 0 to 1.

        Returns:
            (the rest, about `share` of the rows).

        Raises:
            Error: when one of the two would be empty.
        """
        units = self.inputs if self.groups is None else self.groups
        held = np.array([_fraction(unit) < share for unit in units])
        if held.all() or not held.any():
            raise Error(f"{self.path}: of its {len(self)} rows, {held.sum()} would be held back at held_back={share}; "
                        "give another share, or rows of their own with --dev.")
        return self.split_by_mask(held)

    def split_by_mask(self, held: np.ndarray) -> tuple[Self, Self]:
        """Split the rows in two.

        Args:
            held: bool [N], True for the rows of the second part.

        Returns:
            (the rest, the rows where `held` is true).
        """
        rest, rows = self._only(np.flatnonzero(~held)), self._only(np.flatnonzero(held))
        return rest, replace(rows, skipped=[])

    def _only(self, rows):
        targets = self.targets[rows] if isinstance(self.targets, np.ndarray) else [self.targets[i] for i in rows]
        return replace(self, inputs=[self.inputs[i] for i in rows], targets=targets,
                       groups=self.groups and [self.groups[i] for i in rows])

    def metadata(self) -> dict[str, Any]:
        """Return what a card says of the file.

        Returns:
            {"file", "rows", "skipped"}.
        """
        return {"file": Path(self.path).name, "rows": len(self), "skipped": len(self.skipped)}


def _fraction(unit):
    """Return a number from 0 to 1 that depends on the unit alone."""
    return int.from_bytes(hashlib.sha256(str(unit).encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64


def number(cell: Any) -> float:
    """Return the finite number in a cell of a file.

    Args:
        cell: The cell.

    Returns:
        The number, or nan where the cell holds none.

    Example:
        >>> number("2.5"), number("-1e-3"), number("inf"), number("1_000"), number(["3"])
        (2.5, -0.001, nan, nan, nan)
    """
    value = float(cell) if _DECIMAL.fullmatch(str(cell).strip()) else math.nan
    return value if math.isfinite(value) else math.nan


def print_skipped(part: Any, unit: str = "line") -> Any:
    """Print how many rows of a file were left out, if any.

    Args:
        part: What was read, with `path` and `skipped`.
        unit: What the numbers in `skipped` count.

    Returns:
        `part`.
    """
    if part.skipped:
        number, reason = part.skipped[0]
        say(f"{part.path}: left out {len(part.skipped)} of its rows, first {unit} {number} ({reason}).")
    return part

"""Labelled inputs of a task, as every reader gives them."""

import hashlib
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bertkit.errors import Error
from bertkit.terminal import say

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Labelled:
    """`inputs` of a task and its `targets`, side by side, from the file `path`.

    `skipped` are (number, reason) of what was left out. `groups` says what inputs belong to that stay together, where
    any do.
    """

    path: Path
    inputs: list
    targets: object
    skipped: list
    groups: list | None = None

    def __len__(self):
        return len(self.inputs)

    def divided(self, share):
        """Return (the rest, about `share` of the inputs): groups, or else single inputs, that a hash of them chooses.

        The same ones whatever comes beside them. Raises `Error` where one of the two would be empty.
        """
        units = self.inputs if self.groups is None else self.groups
        held = np.array([_fraction(unit) < share for unit in units])
        if held.all() or not held.any():
            raise Error(f"{self.path}: of its {len(self)} rows, {held.sum()} would be held back at held_back={share}; "
                        "give another share, or rows of their own with --dev.")
        return self.parted(held)

    def parted(self, held):
        """Return (the rest, the rows where `held`, bool [N], is true)."""
        rest, rows = self._only(np.flatnonzero(~held)), self._only(np.flatnonzero(held))
        return rest, replace(rows, skipped=[])

    def _only(self, rows):
        targets = self.targets[rows] if isinstance(self.targets, np.ndarray) else [self.targets[i] for i in rows]
        return replace(self, inputs=[self.inputs[i] for i in rows], targets=targets,
                       groups=self.groups and [self.groups[i] for i in rows])

    def metadata(self):
        """Return what a card says of the file."""
        return {"file": Path(self.path).name, "rows": len(self), "skipped": len(self.skipped)}


def _fraction(unit):
    """Return a number from 0 to 1 that depends on the unit alone."""
    return int.from_bytes(hashlib.sha256(str(unit).encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64


def number(cell):
    """Return the finite number that a cell of a file holds, nan where it holds none.

    >>> number("2.5"), number("-1e-3"), number("inf"), number("1_000"), number(["3"])
    (2.5, -0.001, nan, nan, nan)
    """
    value = float(cell) if _DECIMAL.fullmatch(str(cell).strip()) else math.nan
    return value if math.isfinite(value) else math.nan


def said(part, unit="line"):
    """Return what was read of a file, after saying how much of it was left out; `unit` is what is counted there."""
    if part.skipped:
        number, reason = part.skipped[0]
        say(f"{part.path}: left out {len(part.skipped)} of its rows, first {unit} {number} ({reason}).")
    return part

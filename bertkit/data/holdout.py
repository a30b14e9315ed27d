"""Which rows of train are held out: a stratified part of them, equal inputs on one side; or K such parts, the folds."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from bertkit.data.inputs import Labelled
from bertkit.tasks.registry import entry_of
from bertkit.tasks.task import Task


def held_out_size(rows: int) -> int:
    """Return how many rows are held out: the larger of a tenth and of the lesser of 40 rows and a fifth.

    Args:
        rows: The rows that there are.

    Returns:
        The number of rows to hold out.

    >>> [held_out_size(rows) for rows in (50, 200, 429, 5000)]
    [10, 40, 43, 500]
    """
    return round(max(rows / 10, min(40, rows / 5)))


def hold_out(strata: Sequence[Hashable], units: Sequence[Hashable], size: int, seed: int = 0) -> np.ndarray:
    """Return which rows are held out, about `size` of them.

    Each stratum gives its share, to the nearest row. Rows of one unit stay on one side, and one unit at least of each
    stratum stays in train: a class of one row is not held out.

    Args:
        strata: of each row, what is to be as frequent on both sides, such as its class; hashable values [N].
        units: of each row, what stays together, such as its text; hashable values [N].
        size: rows to hold out.
        seed: of the choice.

    Returns:
        bool [N], True for the rows held out; all False where no stratum can spare a unit.

    >>> hold_out(["a"] * 8 + ["b"] * 4 + ["c"], range(13), 3).tolist().count(True)
    3
    """
    members, layers = _gathered(strata, units, seed)
    spare = {layer: sum(len(members[unit]) for unit in found) for layer, found in layers.items() if len(found) > 1}
    held = np.zeros(len(strata), bool)
    for layer, quota in _shares(spare, size).items():
        for unit in layers[layer][:-1]:                 # the last one stays
            if len(members[unit]) <= quota:
                held[members[unit]] = True
                quota -= len(members[unit])
    return held


def folds(strata: Sequence[Hashable], units: Sequence[Hashable], count: int, seed: int = 0) -> np.ndarray:
    """Return the fold of each row: each row is held out once (see `hold_out`).

    Each unit of a stratum goes to the fold that has the fewest rows of it.

    Args:
        strata: As in `hold_out`, [N].
        units: As in `hold_out`, [N].
        count: The number of folds.
        seed: Of the choice.

    Returns:
        int64 [N], the number of each row's fold, from 0.

    >>> np.bincount(folds(["a"] * 6 + ["b"] * 3, range(9), 3)).tolist()
    [3, 3, 3]
    """
    members, layers = _gathered(strata, units, seed)
    found, sizes = np.zeros(len(strata), int), np.zeros(count, int)
    for layer in layers.values():
        own = np.zeros(count, int)
        for unit in layer:
            fold = np.lexsort((sizes, own))[0]          # fewest rows of the stratum, then fewest of all
            found[members[unit]] = fold
            own[fold] += len(members[unit])
            sizes[fold] += len(members[unit])
    return found


def _gathered(strata, units, seed):
    """Return ({unit: its rows}, {stratum: its units in random order}); a unit belongs to its first row's stratum."""
    members = defaultdict(list)
    for row, unit in enumerate(units):
        members[unit].append(row)
    layers = defaultdict(list)
    for unit in members:
        layers[strata[members[unit][0]]].append(unit)
    chance = np.random.default_rng(seed)
    return members, {layer: [found[i] for i in chance.permutation(len(found))] for layer, found in layers.items()}


def _shares(counts, size):
    """Return {stratum: its part of `size`}, as `counts` are, by largest remainders (Hamilton's method)."""
    total = sum(counts.values())
    exact = {layer: size * count / total for layer, count in counts.items()}
    found = {layer: int(share) for layer, share in exact.items()}
    by_rest = sorted(exact, key=lambda layer: exact[layer] - found[layer], reverse=True)
    for layer in by_rest[:min(size, total) - sum(found.values())]:
        found[layer] += 1
    return found


def strata(task: Task, targets: Any) -> list:
    """Return what is to be as frequent among the rows held out as among all: [N] hashable values.

    The class of a row, the rarest of its classes, the fifth that its score is in, the rarest type among its entities,
    whether it has an answer (see `tasks.own`); nothing for other tasks.

    Args:
        task: The task.
        targets: The targets of its rows.

    Returns:
        One value for each row.
    """
    found = entry_of(task).part("strata")
    return [0] * len(targets) if found is None else found(targets)


def units(task: Task, labelled: Labelled) -> list:
    """Return what of each row stays on one side: its group, its context or prompt, or all of its texts.

    Args:
        task: The task.
        labelled: Its rows.

    Returns:
        One value for each row; rows of one value stay together.
    """
    if labelled.groups is not None:
        return labelled.groups
    unit = entry_of(task).part("unit") or (lambda given: given if isinstance(given, str) else tuple(given))
    return [unit(given) for given in labelled.inputs]

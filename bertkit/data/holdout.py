"""Which rows of train are held out: a stratified part of them, equal inputs on one side; or K such parts, the folds."""

from collections import Counter, defaultdict

import numpy as np

BINS = 5            # ranges that scores are sorted into, each with as many rows, to be held out in equal shares


def held_out_size(rows: int) -> int:
    """Return how many of `rows` are held out: the larger of a tenth and of the lesser of 40 rows and a fifth.

    >>> [held_out_size(rows) for rows in (50, 200, 429, 5000)]
    [10, 40, 43, 500]
    """
    return round(max(rows / 10, min(40, rows / 5)))


def hold_out(strata, units, size: int, seed: int = 0) -> np.ndarray:
    """Return which rows are held out, about `size` of them, bool [N].

    Each stratum gives its share, to the nearest row. Rows of one unit stay on one side, and one unit at least of each
    stratum stays in train: a class of one row is not held out.

    Args:
        strata: of each row, what is to be as frequent on both sides, such as its class; hashable values [N].
        units: of each row, what stays together, such as its text; hashable values [N].
        size: rows to hold out.
        seed: of the choice.

    Returns:
        True for the rows held out; all False where no stratum can spare a unit.

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


def folds(strata, units, count: int, seed: int = 0) -> np.ndarray:
    """Return the fold of each row, int [N] from 0 to `count` - 1: each row is held out once (see `hold_out`).

    Each unit of a stratum goes to the fold that has the fewest rows of it.

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


def strata(task, targets) -> list:
    """Return what is to be as frequent among the rows held out as among all: [N] hashable values.

    The class of a row, the rarest of its classes, the fifth that its score is in, the rarest type among its entities,
    whether it has an answer; nothing for other tasks.
    """
    if getattr(task, "multi_label", False):
        return _rarest([np.flatnonzero(target).tolist() for target in targets])
    if task.name in ("classify", "long_documents"):
        return np.asarray(targets).tolist()
    if task.name == "score":
        return np.searchsorted(np.quantile(targets, np.arange(1, BINS) / BINS), targets, side="right").tolist()
    if task.name == "tag":
        return _rarest([{tag[2:] for tag in tags if tag != "O"} for tags in targets])
    if task.name == "answer":
        return [bool(answers) for answers in targets]
    return [0] * len(targets)


def _rarest(rows):
    """Return of each row, some values, the one that the fewest rows have; None of an empty row."""
    counts = Counter(value for row in rows for value in row)
    return [min(row, key=lambda value: (counts[value], value), default=None) for row in rows]


def units(task, labelled) -> list:
    """Return what of each row stays on one side: its group, its context or prompt, or all of its texts."""
    if labelled.groups is not None:
        return labelled.groups
    if task.name == "answer":
        return [context for _, context in labelled.inputs]
    if task.name == "choose":
        return [given[0] for given in labelled.inputs]
    return [given if isinstance(given, str) else tuple(given) for given in labelled.inputs]

"""What differs: the reference first, then every known fault; the one that leaves no difference is its name."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bertkit.doctor.answers import steady
from bertkit.doctor.case import Case
from bertkit.doctor.comparison import limit_of
from bertkit.doctor.faults import Mutant, in_one_layer, mutants
from bertkit.doctor.probes import probes, settings_of
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import POSTNORM
from bertkit.doctor.several import composed, several
from bertkit.doctor.world import SHORT, World

GOLDEN = (math.sqrt(5) - 1) / 2
# A mutant explains a difference if it leaves less than this share of it; below the limit it must be as well.
EXPLAINS = 0.5
# Numbers that the faults of single layers may cost for each token; a second or so.
AFFORDABLE = 2e9
# Points of the first look at a fault with a number, and how many of the best faults are looked at again.
GRID, AGAIN = 17, 8
# The search ends where a fault leaves nothing but rounding; faults that look alike stand together.
ORGAN = 60


@dataclass(frozen=True)
class Diagnosis:
    """What the answers of a subject say about what it computes.

    Args:
        difference: Of the reference, as a share of the largest entry.
        limit: What it is held to.
        where: The inputs and the output that show it.
        encoder: What equals the subject: the reference, a mutant, or None.
        mutant: The fault that explains the difference; None where there is none or nothing explains it.
        left: The difference that the fault leaves.
        tried: How many faults were tried.
        more: Further faults, where several together explain the difference.
    """
    difference: float
    limit: float
    where: str
    encoder: Encoder | None
    mutant: Mutant | None = None
    left: float = 0.0
    tried: int = 0
    more: tuple[Mutant, ...] = ()

    @property
    def faults(self) -> tuple[Mutant, ...]:
        """The faults that explain the difference together."""
        return () if self.mutant is None else (self.mutant, *self.more)

    def of(self, check: str) -> list[Mutant]:
        """Return the faults of a check.

        Args:
            check: The name of the check.

        Returns:
            The faults, an empty list where there are none.
        """
        return [fault for fault in self.faults if fault.check == check]

    def named(self, check: str) -> str:
        """Return what the faults of a check are, as a sentence.

        Args:
            check: The name of a check that has some.

        Returns:
            The sentence.
        """
        what, others = " and ".join(fault.what for fault in self.of(check)), len(self.faults) - len(self.of(check))
        beside = f"with this and {others} other fault{'s' * (others > 1)}" if others else "with this fault alone"
        return f"It {what}: an encoder {beside} gives the same answers."


def diagnose(made: World, known: Iterable[Mutant] = (), deep: bool = True) -> Diagnosis:
    """Say what a subject computes.

    Args:
        made: The subject beside its reference.
        known: Faults that the subject is known to have, and are not named again.
        deep: Whether to try also faults with a number, and of single layers.

    Returns:
        The `Diagnosis`.
    """
    limit = limit_of(made.case)
    made.reference = composed(made.reference, known)
    gaps = {what: made.apart(made.reference, what) for what in made.answers}
    worst = max(gaps, key=lambda what: gaps[what].share)
    found = gaps[worst]
    where = f"{worst}, {found.where}" + (f" ({found.said})" if found.said else "")
    if found.share <= limit:
        return Diagnosis(found.share, limit, where, made.reference)
    every = mutants(made.settings, made.case.precision)
    short = gaps[SHORT].share > limit
    if not short and made.screen != SHORT:              # the longest row costs too much for all of them
        every = [mutant for mutant in every if mutant.check in ("positions", "lengths", "precision")]
    mutant, left = _Search(made, made.screen if short else worst, min(found.share, 1e9), limit).explained(every, deep)
    encoder = None if mutant is None else mutant.of(made.reference)
    return Diagnosis(found.share, limit, where, encoder, mutant, left, len(every))


class _Search:
    """The search for the fault that explains a difference; all faults are screened on one batch."""

    def __init__(self, made, screen, difference, limit):
        self.made, self.screen, self.difference, self.limit = made, screen, difference, limit
        self.bound = min(limit, EXPLAINS * difference)

    def explained(self, every, deep):
        """Return the fault, and what it leaves; (None, the difference) where none leaves little."""
        best = self.best([mutant for mutant in every if mutant.range is None])
        if best is None and deep:
            best = self.best([self.searched(mutant) for mutant in every if mutant.range is not None])
        if best is None and deep and self.screen != "longest":
            alone = in_one_layer(every, self.made.settings)
            numbers = 12 * self.made.settings.layers * self.made.settings.hidden ** 2
            best = self.best(alone) if len(alone) * numbers < AFFORDABLE else None
        return best or (None, self.difference)

    def left(self, mutant, what=None):
        """Return what a fault leaves on a batch; a fault that mixes rows is looked at on all rows."""
        mixes = mutant.check == "batch" or "batch" in mutant.what
        what = what or (SHORT if mixes and self.screen != "longest" else self.screen)
        return self.made.apart(mutant.of(self.made.reference), what).share

    def best(self, tried):
        """Return (fault, what it leaves) of the first of the best that explains the answers to all batches, or None."""
        first = []
        for number, mutant in enumerate(tried):
            first.append((self.left(mutant), number))
            if number % ORGAN == 0 and min(first)[0] <= min(0.1 * self.limit, 0.01 * self.difference):
                break
        near = [number for share, number in sorted(first) if share <= self.bound][:AGAIN]
        good = {}
        for number in near:
            share = 0.0
            for what in self.made.answers:
                share = max(share, self.left(tried[number], what)) if share <= self.bound else share
            if share <= self.bound:
                good[number] = share
        if not good:
            return None
        least = min(good.values())
        chosen = min(number for number, share in good.items() if share <= 1.5 * least + 1e-9)
        return tried[chosen], good[chosen]

    def searched(self, mutant):
        """Return a fault with the number that leaves least: a grid, then golden sections where there is a dip."""
        low, high, methods = mutant.range

        def at(share):
            value = low * (high / low) ** share
            return Mutant(mutant.check, f"{mutant.what}: {value:.6g}", dict(methods(value)))

        grid = np.linspace(0, 1, GRID)
        values = [self.left(at(share)) for share in grid]
        best = int(np.argmin(values))
        if values[best] > 0.9 * self.difference:
            return at(grid[best])
        a, b = grid[max(best - 1, 0)], grid[min(best + 1, GRID - 1)]
        c = d = left = right = 0.0
        for _ in range(42):
            c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
            left, right = self.left(at(c)), self.left(at(d))
            a, b = (a, d) if left < right else (c, b)
            if min(left, right) <= 0.05 * self.limit or b - a < 1e-9:
                break
        return at(c if left < right else d)


def has_reference(case: Case) -> bool:
    """Return whether there is an independent encoder for a case.

    Args:
        case: The case.

    Returns:
        Whether its weights are given and its family is one that the reference computes.
    """
    return case.weights is not None and settings_of(case).family in POSTNORM


def world(case: Case) -> World:
    """Return the subject with the weights that it was given, and its answers.

    Args:
        case: The case.

    Returns:
        The `World`, made once.

    Raises:
        Exception: What the subject raises.
    """
    assert case.subject is not None and case.weights is not None
    subject, weights = case.subject, case.weights
    return case.once("world", lambda: World(case, subject, weights, probes(case)))


def diagnosis(case: Case) -> Diagnosis:
    """Return what the subject computes with the weights that it was given.

    Args:
        case: The case.

    Returns:
        The `Diagnosis`, made once.

    Raises:
        Exception: What the subject raises.
    """
    def make():
        if not steady(case):
            return _unsteady(world(case))
        found = diagnose(world(case))
        return found if found.encoder is not None or case.build is None else _together(case, found)
    return case.once("diagnosis", make)


def _together(case, found):
    """Return a diagnosis of several faults, where no fault alone explains a difference; else the same."""
    set_of = several(case, world(case))
    if set_of is None:
        return found
    faults, left = set_of
    return replace(found, encoder=composed(world(case).reference, faults), mutant=faults[0], more=faults[1:], left=left)


def _unsteady(made):
    """Return the difference from the reference; what differs at each call is not searched for."""
    found = made.apart(made.reference, SHORT)
    return Diagnosis(found.share, limit_of(made.case), f"{SHORT}, {found.where}", None)


def telling(settings: Any, check: str) -> list[Mutant]:
    """Return the faults that weights must show for a check to be called healthy.

    Args:
        settings: The encoder's `Settings`.
        check: The name of the check.

    Returns:
        The mutants.
    """
    return [mutant for mutant in mutants(settings, "float32") if mutant.check == check and mutant.telling]

"""What differs: the reference first, then every known fault; the one that leaves no difference is its name."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.doctor.case import Batch, Case, Outputs, Weights
from bertkit.doctor.comparison import Gap, gap, limit_of
from bertkit.doctor.faults import Mutant, in_one_layer, mutants
from bertkit.doctor.probes import probes, settings_of
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import POSTNORM

GOLDEN = (math.sqrt(5) - 1) / 2
# A mutant explains a difference if it leaves less than this share of it; below the limit it must be as well.
EXPLAINS = 0.2
SHORT = "mixed"
# Numbers that the faults of single layers may cost for each token; a second or so.
AFFORDABLE = 2e9


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
    """
    difference: float
    limit: float
    where: str
    encoder: Encoder | None
    mutant: Mutant | None = None
    left: float = 0.0
    tried: int = 0


class World:
    """A subject with weights, and its answers to the batches of an examination.

    Args:
        case: The case.
        subject: The subject, which computes with `weights`.
        weights: {name in a bare encoder: array of any shape and dtype}.
        batches: {what: int [B,T] each}.
    """

    def __init__(self, case: Case, subject: Callable[[Batch], Outputs], weights: Weights,
                 batches: Mapping[str, Batch]) -> None:
        self.case, self.settings, self.batches = case, settings_of(case), dict(batches)
        self.answers = {}
        for what, batch in batches.items():
            try:
                self.answers[what] = subject(batch)
            except Exception:
                if what == SHORT:
                    raise
        one = self.answers[SHORT]
        self.wanted = tuple(one)
        self.token_logits = "logits" in one and np.ndim(one["logits"]) == 3
        self.reference = Encoder(self.settings, weights, _precision(self.settings),
                                 bool(case.config.get("tie_word_embeddings", True)))

    def computed(self, encoder: Encoder, what: str) -> Outputs:
        """Return what an encoder answers to one of the batches.

        Args:
            encoder: The reference or a mutant.
            what: The name of the batch.

        Returns:
            {name: float array}.
        """
        with np.errstate(all="ignore"):
            return encoder(self.batches[what], self.wanted, self.token_logits)

    def apart(self, encoder: Encoder, what: str) -> Gap:
        """Return how far the subject is from an encoder.

        Args:
            encoder: The reference or a mutant.
            what: The name of the batch.

        Returns:
            The `Gap`; infinite where the encoder cannot compute.
        """
        try:
            found = self.computed(encoder, what)
        except Exception as error:
            return Gap(np.inf, "", f"{type(error).__name__}")
        return gap(self.answers[what], found, self.batches[what])

    def diagnose(self, known: Mutant | None = None) -> Diagnosis:
        """Say what the subject computes.

        Args:
            known: A fault that the subject is known to have, and is not named again; or None.

        Returns:
            The `Diagnosis`.
        """
        limit = limit_of(self.case)
        if known is not None:
            self.reference = known.of(self.reference)
        gaps = {what: self.apart(self.reference, what) for what in self.answers}
        worst = max(gaps, key=lambda what: gaps[what].share)
        found = gaps[worst]
        where = f"{worst}, {found.where}" + (f" ({found.said})" if found.said else "")
        if found.share <= limit:
            return Diagnosis(found.share, limit, where, self.reference)
        shown = [what for what in gaps if gaps[what].share > limit]
        every = mutants(self.settings, self.case.precision)
        if shown[0] != SHORT:
            every = [mutant for mutant in every if mutant.check in ("positions", "lengths", "precision")]
        mutant, left = self._explained(every, shown, limit, min(found.share, 1e9))
        encoder = None if mutant is None else mutant.of(self.reference)
        return Diagnosis(found.share, limit, where, encoder, mutant, left, len(every))

    def _explained(self, every, shown, limit, difference):
        """Return the fault that leaves least, and what it leaves; (None, the difference) where none leaves little."""
        best = self._best([mutant for mutant in every if mutant.range is None], shown, limit, difference)
        if best is None:
            best = self._best([self._searched(mutant, shown[0], limit) for mutant in every if mutant.range is not None],
                              shown, limit, difference)
        if best is None and shown[0] == SHORT:
            alone = in_one_layer(every, self.settings)
            affordable = len(alone) * 12 * self.settings.layers * self.settings.hidden ** 2 < AFFORDABLE
            best = self._best(alone, shown, limit, difference) if affordable else None
        return best or (None, difference)

    def _best(self, tried, shown, limit, difference):
        """Return (fault, what it leaves) of the one of these faults that explains all answers, or None."""
        rank = {id(mutant): number for number, mutant in enumerate(tried)}
        left = {id(mutant): self.apart(mutant.of(self.reference), shown[0]).share for mutant in tried}
        return self._confirmed(sorted(tried, key=lambda mutant: left[id(mutant)]), left, limit, difference, rank)

    def _confirmed(self, ordered, left, limit, difference, rank):
        """Return (fault, what it leaves) of the first that explains the answers to all batches."""
        bound = min(limit, EXPLAINS * difference)
        near = [mutant for mutant in ordered if left[id(mutant)] <= bound]
        worst = {}
        for mutant in near[:12]:
            worst[id(mutant)] = max(self.apart(mutant.of(self.reference), what).share for what in self.answers)
        good = [mutant for mutant in near[:12] if worst[id(mutant)] <= bound]
        if not good:
            return None
        least = min(worst[id(mutant)] for mutant in good)
        tied = [mutant for mutant in good if worst[id(mutant)] <= 1.5 * least + 1e-9]
        chosen = min(tied, key=lambda mutant: rank.get(id(mutant), 0))
        return chosen, worst[id(chosen)]

    def _searched(self, mutant, what, limit):
        """Return a fault with the number that leaves least: a grid, then golden sections."""
        low, high, methods = mutant.range

        def point(share):
            return low * (high / low) ** share

        def left(share):
            return self.apart(self.reference.changed(**methods(point(share))), what).share

        grid = np.linspace(0, 1, 25)
        values = [left(share) for share in grid]
        at = int(np.argmin(values))
        a, b = grid[max(at - 1, 0)], grid[min(at + 1, 24)]
        c, d = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
        at_c, at_d = left(c), left(d)
        for _ in range(40):
            if at_c < at_d:
                b, d, at_d = d, c, at_c
                c = b - GOLDEN * (b - a)
                at_c = left(c)
            else:
                a, c, at_c = c, d, at_d
                d = a + GOLDEN * (b - a)
                at_d = left(d)
            if min(at_c, at_d) <= 0.05 * limit or b - a < 1e-9:
                break
        value = point(c if at_c < at_d else d)
        return Mutant(mutant.check, f"{mutant.what}: {value:.6g}", dict(methods(value)))


def _precision(settings):
    """Return float64 where it costs little, else float32."""
    return np.float64 if settings.hidden ** 2 * 12 * settings.layers < 4e7 else np.float32


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
    return case.once("world", lambda: World(case, case.subject, case.weights, probes(case)))


def diagnosis(case: Case) -> Diagnosis:
    """Return what the subject computes with the weights that it was given.

    Args:
        case: The case.

    Returns:
        The `Diagnosis`, made once.

    Raises:
        Exception: What the subject raises.
    """
    return case.once("diagnosis", lambda: world(case).diagnose())


def telling(settings: Any, check: str) -> list[Mutant]:
    """Return the faults that weights must show for a check to be called healthy.

    Args:
        settings: The encoder's `Settings`.
        check: The name of the check.

    Returns:
        The mutants.
    """
    return [mutant for mutant in mutants(settings, "float32") if mutant.check == check and mutant.telling]

"""Faults of the padding mask, and of rows that are mixed."""

import numpy as np

from bertkit.doctor.faults import Faults, Mutant
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import Settings


def faults(settings: Settings) -> Faults:
    """Return the faults of the padding mask.

    Args:
        settings: The encoder's `Settings`.

    Yields:
        Mutants of `padding`, `mask-source`, `mask-strength` and `batch`.
    """
    def blind(self, ids, mask):
        return Encoder.seen(self, ids, np.ones_like(mask))

    def from_ids(rule):
        return {"seen": lambda self, ids, mask: Encoder.seen(self, ids, rule(ids, mask))}

    yield Mutant("padding", "does not use the padding mask", {"seen": blind}, telling=True)
    yield Mutant("mask-source", "takes ids > 0 for the mask", from_ids(lambda ids, mask: ids > 0), telling=True)
    yield Mutant("mask-source", f"takes ids != {settings.pad} for the mask",
                 from_ids(lambda ids, _: ids != settings.pad))
    yield Mutant("mask-source", f"takes ids != {settings.pad} for the mask, and never masks the first token", from_ids(
        lambda ids, _: (ids != settings.pad) | (np.arange(ids.shape[1]) == 0)))
    yield Mutant("mask-source", "needs both the mask and an id that is not padding",
                 from_ids(lambda ids, mask: (ids != settings.pad) & (mask > 0)))
    yield Mutant("padding", "hides the real tokens and shows the padding", from_ids(lambda ids, mask: mask == 0))
    yield Mutant("padding", "masks queries in the place of keys",
                 {"seen": lambda self, ids, mask: np.swapaxes(Encoder.seen(self, ids, mask), -1, -2)})
    yield Mutant("padding", "takes the number of real tokens for a mask of the first ones",
                 from_ids(lambda ids, mask: np.arange(ids.shape[1]) < mask.sum(1, keepdims=True)))
    for what, some in (("first", lambda i, last: i == 0), ("last", lambda i, last: i == last)):
        yield Mutant("padding", f"uses the padding mask in the {what} layer alone", {"block": _only(some, settings)})
    yield from _strengths()
    yield Mutant("batch", "lets a token attend to the other rows of the batch", {"attend": _across})


def _only(some, settings):
    """Return a block that sees the mask in some layers."""
    last = settings.layers * settings.repeated - 1

    def block(self, x, seen, i):
        return Encoder.block(self, x, seen if some(i, last) else np.ones_like(seen), i)
    return block


def _strengths():
    """Yield masks that only weaken what they should hide."""
    yield Mutant("mask-strength", "adds the mask to the scores as 0 and 1",
                 {"masked": lambda self, scores, seen: scores + seen})
    yield Mutant("mask-strength", "multiplies the scores by the mask",
                 {"masked": lambda self, scores, seen: scores * seen},
                 telling=True)
    yield Mutant("mask-strength", "adds a number under the mask that is too small", {}, range=(
        -200.0, -0.5, lambda value: {"masked": lambda self, scores, seen: scores + np.where(seen, 0, value)}))


def _across(self, x, seen, i):
    """Attend over the first axis, as where batch_first is not set."""
    return Encoder.attend(self, x.swapaxes(0, 1), seen[:, 0, 0].T[:, None, None], i).swapaxes(0, 1)

"""Known faults, each as a change of one organ of the reference: *mutants*, which tell what differs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import Settings


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Args:
        check: The check that names it.
        what: What the encoder does instead, after "it".
        methods: Functions in place of the reference's, or attributes (see `Encoder.changed`).
        telling: Whether weights must show this one for the check to be called healthy.
        range: (lowest, highest, `methods(value)`) of a fault with a number that is searched for; None where it has none.
    """
    check: str
    what: str
    methods: Mapping[str, Any]
    telling: bool = False
    range: tuple[float, float, Callable[[float], Mapping[str, Any]]] | None = None

    def of(self, encoder: Encoder) -> Encoder:
        """Return an encoder with this fault.

        Args:
            encoder: The encoder without it.

        Returns:
            The mutant.
        """
        return encoder.changed(**self.methods)


def mutants(settings: Settings, precision: str) -> list[Mutant]:
    """Return all known faults of an encoder of these sizes, the common ones of each organ first.

    Args:
        settings: The encoder's `Settings`.
        precision: What the encoder computes in.

    Returns:
        The mutants.
    """
    from bertkit.doctor.faults import attention, blocks, inputs, masks, norms, outputs, rounding
    found: list[Mutant] = []
    for organ in (masks, attention, norms, blocks, inputs, outputs):
        found += organ.faults(settings)
    return [*found, *rounding.faults(precision)]


Faults = Iterator[Mutant]

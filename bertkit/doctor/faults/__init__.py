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
        range: (lowest, highest, `methods(value)`) of a fault with a number that is searched for; None for the others.
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


def in_one_layer(known: list[Mutant], settings: Settings) -> list[Mutant]:
    """Return faults of a block that stand in one layer alone.

    Args:
        known: Faults of all layers.
        settings: The encoder's `Settings`.

    Returns:
        Each of them for each layer.
    """
    inside = [mutant for mutant in known if mutant.range is None and mutant.check in BLOCK]
    return [_alone(mutant, i) for i in range(settings.layers * settings.repeated) for mutant in inside]


def _alone(mutant, layer):
    """Return a fault whose organ acts in one layer, the others being as they should be."""
    def block(self, x, seen, i):
        if i != layer:
            return Encoder.block(self, x, seen, i)
        ill = Encoder.changed(self, block=Encoder.block).changed(**mutant.methods)
        return ill.block(x, seen, i)
    return Mutant(mutant.check, f"{mutant.what}, in layer {layer} alone", {"block": block})


BLOCK = ("padding", "mask-strength", "attention-scale", "attention-softmax", "attention-heads", "projections",
         "layer-norm", "layer-norm-eps", "activation", "residual")
Faults = Iterator[Mutant]

"""The checks of a block: activation, residual, layers."""

import numpy as np

from bertkit.doctor import operations
from bertkit.doctor.case import Case
from bertkit.doctor.comparison import MOVES
from bertkit.doctor.finding import Measured, healthy, ill
from bertkit.doctor.organs import by_reference


def activation(case: Case) -> Measured:
    """Judge the activation of the feed-forward network, such as x · Φ(x) (arXiv 1606.08415) for gelu.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants with other activations.
    """
    return by_reference(case, "activation", _swept)


def _swept(case):
    """Where nothing explains a difference: let the activation act alone, on numbers from -4 to 4."""
    if case.build is None:
        return None
    _, silent = operations.silenced(case, "output", "outer")
    _, swept = operations.swept(case)
    numbers = {"difference": swept.difference, "limit": swept.limit, "without_blocks": silent.difference}
    if silent.difference > silent.limit or swept.mutant is not None and swept.mutant.check != "activation":
        return None
    if swept.difference <= swept.limit:
        return healthy("", **numbers)
    said = "no activation that is known" if swept.mutant is None else f"it {swept.mutant.what}"
    return ill(f"The feed-forward network alone, on numbers from -4 to 4, computes another function: {said}.",
               **numbers)


def residual(case: Case) -> Measured:
    """Judge the wiring of a block: x = norm(x + attention(x)), then x = norm(x + feed_forward(x)).

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants that normalise before, add elsewhere or scale what is added.
    """
    return by_reference(case, "residual", _traceless)


def _traceless(case):
    """Where nothing explains a difference: without blocks, words must leave their trace, by the residual alone."""
    if case.build is None:
        return None
    made, _ = operations.silenced(case, "output", "outer")
    if "sequence" not in made.answers["mixed"]:
        return None
    x = made.answers["mixed"]["sequence"][made.batches["mixed"]["padding_mask"] > 0].astype(np.float64)
    moved = float(np.abs(x - x[:1]).max() / max(np.abs(x).max(), 1e-30))
    if moved > MOVES:
        return None
    return ill("Where attention and feed-forward network add nothing, all words have the same vector: there is no "
               "residual.", words_differ_by=moved, limit=MOVES)


def layers(case: Case) -> Measured:
    """Judge the order of layers: 0, 1, 2 ... each once, with its own weights.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants that permute, repeat and leave out layers.
    """
    return by_reference(case, "layers")

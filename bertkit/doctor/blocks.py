"""The checks of a block: activation, residual, layers."""

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured
from bertkit.doctor.organs import by_reference


def activation(case: Case) -> Measured:
    """Judge the activation of the feed-forward network, such as x · Φ(x) (arXiv 1606.08415) for gelu.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants with other activations.
    """
    return by_reference(case, "activation")


def residual(case: Case) -> Measured:
    """Judge the wiring of a block: x = norm(x + attention(x)), then x = norm(x + feed_forward(x)).

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants that normalise before, add elsewhere or scale what is added.
    """
    return by_reference(case, "residual")


def layers(case: Case) -> Measured:
    """Judge the order of layers: 0, 1, 2 ... each once, with its own weights.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants that permute, repeat and leave out layers.
    """
    return by_reference(case, "layers")

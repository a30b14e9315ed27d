"""The checks of LayerNorm."""

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured
from bertkit.doctor.organs import by_reference


def layer_norm(case: Case) -> Measured:
    """Judge y = γ · (x - mean) / √(variance + ε) + β, the variance being the mean of squares (arXiv 1607.06450).

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants with other means, variances, gammas and betas.
    """
    return by_reference(case, "layer-norm")


def layer_norm_eps(case: Case) -> Measured:
    """Judge ε of every LayerNorm, with weights that make the variances as small as ε (`operations.small`).

    Args:
        case: The case.

    Returns:
        The verdict; unknown where ε is far below the variances and the subject cannot be rebuilt.
    """
    return by_reference(case, "layer-norm-eps")

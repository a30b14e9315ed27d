"""The checks of LayerNorm."""

import numpy as np

from bertkit.doctor import operations
from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, ill, suspect
from bertkit.doctor.organs import by_reference


def layer_norm(case: Case) -> Measured:
    """Judge y = γ · (x - mean) / √(variance + ε) + β, the variance being the mean of squares (arXiv 1607.06450).

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants with other means, variances, gammas and betas.
    """
    return by_reference(case, "layer-norm", _bare)


def _bare(case):
    """Where nothing explains a difference: without blocks, gamma 1 and beta 0, each token has mean 0 and variance 1."""
    if case.build is None:
        return None
    made, found = operations.bare(case)
    if "sequence" not in made.answers["mixed"]:
        return None
    x = made.answers["mixed"]["sequence"][made.batches["mixed"]["padding_mask"] > 0].astype(np.float64)
    numbers = {"mean": float(np.abs(x.mean(-1)).max()), "variance_from_1": float(np.abs(x.var(-1) - 1).max()),
               "limit": 10 * found.limit, "difference": found.difference}
    other = found.mutant is not None and found.mutant.check != "layer-norm"
    if other or found.difference <= found.limit or max(numbers["mean"], numbers["variance_from_1"]) <= numbers["limit"]:
        return None
    said = "With gamma 1 and beta 0, and without blocks, tokens do not have mean 0 and variance 1."
    near = max(numbers["mean"], numbers["variance_from_1"]) < 0.5
    return (ill if near else suspect)(said if near else f"{said} They may not be normalised at all.", **numbers)


def layer_norm_eps(case: Case) -> Measured:
    """Judge ε of every LayerNorm, with weights that make the variances as small as ε (`operations.small`).

    Args:
        case: The case.

    Returns:
        The verdict; unknown where ε is far below the variances and the subject cannot be rebuilt.
    """
    return by_reference(case, "layer-norm-eps")

"""How far two sets of outputs are apart, and how far they may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.doctor.case import Batch, Case
from bertkit.doctor.finding import Measured, ill, suspect

# What moves by more than MOVES moves in any precision: two calls give the same bits.
# Shares of the largest entry. Eight bits have 256 steps, and errors of layers add up.
MOVES = 2e-5
LIMITS = {"float32": 2e-5, "float16": 2e-2, "bfloat16": 1e-1, "int8": 2.5e-1}


@dataclass(frozen=True)
class Gap:
    """The largest difference of two sets of outputs at real positions.

    Args:
        share: The difference, as a share of the output's largest entry; infinite where shapes
            differ, where one is not finite, or where nothing can be compared.
        where: The output that shows it.
        said: What differs, where it is not a number.
    """
    share: float
    where: str = ""
    said: str = ""


def limit_of(case: Case) -> float:
    """Return the largest share of the largest entry that two right answers may differ by.

    Args:
        case: The case.

    Returns:
        The limit for its precision.
    """
    return LIMITS.get(case.precision, LIMITS["float32"])


def unmoved(case: Case, message: str, **numbers: Any) -> Measured:
    """Say that nothing moved what should move: sure in float32 alone, since steps of other precisions may hide it.

    Args:
        case: The case.
        message: One sentence.
        **numbers: What was measured.

    Returns:
        "ill" or "suspect".
    """
    return (ill if case.precision == "float32" else suspect)(message, **numbers)


def gap(one: Mapping[str, Any], two: Mapping[str, Any], batch: Batch, real: np.ndarray | None = None) -> Gap:
    """Compare two sets of outputs at real positions.

    Args:
        one: {name: float array or list of them}.
        two: The same; its largest entry is the measure.
        batch: The batch that both answer, int [B,T] each.
        real: Which positions to compare, bool [B,T]; None for those of the padding mask.

    Returns:
        The largest `Gap` of the outputs that both have.
    """
    real = np.asarray(batch["padding_mask"]) > 0 if real is None else real
    worst = Gap(-1.0)
    for name in [name for name in one if name in two]:
        pairs = zip(one[name], two[name], strict=False) if isinstance(one[name], list) else [(one[name], two[name])]
        for a, b in pairs:
            found = _gap(np.asarray(a, np.float64), np.asarray(b, np.float64), real, name)
            if not found.share <= worst.share:
                worst = found
    return worst if worst.share >= 0 else Gap(np.inf, "", "no output that both have")


def _gap(a, b, real, name):
    if a.shape != b.shape:
        return Gap(np.inf, name, f"shape {a.shape}, wanted {b.shape}")
    if name == "attentions":
        keep = np.broadcast_to(real[:, None, :, None], a.shape)
    elif a.ndim >= 3:
        keep = np.broadcast_to(real[..., None], a.shape)
    else:                                           # a vector of the first token means something where that is real
        keep = np.broadcast_to(real[:, :1], a.shape)
    a, b = a[keep], b[keep]
    if not a.size:
        return Gap(0.0, name)
    if not np.isfinite(a).all() or not np.isfinite(b).all():
        same = np.isfinite(a) == np.isfinite(b)
        return Gap(0.0 if same.all() and not np.isfinite(a).any() else np.inf, name, "not finite")
    return Gap(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)), name)

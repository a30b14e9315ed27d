"""Shares of rows that were counted, and whether two counts differ by more than chance does."""

import math
from statistics import NormalDist

from bertkit.errors import Error


def wilson(count: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share.

    With p = count / total and z the quantile of the normal distribution at (1 + level) / 2:
    (p + z² / 2n ± z √(p (1 − p) / n + z² / 4n²)) / (1 + z² / n). Source: Wilson 1927. Unlike p ± z √(p (1 − p) / n) it
    stays between 0 and 1, and has a width where all or none of the rows count.

    Args:
        count: number of rows that count.
        total: number n of all rows.
        level: share of such intervals that hold the true share, between 0 and 1.

    Returns:
        (low, high), two floats between 0 and 1.

    Raises:
        Error: when `total` is below 1, `count` is not between 0 and `total`, or `level` is not between 0 and 1.

    Example:
        >>> [round(end, 4) for end in wilson(8, 10)]
        [0.4902, 0.9433]
    """
    if not 0 <= count <= total or total < 1 or not 0 < level < 1:
        raise Error(f"{count} of {total} rows at level {level} give no interval; give at least one row, no more that "
                    "count than there are, and a level between 0 and 1.")
    z, share = NormalDist().inv_cdf((1 + level) / 2), count / total
    center = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low, high = ((center + sign * half) / (1 + z * z / total) for sign in (-1, 1))
    return (0.0 if count == 0 else low), (1.0 if count == total else high)


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p of McNemar's test: how often chance alone parts the rows at least so unequally.

    p = min(1, 2 Σ_{i ≤ min(a, b)} C(a + b, i) / 2^(a + b)): the rows that only one model has right are right with
    either of them equally often if the models are equally good. Source: McNemar 1947; the exact form is the sign test.

    Args:
        only_a: number of rows that the first model alone has right.
        only_b: number of rows that the second model alone has right.

    Returns:
        p, a float above 0, at most 1; 1 where no row counts.

    Raises:
        Error: when a count is below 0.

    Example:
        >>> mcnemar(1, 5)
        0.21875
    """
    if min(only_a, only_b) < 0:
        raise Error(f"counts of {only_a} and {only_b} rows came; give numbers of 0 or more.")
    total, term, below = only_a + only_b, 1, 1
    for chosen in range(1, min(only_a, only_b) + 1):
        term = term * (total - chosen + 1) // chosen            # C(total, chosen)
        below += term
    return min(1.0, 2 * below / 2**total)

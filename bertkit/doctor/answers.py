"""What a subject answers, asked once: to a plain batch twice, and to some of its rows."""

import numpy as np

from bertkit.doctor.case import Batch, Case, Outputs
from bertkit.doctor.comparison import gap, limit_of
from bertkit.doctor.probes import SHORT, copied, longest, rows


def ask(case: Case, batch: Batch) -> Outputs:
    """Return what the subject answers.

    Args:
        case: The case, with a subject.
        batch: int [B,T] each.

    Returns:
        {name: float array or list of them}.

    Raises:
        Exception: What the subject raises.
    """
    assert case.subject is not None
    return case.subject(batch)


def sound(outputs: Outputs, batch: Batch) -> bool:
    """Return whether outputs are finite at real positions.

    Args:
        outputs: {name: float array or list of them}.
        batch: The batch, int [B,T] each.

    Returns:
        True or False.
    """
    return bool(np.isfinite(gap(outputs, outputs, batch).share)) and all(
        np.isfinite(np.asarray(value)[np.asarray(batch["padding_mask"]) > 0]).all()
        for name, value in outputs.items() if name in ("sequence", "mlm_logits"))


def plain(case: Case) -> tuple[Batch, Outputs, Outputs]:
    """Return a batch of three rows, and two answers to it.

    Args:
        case: The case, with a subject.

    Returns:
        The batch, int [3,T] each, the first answer and the second.

    Raises:
        Exception: What the subject raises.
    """
    def make():
        width = min(SHORT, longest(case))
        batch = rows(case, [width, max(1, width // 2), max(1, width * 3 // 4)], key=2)
        return batch, ask(case, batch), ask(case, batch)
    return case.once("plain", make)


def steady(case: Case) -> bool:
    """Return whether two calls with the same batch give the same, finite answers.

    Args:
        case: The case, with a subject.

    Returns:
        True or False.

    Raises:
        Exception: What the subject raises.
    """
    batch, one, two = plain(case)
    return sound(one, batch) and gap(one, two, batch).share <= limit_of(case)


def dependence(case: Case) -> dict[str, float]:
    """Return how far the answers to a row depend on the other rows of its batch.

    Args:
        case: The case, with a subject.

    Returns:
        {what: share of the largest entry}.

    Raises:
        Exception: What the subject raises.
    """
    def make():
        every = rows(case, [min(9, longest(case))] * 4, key=14)
        whole, found = ask(case, every), {}
        for what, index in (("another_order", [2, 0, 3, 1]), ("two_rows_alone", [1, 3])):
            wanted = {name: value[index] for name, value in whole.items() if not isinstance(value, list)}
            some = copied(every, index)
            found[f"{what}_differs"] = gap(ask(case, some), wanted, some).share
        return found
    return case.once("dependence", make)

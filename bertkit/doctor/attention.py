"""The checks of attention: scale, softmax, heads, direction, projections."""

import numpy as np

from bertkit.doctor import operations
from bertkit.doctor.answers import ask
from bertkit.doctor.case import Case
from bertkit.doctor.comparison import MOVES, gap, limit_of, unmoved
from bertkit.doctor.diagnosis import has_reference
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, suspect
from bertkit.doctor.organs import by_reference, follows, not_looked
from bertkit.doctor.probes import changed, longest, rows, settings_of, words


def attention_scale(case: Case) -> Measured:
    """Judge the factor of the scores: q · k / √H (Vaswani et al. 2017, arXiv 1706.03762, equation 1).

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants with other factors, one of which is searched for.
    """
    return by_reference(case, "attention-scale")


def attention_softmax(case: Case) -> Measured:
    """Judge the softmax: p_ij = exp(s_ij) / Σ_j exp(s_ij), Σ_j p_ij = 1 (the same paper, equation 1).

    Args:
        case: The case.

    Returns:
        The verdict; where nothing explains a difference, with values that are all equal, which must
        come back unchanged.
    """
    return by_reference(case, "attention-softmax", _sums)


def _sums(case):
    """With the values' weights at 0 each head returns its bias, whatever the scores, if rows sum to one."""
    if case.build is None:
        return None
    _, silent = operations.silenced(case, "output")
    _, equal = operations.silenced(case, "value")
    numbers = {"difference": equal.difference, "limit": equal.limit, "without_attention": silent.difference}
    if silent.difference > silent.limit or equal.difference <= equal.limit:
        return None
    return ill("Values that are all equal do not come back unchanged: the weights of a row do not sum to one.",
               **numbers)


def attention_heads(case: Case) -> Measured:
    """Judge the split into heads: feature n·H + h of a token is feature h of head n (section 3.2.2).

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants with other splits, merges and numbers of heads.
    """
    return does_not_apply("there is one head") if settings_of(case).heads == 1 else by_reference(case,
                                                                                                 "attention-heads")


def projections(case: Case) -> Measured:
    """Judge the four linear maps: each x Wᵀ + b with its own W and b.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference and mutants with permuted, transposed and missing ones.
    """
    return by_reference(case, "projections")


def attention_direction(case: Case) -> Measured:
    """Judge which tokens see which: change the last token and look at the first, and the other way round.

    Args:
        case: The case.

    Returns:
        The verdict, by the relation and, where there are weights, by the reference.
    """
    if has_reference(case):
        measured = by_reference(case, "attention-direction")
        if measured.verdict in ("ill", "healthy"):
            return measured
    if (reason := not_looked(case)) is not None:
        return reason
    if longest(case) < 3:
        return does_not_apply("rows are shorter than three tokens")
    return follows(case, "attention-direction", _relation(case))


def _relation(case):
    batch = rows(case, [3, 3], key=3)
    before, ids = ask(case, batch), batch["token_ids"]
    others = words(case, ids.shape, key=4)
    moved = {}
    for what, here, there in (("last_moves_first", -1, 0), ("first_moves_last", 0, -1)):
        new = np.array(ids)
        new[:, here] = np.where(others[:, here] == ids[:, here], ids[:, 1], others[:, here])
        seen = np.zeros(ids.shape, bool)
        seen[:, there] = True
        after = ask(case, changed(batch, token_ids=new))
        pooled = [name for name in after if np.ndim(after[name]) == 2] if there == 0 else []
        each = [name for name in after if name in ("sequence", "mlm_logits") or name == "logits"
                and np.ndim(after[name]) == 3]
        names = each or pooled
        moved[what] = gap({n: after[n] for n in names}, {n: before[n] for n in names}, batch,
                          seen).share if names else None
    return _direction(case, moved)


def _direction(case, moved):
    forth, back = moved["last_moves_first"], moved["first_moves_last"]
    numbers = {name: value for name, value in moved.items() if value is not None} | {"limit": MOVES}
    if settings_of(case).causal:
        return healthy("", **numbers) if forth <= limit_of(case) else ill(
            "config.json says is_decoder, and the last token moves the first.", **numbers)
    if forth > MOVES and (back is None or back > MOVES):
        return healthy("", **numbers)
    if back is not None and (forth > MOVES) != (back > MOVES):
        return unmoved(case, "The last token does not move the first, and the first moves the last: attention is "
                             "causal."
                       if back > MOVES else "The first token does not move the last: tokens see only later ones.",
                       **numbers)
    return suspect("No token moves another: attention adds nothing.", **numbers)

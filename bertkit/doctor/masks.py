"""The checks of the padding mask; each is a relation between the subject's own answers."""

import numpy as np

from bertkit.doctor import operations
from bertkit.doctor.answers import ask
from bertkit.doctor.case import Case
from bertkit.doctor.comparison import MOVES, gap, limit_of, unmoved
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill
from bertkit.doctor.organs import explained, follows, not_looked
from bertkit.doctor.probes import changed, copied, longest, rows, settings_of, words


def _reason(case, least=4, mask=True):
    """Return why the mask cannot be looked at, or None."""
    takes = getattr(case.subject, "takes", None)
    if case.subject is not None and mask and takes and "padding_mask" not in takes:
        return does_not_apply("the subject takes no padding_mask")
    if case.config["model_type"] == "mobilebert" and case.config.get("trigram_input", True):
        return does_not_apply("MobileBERT's embeddings read the words beside a token, masked ones too")
    if case.config["model_type"] in ("big_bird", "reformer"):
        return does_not_apply("this family's blocks of tokens move with the width of a batch")
    if (reason := not_looked(case)) is not None:
        return reason
    return None if longest(case) >= least else does_not_apply(f"rows are shorter than {least} tokens")


def _named(case, check):
    """Return a verdict by the fault that explains the answers, if it is this check's."""
    found = explained(case)
    if found is None or not found.of(check):
        return None
    return ill(found.named(check), difference=found.difference, left_by_this_fault=found.left, limit=found.limit)


def _width(case):
    return min(12, longest(case))


def padding(case: Case) -> Measured:
    """Judge f(x) = f(x with more padding) = f(x with other ids under the padding), at real positions.

    Args:
        case: The case.

    Returns:
        The verdict.
    """
    if (reason := _reason(case, 4, mask=False)) is not None:
        return reason
    width = _width(case)
    long = rows(case, [width // 2, width // 3], width, key=5)
    short = {name: value[:, :width // 2] for name, value in long.items()}
    one, two = ask(case, short), ask(case, long)
    cut = {name: value[:, :width // 2] if np.ndim(value) == 3 else value for name, value in two.items()
           if not isinstance(value, list)}
    numbers = {"more_padding_moves": gap(cut, one, short).share}
    under = np.where(long["padding_mask"] > 0, long["token_ids"], words(case, long["token_ids"].shape, 6))
    numbers["other_ids_under_it_move"] = gap(ask(case, changed(long, token_ids=under)), two, long).share
    return _judged(case, "padding", numbers, "Padding moves real positions.")


def _judged(case, check, numbers, sentence):
    limit = limit_of(case)
    if (named := _named(case, check)) is not None:
        return named
    if max(numbers.values()) <= limit:
        return healthy("", **numbers, limit=limit)
    return follows(case, check, ill(sentence, **numbers, limit=limit))


def mask_source(case: Case) -> Measured:
    """Judge that the mask decides which keys are seen: words that are masked out must lose their influence.

    Args:
        case: The case.

    Returns:
        The verdict; a word that is masked out, and a real token with the pad id, must change the answers.
    """
    if (reason := _reason(case)) is not None:
        return reason
    width, limit = _width(case), limit_of(case)
    batch = rows(case, [width, width], key=7)
    other = [place for place in range(width) if place not in (1, 2)]
    kept = np.zeros(batch["token_ids"].shape, bool)
    kept[:, other] = True
    mask = np.where(kept, batch["padding_mask"], 0)
    pads = np.where(kept, batch["token_ids"], settings_of(case).pad)
    moved = {}
    for what, ids in (("masked_words", batch["token_ids"]), ("masked_pad_ids", pads)):
        seen, hidden = (ask(case, changed(batch, token_ids=ids, padding_mask=each))
                        for each in (batch["padding_mask"], mask))
        moved[f"{what}_move"] = gap(hidden, seen, batch, kept).share
    again = ask(case, changed(batch, token_ids=np.where(kept, batch["token_ids"], words(case, kept.shape, 8)),
                              padding_mask=mask))
    first = ask(case, changed(batch, padding_mask=mask))
    leak = gap(again, first, batch, kept).share
    numbers = {**moved, "ids_under_the_mask_move": leak, "limit": limit}
    if (named := _named(case, "mask-source")) is not None:
        return named
    still = min(moved.values()) <= MOVES
    if not still and leak <= limit:
        return healthy("", **numbers)
    if still:
        if not attends(case):
            return does_not_apply("no token moves another: attention adds nothing")
        return follows(case, "mask-source", unmoved(
            case, "Masking words out has no effect: another mask than the given one decides.", **numbers))
    return follows(case, "mask-source", ill("Words that are masked out still move the others.", **numbers))


def attends(case: Case) -> bool:
    """Return whether another word changes other positions at all.

    Args:
        case: The case, with a subject.

    Returns:
        True or False.

    Raises:
        Exception: What the subject raises.
    """
    width = _width(case)
    batch = rows(case, [width, width], key=9)
    ids = np.array(batch["token_ids"])
    ids[:, 1] = words(case, ids.shape, 10)[:, 0]
    kept = np.ones(ids.shape, bool)
    kept[:, 1] = False
    return gap(ask(case, changed(batch, token_ids=ids)), ask(case, batch), batch, kept).share > MOVES


def mask_strength(case: Case) -> Measured:
    """Judge that a masked key has no influence at all: the worst of many ids under the mask.

    Args:
        case: The case.

    Returns:
        The verdict; with `build` also with keys scaled up, where a weak mask leaks.
    """
    if (reason := _reason(case)) is not None:
        return reason
    if (named := _named(case, "mask-strength")) is not None:
        return named
    numbers = {"worst_id_under_the_mask_moves": _leak(case, case.subject)}
    if case.build is not None and case.weights is not None and case.precision == "float32":
        numbers["with_keys_scaled_up"] = case.once("leak of loud keys", lambda: _leak(case, operations.loud(case)))
    return _judged(case, "mask-strength", numbers, "Words under the mask move real positions.")


def _leak(case, subject, tries=6):
    """Return how far the worst of many ids under the mask moves real positions."""
    width = _width(case)
    batch = rows(case, [width] * tries, key=11)
    one = {name: np.repeat(value[:1], tries, 0) for name, value in batch.items()}
    kept = np.ones(one["token_ids"].shape, bool)
    kept[:, [1, width - 1]] = False
    one = changed(one, padding_mask=kept, segment_ids=np.zeros_like(one["segment_ids"]))
    many = changed(one, token_ids=np.where(kept, one["token_ids"], words(case, kept.shape, 12)))
    return gap(subject(many), subject(one), one, kept).share


def padded_row(case: Case) -> Measured:
    """Judge that a row of padding is finite and moves no other row.

    Args:
        case: The case.

    Returns:
        The verdict.
    """
    if (reason := _reason(case)) is not None:
        return reason
    width = _width(case)
    batch = rows(case, [width, 0, width // 2], width, key=13)
    outputs, alone = ask(case, batch), ask(case, copied(batch, [0, 2]))
    finite = all(np.isfinite(np.asarray(value)).all() for value in outputs.values() if not isinstance(value, list))
    others = {name: value[[0, 2]] for name, value in outputs.items() if not isinstance(value, list)}
    moved, limit = gap(others, alone, copied(batch, [0, 2])).share, limit_of(case)
    numbers = {"not_finite": int(not finite), "moves_other_rows": moved, "limit": limit}
    if finite and moved <= limit:
        return healthy("", **numbers)
    return follows(case, "padded-row", ill("A row of padding gives numbers that are not finite." if not finite else
                                           "A row of padding moves other rows.", **numbers))

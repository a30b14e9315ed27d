"""The checks of rows and calls: batch, lengths, determinism, finite."""

import warnings

import numpy as np

from bertkit.doctor.answers import ask, dependence, plain, sound
from bertkit.doctor.case import Case
from bertkit.doctor.comparison import gap, limit_of
from bertkit.doctor.finding import Measured, healthy, ill, needs
from bertkit.doctor.organs import explained, follows, not_looked
from bertkit.doctor.probes import copied, longest, rows, settings_of


def batch(case: Case) -> Measured:
    """Judge f(rows)[i] = f(some rows)[i] = f(rows in another order)[i].

    Args:
        case: The case.

    Returns:
        The verdict.
    """
    if case.subject is None:
        return needs("a subject")
    given, one, two = plain(case)
    limit = limit_of(case)
    if not sound(one, given) or gap(one, two, given).share > limit:
        return needs("finite answers, the same at each call; see the checks finite and determinism")
    numbers = {**dependence(case), "limit": limit}
    if max(dependence(case).values()) <= limit:
        return healthy("", **numbers)
    found = explained(case)
    said = "" if found is None else "".join(f" It {fault.what}." for fault in found.of("batch"))
    return follows(case, "batch", ill(f"The answers to a row depend on the other rows of its batch.{said}", **numbers))


def lengths(case: Case) -> Measured:
    """Judge rows of one token, of the longest length, of a batch of one, and of one token too many.

    Args:
        case: The case.

    Returns:
        The verdict.
    """
    if case.subject is not None and (raised := _raised(case)):
        return ill(f"Three rows of usual length: it raises {raised}.", problems=1, longest=longest(case))
    if (reason := not_looked(case)) is not None:
        return reason
    problems, numbers = [], {"limit": limit_of(case), "longest": longest(case)}
    three = rows(case, [min(7, longest(case))] * 3, key=15)
    wanted = {name: value[:1] for name, value in ask(case, three).items() if not isinstance(value, list)}
    for what, given in (("a batch of one", copied(three, [0])), ("rows of one token", rows(case, [1, 1], key=16)),
                        ("the longest row", rows(case, [longest(case)] * 2, key=17))):
        problem = _problem(case, given, wanted if what == "a batch of one" else None, numbers)
        problems += [f"{what}: {problem}"] if problem else []
    problem = _too_long(case)
    numbers |= {"problems": len(problems) + bool(problem)}
    if problems or problem:
        return follows(case, "lengths", ill("; ".join([*problems, *([problem] if problem else [])]) + ".", **numbers))
    return healthy("", **numbers)


def _raised(case):
    """Return what a plain batch raises, or None."""
    try:
        plain(case)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    return None


def _problem(case, given, wanted, numbers):
    """Return what is wrong with the answers to a batch, or None."""
    settings, shape = settings_of(case), given["token_ids"].shape
    try:
        outputs = ask(case, given)
    except Exception as error:
        return f"it raises {type(error).__name__}: {str(error)[:100]}"
    if wanted is not None:
        found = gap(outputs, wanted, given)
        if found.said:
            return f"{found.where} has {found.said}"
        numbers["alone_differs"] = found.share
        if found.share > limit_of(case):
            return "it gives other numbers than beside other rows"
    for name, value in outputs.items():
        right = {"sequence": (*shape, settings.hidden), "mlm_logits": (*shape, settings.vocabulary),
                 "pooled": (shape[0],)}
        if name in right and np.shape(value)[:len(right[name])][:2] != right[name][:2]:
            return f"{name} has shape {np.shape(value)}"
    return None if sound(outputs, given) else "its answers are not finite"


def _too_long(case):
    """Return what is wrong where one token too many is answered without a word; None where it is refused or said."""
    settings = settings_of(case)
    if not settings.bounded or case.longest is not None and case.longest < settings.longest:
        return None
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            ask(case, rows(case, [settings.longest + 1], key=18))
    except Exception:
        return None
    told = any(word in str(each.message).lower() for each in said for word in ("position", "length", "long", "token"))
    return None if told else (f"a row of {settings.longest + 1} tokens is answered, and the table has places for "
                              f"{settings.longest}")


def determinism(case: Case) -> Measured:
    """Judge f(x) = f(x): two calls in a row.

    Args:
        case: The case.

    Returns:
        The verdict.
    """
    if case.subject is None:
        return needs("a subject")
    given, one, two = plain(case)
    if not sound(one, given):
        return needs("finite answers; see the check finite")
    apart, limit = gap(one, two, given).share, limit_of(case)
    if apart <= limit:
        return healthy("", two_calls_differ=apart, limit=limit)
    return ill("Two calls with the same text give different answers: dropout acts, or something is drawn.",
               two_calls_differ=apart, limit=limit)


def finite(case: Case) -> Measured:
    """Judge that weights and answers hold no NaN and no infinity.

    Args:
        case: The case.

    Returns:
        The verdict; the message names the first one that is not.
    """
    if case.subject is None and case.weights is None:
        return needs("a subject or weights")
    broken = [name for name, value in (case.weights or {}).items()
              if np.asarray(value).dtype.kind == "f" and not np.isfinite(value).all()]
    numbers = {"tensors_not_finite": len(broken), "tensors": len(case.weights or {})}
    if broken:
        return ill(f"{broken[0]} holds numbers that are not finite.", **numbers, names=broken[:8])
    if case.subject is not None:
        given, outputs, _ = plain(case)
        numbers["answers_not_finite"] = int(not sound(outputs, given))
        if numbers["answers_not_finite"]:
            return ill("The answers hold numbers that are not finite.", **numbers)
    return healthy("", **numbers)

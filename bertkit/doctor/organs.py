"""What every check of an organ does: the reference, then the faults of that organ, then the operation that shows it."""

from collections.abc import Callable
from dataclasses import replace

from bertkit.doctor import operations
from bertkit.doctor.answers import dependence, plain, sound, steady
from bertkit.doctor.case import Case
from bertkit.doctor.checks import TABLE
from bertkit.doctor.comparison import gap, limit_of
from bertkit.doctor.diagnosis import Diagnosis, diagnosis, has_reference, telling, world
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect
from bertkit.doctor.probes import settings_of
from bertkit.doctor.reference import Encoder
from bertkit.doctor.world import World

# A fault that would move the answers by less than this many limits could hide in them.
SHOWS = 3.0
MASKS = ("padding", "mask-source", "mask-strength", "padded-row", "attention-direction", "attention-softmax", "batch")
HIDDEN = "build, because these weights would hide the fault"


def not_looked(case: Case) -> Measured | None:
    """Return why relations between the subject's answers cannot be measured.

    Args:
        case: The case.

    Returns:
        A verdict, or None where they can.

    Raises:
        Exception: What the subject raises.
    """
    if case.subject is None:
        return needs("a subject")
    batch, one, two = plain(case)
    if not sound(one, batch):
        return needs("finite answers; see the check finite")
    if not steady(case):
        return needs("a subject that answers the same twice; see the check determinism")
    found = explained(case)
    if max(dependence(case).values()) > limit_of(case) and (found is None or found.mutant is None):
        return needs("rows that do not depend on the others of their batch; see the check batch")
    return None


def explained(case: Case) -> Diagnosis | None:
    """Return what the subject computes, where that can be known.

    Args:
        case: The case.

    Returns:
        The `Diagnosis`; None without weights, or where the subject raises.
    """
    if not has_reference(case) or case.subject is None:
        return None
    try:
        return diagnosis(case)
    except Exception:
        return None


def follows(case: Case, check: str, measured: Measured) -> Measured:
    """Return a verdict on a relation: one that faults of other names bring with them is no fault of its own.

    Args:
        case: The case.
        check: The name of the check.
        measured: What the relation says.

    Returns:
        The verdict; "suspect" in place of "ill" where an encoder with the other faults alone breaks the relation too.
    """
    found = explained(case) if measured.verdict == "ill" else None
    if found is None or found.mutant is None or found.of(check) or not _breaks(case, found, check):
        return measured
    likely = [fault for fault in found.faults if fault.check in MASKS] if check in MASKS else []
    causes = "; ".join(f"{fault.check}: it {fault.what}" for fault in likely or found.faults)
    return suspect(f"{measured.message} It follows from {causes}.", **measured.evidence)


def _breaks(case, found, check):
    """Return whether the encoder that equals the subject breaks a relation, too."""
    made, encoder = world(case), found.encoder

    def twin(batch):
        return encoder(batch, made.wanted, made.token_logits)
    looked = replace(case, subject=twin, weights=None, build=None, memory={})
    function = next(entry for entry in TABLE if entry.name == check).function()
    assert function is not None
    try:
        return function(looked).verdict in ("ill", "suspect")
    except Exception:
        return True


def by_reference(case: Case, check: str, other: Callable[[Case], Measured | None] | None = None) -> Measured:
    """Judge an organ by the reference, by its own faults and, where the weights hide them, by an operation.

    Args:
        case: The case.
        check: The name of the check.
        other: What to do where the reference differs and no fault explains it; None for nothing.

    Returns:
        The verdict.

    Raises:
        Exception: What the subject raises.
    """
    if case.subject is None:
        return needs("a subject")
    if case.weights is None:
        return needs("weights, to compare with an independent encoder")
    if not has_reference(case):
        return does_not_apply(f"the reference does not know the family {settings_of(case).family}")
    if (reason := not_looked(case)) is not None:
        return reason
    found = diagnosis(case)
    if found.of(check):
        return _named(found, check)
    if found.encoder is None:
        return (other(case) if other else None) or needs(
            "another look: the answers differ from the reference, and no known fault explains how")
    return _shown(case, check, found)


def _named(found: Diagnosis, check: str) -> Measured:
    return ill(found.named(check), difference=found.difference, left_by_this_fault=found.left, limit=found.limit,
               where=found.where,
               faults_tried=found.tried)


def _shown(case: Case, check: str, found: Diagnosis) -> Measured:
    """Say healthy where the answers would show the faults of this check; else operate."""
    assert found.encoder is not None
    effect = shows(world(case), found.encoder, check)
    if effect is None:
        return does_not_apply("an encoder of these sizes cannot have a fault there")
    numbers = {"difference": found.left if found.mutant else found.difference, "limit": found.limit}
    tiny = check == "layer-norm-eps"
    if effect >= SHOWS * found.limit and not (tiny and case.build is not None and case.precision == "float32"):
        return healthy("", **numbers, smallest_fault_would_be=effect)
    if case.build is None:
        return needs(HIDDEN)
    if tiny and case.precision != "float32":
        return needs("float32: numbers near epsilon are below the steps of half precision")
    return _operated(case, check, *(operations.small if tiny else operations.fresh)(case))


def _operated(case: Case, check: str, made: World, second: Diagnosis) -> Measured:
    """Judge an organ by other weights, which show its faults."""
    effect = shows(made, made.reference, check)
    if second.of(check):
        return _named(second, check)
    numbers = {"difference": second.difference, "limit": second.limit}
    if second.encoder is None and check == "layer-norm-eps":
        return ill("With variances as small as epsilon it differs from the reference: some norm adds another epsilon.",
                   **numbers)
    if second.encoder is None:
        return suspect("With other weights it differs from the reference, and no known fault explains how.", **numbers)
    if effect is None or effect < SHOWS * second.limit:
        return needs("a finer precision: the smallest fault is below rounding")
    return healthy("", **numbers, smallest_fault_would_be=effect)


def shows(made: World, equal: Encoder, check: str) -> float | None:
    """Return how far the least of a check's typical faults would move the answers.

    Args:
        made: A subject and its answers.
        equal: The encoder that equals the subject.
        check: The name of the check.

    Returns:
        The share of the largest entry; None where there is no such fault.
    """
    base = made.computed(equal, "mixed")
    effects = []
    for mutant in telling(made.settings, check):
        try:
            moved = made.computed(mutant.of(equal), "mixed")
        except Exception:
            continue
        one = {name: base[name] for name in made.wanted if name in base}
        effects.append(gap({name: moved[name] for name in one if name in moved}, one, made.batches["mixed"]).share)
    return min(effects) if effects else None

"""The checks that say that something differs, not what: reference and same-as."""

from bertkit.doctor.case import Case
from bertkit.doctor.comparison import limit_of
from bertkit.doctor.diagnosis import diagnosis, has_reference
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs
from bertkit.doctor.organs import not_looked
from bertkit.doctor.peers import OWN, compared, own


def reference(case: Case) -> Measured:
    """Judge that all outputs at real positions equal those of an independent encoder with the same weights.

    Args:
        case: The case.

    Returns:
        The verdict, with the fault that explains a difference where there is one.
    """
    if case.subject is None:
        return needs("a subject")
    if case.weights is None:
        return needs("weights, to compute the same with an independent encoder")
    if not has_reference(case):
        return _by_own(case)
    found = diagnosis(case)
    numbers = {"difference": found.difference, "limit": found.limit, "where": found.where}
    if found.difference <= found.limit:
        return healthy("", **numbers)
    causes = "; ".join(f"it {fault.what} (see {fault.check})" for fault in found.faults)
    said = (f"{'One fault explains' if len(found.faults) == 1 else f'{len(found.faults)} faults together explain'} it: "
            f"{causes}." if causes else "No known fault explains it.")
    return ill(f"The answers differ from those of an independent encoder with the same weights. {said}", **numbers,
               left_by_the_fault=found.left, faults_tried=found.tried)


def _by_own(case):
    """Compare a family that the reference does not know with bertkit's own encoder."""
    if (reason := not_looked(case)) is not None:
        return reason
    if "lsh" in (case.config.get("attn_layers") or ()) and case.kind not in OWN:
        return does_not_apply("the rotations of Reformer's hashes are drawn at random, by each library in its own way")
    encoder = own(case)
    if encoder is None:
        return does_not_apply("the subject is bertkit's own encoder, and the reference does not know its family")
    found, where = compared(case, encoder)
    numbers = {"difference": found.share, "limit": limit_of(case), "where": where}
    return healthy("", **numbers) if found.share <= limit_of(case) else ill(
        "The answers differ from those of bertkit's own encoder with the same weights.", **numbers)


def same_as(case: Case) -> Measured:
    """Judge that the other form of the model gives the same answers.

    Args:
        case: The case.

    Returns:
        The verdict, within the coarser of the two precisions.
    """
    if case.subject is None or case.against is None:
        return needs("against, another form of the same model")
    found, where = compared(case, case.against)
    if found.said == "no output that both have":
        return needs("two forms with an output that both have")
    numbers = {"difference": found.share, "limit": limit_of(case), "where": where}
    return healthy("", **numbers) if found.share <= limit_of(case) else ill("The two forms give different answers.",
                                                                            **numbers)

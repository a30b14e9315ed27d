"""The checks that say that something differs, not what: reference, same-as, peers."""

from bertkit.doctor.case import Case
from bertkit.doctor.comparison import gap, limit_of
from bertkit.doctor.diagnosis import diagnosis, has_reference
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs
from bertkit.doctor.probes import probes, settings_of


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
        return does_not_apply(f"the reference does not know the family {settings_of(case).family}")
    found = diagnosis(case)
    numbers = {"difference": found.difference, "limit": found.limit, "where": found.where}
    if found.difference <= found.limit:
        return healthy("", **numbers)
    said = "No known fault explains it." if found.mutant is None else (
        f"One fault explains it: it {found.mutant.what} (see {found.mutant.check}).")
    return ill(f"The answers differ from those of an independent encoder with the same weights. {said}", **numbers,
               left_by_the_fault=found.left, faults_tried=found.tried)


def same_as(case: Case) -> Measured:
    """Judge that the other form of the model gives the same answers.

    Args:
        case: The case.

    Returns:
        The verdict, within the coarser of the two precisions.
    """
    if case.subject is None or case.against is None:
        return needs("against, another form of the same model")
    limit, worst, where = limit_of(case), -1.0, ""
    for what, batch in probes(case).items():
        found = gap(case.subject(batch), case.against(batch), batch)
        if found.said == "no output that both have":
            return needs("two forms with an output that both have")
        if not found.share <= worst:
            worst, where = found.share, f"{what}, {found.where} {found.said}".strip()
    numbers = {"difference": worst, "limit": limit, "where": where}
    return healthy("", **numbers) if worst <= limit else ill("The two forms give different answers.", **numbers)

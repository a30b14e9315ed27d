"""The checks of ranges: precision and saturation."""

import numpy as np

from bertkit.doctor import operations
from bertkit.doctor.case import Case
from bertkit.doctor.comparison import gap
from bertkit.doctor.diagnosis import diagnosis, has_reference, world
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect
from bertkit.doctor.organs import explained
from bertkit.doctor.reference import Encoder
from bertkit.doctor.world import World

LARGEST = {"float16": 65504.0, "bfloat16": 3.3895e38}
ONE_HOT, SILENT = 0.999, 0.9


def precision(case: Case) -> Measured:
    """Judge what half precision costs: the answers against the reference in float32 or float64.

    Args:
        case: The case.

    Returns:
        The verdict. Of a subject in float32: how far the answers would move if the weights were rounded to float16.
    """
    if case.subject is None or not has_reference(case):
        return needs("a subject and weights of a family that the reference knows")
    if case.precision == "float32":
        return _rounded(case)
    found = diagnosis(case)
    numbers = {"difference": found.difference, "limit": found.limit, "where": found.where}
    if found.difference <= found.limit:
        return healthy("", **numbers)
    if found.of("precision"):
        return ill(found.named("precision"), **numbers, left_by_this_fault=found.left)
    if found.faults:
        return needs(f"the other fault to be repaired first: {', '.join(fault.check for fault in found.faults)}")
    if case.build is None:
        return suspect("The answers differ from those in float32, and no other known fault explains it.", **numbers)
    _, mild = operations.fresh(case)
    if mild.difference <= mild.limit:
        return ill("With other weights of usual size it agrees with the reference, and with these it does not: "
                   "some numbers overflow or are lost.", **numbers, difference_with_mild_weights=mild.difference)
    return needs("the other fault to be repaired first: it differs with weights of usual size, too")


def _rounded(case):
    """Round the weights to float16, and compute the answers of the reference with them."""
    made, largest = world(case), 0.0
    halves = {}
    for name, value in case.weights.items():
        value = np.asarray(value)
        if value.dtype.kind == "f":
            largest = max(largest, float(np.abs(value).max(initial=0)))
            halves[name] = value.astype(np.float16).astype(np.float32)
    rounded = Encoder(made.settings, halves, made.reference.dtype, made.reference.tied)
    one = {name: value for name, value in made.computed(made.reference, "mixed").items() if name in made.wanted}
    drift = gap({name: value for name, value in made.computed(rounded, "mixed").items() if name in one}, one,
                made.batches["mixed"]).share
    numbers = {"largest_weight": largest, "largest_float16": LARGEST["float16"], "limit": 2e-2}
    if largest > LARGEST["float16"] or not np.isfinite(drift):
        return suspect("Rounded to float16, some weights would be infinite.", **numbers)
    numbers["drift_of_float16_weights"] = drift
    return healthy("", **numbers) if drift <= 2e-2 else suspect("Rounded to float16, the answers would change.",
                                                                **numbers)


def saturation(case: Case) -> Measured:
    """Judge whether heads and units act: softmax rows that are one-hot everywhere, units that never answer.

    Args:
        case: The case.

    Returns:
        The verdict, at most suspect.
    """
    if case.subject is None:
        return needs("a subject")
    found = explained(case)
    if found is None:
        return needs("weights of a family that the reference knows")
    made = world(case)
    outputs = made.answers["mixed"]
    if "attentions" in outputs:
        probabilities, acting = outputs["attentions"], None
    elif found.encoder is None:
        return needs("attentions, or weights with which the reference gives the same answers")
    else:
        probabilities, acting = _inside(made, found.encoder)
    if not probabilities:
        return does_not_apply("the encoder has no softmax")
    heads = _sharp(probabilities, made.batches["mixed"]["padding_mask"] > 0)
    numbers: dict[str, float] = {"heads_one_hot_everywhere": int(heads.sum()), "heads": int(heads.size)}
    if acting is not None:
        numbers |= {"largest_share_of_silent_units": float(max(acting)), "limit": SILENT}
    if heads.any() or acting is not None and max(acting) > SILENT:
        return suspect("Some heads attend to one token alone everywhere, or nearly all units of a layer are silent.",
                       **numbers)
    return healthy("", **numbers)


def _inside(made: World, encoder: Encoder) -> tuple[list[np.ndarray], list[float]]:
    """Return the attention of each layer, and for each layer the share of units that no token moves."""
    shares: list[float] = []
    real = made.batches["mixed"]["padding_mask"] > 0

    def activation(self, x):
        found = type(encoder).activation(self, x)
        shares.append(float((np.abs(found[real]).max(0) < 1e-3).mean()))
        return found
    outputs = made.computed(encoder.changed(activation=activation), "mixed")
    return outputs["attentions"], shares or [0.0]


def _sharp(probabilities, real):
    """Return which heads [L·N] give every query that sees three keys or more one key alone."""
    queries = real & (real.sum(1, keepdims=True) >= 3)
    return np.concatenate([(np.asarray(each).max(-1).transpose(1, 0, 2)[:, queries] > ONE_HOT).all(1)
                           for each in probabilities if np.ndim(each) == 4] or [np.zeros(0, bool)])

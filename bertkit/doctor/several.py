"""Several faults at once: organs are silenced by `build`, what is left is explained, and organs wake one after another.

With attention and feed-forward network silenced, the answers show embeddings, norms and residuals alone; a set of
faults that explains them is kept while the feed-forward network wakes, then attention. Each step is a search for the
smallest set, by the sets that look most like the subject.
"""

from collections.abc import Iterable

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.comparison import gap, limit_of
from bertkit.doctor.faults import Mutant, mutants
from bertkit.doctor.parts import arranged, spread
from bertkit.doctor.probes import mixed, settings_of
from bertkit.doctor.reference import Encoder
from bertkit.doctor.world import SHORT, World

Faults = tuple[Mutant, ...]
# What is silenced, and the checks whose faults show then.
STEPS = ((("output", "outer"), ("embeddings", "positions", "segments", "layer-norm", "layer-norm-eps", "residual",
                                "pooler", "decoder")),
         (("output",), ("activation", "residual", "layers", "reference", "layer-norm", "layer-norm-eps")),
         ((), ("attention-scale", "attention-softmax", "attention-heads", "attention-direction", "projections",
               "padding", "mask-source", "mask-strength", "positions", "residual", "layers")))
PLACES = (" after the embeddings", " after attention", " after the feed-forward network", " of the last layer")
# Sets that are kept at each size, and the most faults that one step adds.
KEPT, MOST = 8, 4
# Encoders with more numbers are not searched; a small one of the same code shows the same faults.
AFFORDABLE = 2e6


def several(case: Case, whole: World) -> tuple[Faults, float] | None:
    """Return the smallest set of faults that explains what a subject answers.

    Args:
        case: A case with `build` and weights, which no fault alone explains.
        whole: The subject with the weights that it was given.

    Returns:
        (the faults, the difference that they leave); None where no set of known faults explains the answers, or the
        encoder is too large for the search.

    Raises:
        Exception: What `build` or a new subject raises.
    """
    settings = settings_of(case)
    if case.build is None or 12 * settings.layers * settings.hidden ** 2 > AFFORDABLE:
        return None
    every = [mutant for mutant in mutants(settings, case.precision)
             if mutant.range is None and not _of_one_place(mutant)]
    sets: list[Faults] = [()]
    for silent, checks in STEPS:
        sets = _step(_silenced(case, whole, silent), sets, [each for each in every if each.check in checks])
        if not sets:
            return None
    for faults in sorted(sets, key=len):                # what the smallest explains is not said with more
        needed = _needed(whole, faults)
        if needed and (left := _left(whole, needed)) <= limit_of(case):
            return needed, min((left, *(_left(whole, each) for each in sets if len(each) == len(needed))))
    return None


def _left(whole, faults):
    """Return the difference that faults leave, on all inputs."""
    encoder = composed(whole.reference, faults)
    return max(whole.apart(encoder, what).share for what in whole.answers)


def _needed(whole, faults):
    """Return faults without those that explain nothing."""
    for fault in faults:
        fewer = tuple(each for each in faults if each is not fault)
        if _left(whole, fewer) <= limit_of(whole.case):
            return _needed(whole, fewer)
    return faults


def _of_one_place(mutant):
    """Return whether a fault is one of some norms alone, of which there are too many for sets."""
    return mutant.check in ("layer-norm", "layer-norm-eps") and mutant.what.endswith(PLACES)


def composed(encoder: Encoder, faults: Iterable[Mutant]) -> Encoder:
    """Return an encoder with several faults.

    Args:
        encoder: The encoder without them.
        faults: The faults, each of other organs.

    Returns:
        The mutant.
    """
    for fault in faults:
        encoder = fault.of(encoder)
    return encoder


def _silenced(case, whole, parts):
    """Return the subject without some organs, beside its reference."""
    if not parts:
        return whole

    def new(name, value):
        off = name.startswith("layer.") and name.split(".")[-2] in parts
        return np.zeros_like(value) if off else value
    settings = settings_of(case)
    weights = spread({name: new(name, value) for name, value in arranged(case.weights, settings).items()},
                     case.weights, settings)
    return World(case, case.build(weights), weights, {SHORT: mixed(case)})


def _step(made, sets, candidates):
    """Return the smallest larger sets that explain the answers, and those with one fault more; an empty list for none.

    Silent organs leave room for a smaller set that explains as much as the right one: later steps tell them apart.
    """
    limit, good, last = limit_of(made.case), [], MOST
    for size in range(MOST + 1):
        looked = sorted((_apart(made, faults), number) for number, faults in enumerate(sets))
        hits = [sets[number] for (_, share), number in looked if share <= limit][:KEPT]
        good, last = good + hits, min(last, size + 1) if hits else last
        if size >= last:
            break
        near = [sets[number] for (_, share), number in looked if share > limit][:KEPT]
        sets = _unlike([(*faults, new) for faults in near for new in candidates if _fits(faults, new)])
    return good


def _unlike(sets):
    """Return sets without those that hold the same faults in another order."""
    return list({frozenset(map(id, faults)): faults for faults in sets}.values())


def _fits(faults, new):
    """Return whether a fault changes nothing that others of its set change."""
    taken = {name for fault in faults for name in fault.methods}
    return not taken & set(new.methods)


def _apart(made, faults):
    """Return (1 - the correlation with the subject, the largest difference): the first forgives what scales."""
    try:
        found = made.computed(composed(made.reference, faults), SHORT)
    except Exception:
        return np.inf, np.inf
    real = made.batches[SHORT]["padding_mask"] > 0
    share = gap(made.answers[SHORT], found, made.batches[SHORT], real).share
    unlike = []
    for name, value in made.answers[SHORT].items():
        if name in found and not isinstance(value, list) and np.shape(value) == np.shape(found[name]):
            one, two = (np.asarray(each, np.float64) for each in (value, found[name]))
            keep = real if np.ndim(one) == 3 else real[:, 0]
            unlike.append(1 - _correlation(one[keep], two[keep]))
    return float(np.mean(unlike)) if unlike else np.inf, share


def _correlation(one, two):
    one, two = one.ravel() - one.mean(), two.ravel() - two.mean()
    size = np.sqrt((one @ one) * (two @ two))
    found = float(one @ two / size) if size > 0 else 0.0
    return found if np.isfinite(found) else -1.0

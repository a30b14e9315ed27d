"""What an optimiser does to weights: what shrinks without a gradient, and what moves in a few steps."""

import time
from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect
from bertkit.doctor.setup import arrays, first_batch, largest, offered

ENTRY = 1000.0              # of every weight where decay is measured: a bias of 1000 that shrinks cannot be rounding
STEPS, SECONDS = 40, 8.0    # that a warm-up from 0 may take before decay shows
FEW = 4                     # steps after which every trained weight has moved


@offered("variables", "assign", "apply", fresh=True)
def weight_decay(case: Case, setup: dict[str, Any]) -> Measured:
    """Update weights of 1000 with gradients of 0: what moves is decay, which norms and biases must not have.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    sizes = _sizes(setup)
    moved, steps = _shrinkage(setup, sizes)
    vectors = {name: value for name, value in moved.items() if np.ndim(setup["variables"]()[name]) <= 1}
    matrices = {name: value for name, value in moved.items() if name not in vectors}
    if not vectors or not matrices:
        return does_not_apply("there are no weights of one dimension beside others")
    wrong = [name for name, value in vectors.items() if value]
    still = [name for name, value in matrices.items() if not value]
    largest_step = max(value * ENTRY / sizes[name] for name, value in matrices.items())
    evidence = {"norms_and_biases_that_shrink": len(wrong), "limit": 0, "norms_and_biases": len(vectors),
                "matrices_that_shrink": len(matrices) - len(still), "matrices": len(matrices),
                "shrinkage_of_an_entry_of_1000": largest_step, "steps": steps}
    if wrong:
        return ill(f"Weight decay shrinks {len(wrong)} of {len(vectors)} norms and biases, {wrong[0]} among them.",
                   names=wrong[:20], **evidence)
    if grown := [name for name, value in matrices.items() if value < 0]:
        return ill(f"Without a gradient {grown[0]} grows, so the decay has the wrong sign.", names=grown[:20],
                   **evidence)
    if len(still) == len(matrices):
        return suspect("Nothing decays: either no decay is meant, or no name of a matrix matches.",
                       "Decay matrices by 0.01, unless you meant to leave decay out.", **evidence)
    through = _through_moments(matrices, sizes)
    evidence["shrinkage_of_1000_over_that_of_10"] = through
    if through < 10:
        return ill("The decay is part of the gradient that Adam divides by its size: it does not grow with the weight.",
                   "Use decoupled decay (AdamW): subtract rate · decay · weight beside Adam's own change.", **evidence)
    if len(still) > len(matrices) / 2:
        return suspect(f"{len(still)} of {len(matrices)} matrices do not decay, {still[0]} among them.", **evidence)
    return healthy(**evidence)


def _sizes(setup):
    """Return {name: the size of its entries}: 1000, and 10 for every second matrix, to see what decay is a share of."""
    values = setup["variables"]()
    matrices = [name for name, value in values.items() if np.ndim(value) > 1]
    return {name: ENTRY / 100 if name in matrices[1::2] else ENTRY for name in values}


def _shrinkage(setup, sizes):
    """Return ({name: by how much entries of these sizes shrank}, steps), after the steps that a warm-up needs."""
    setup["assign"]({name: np.full_like(np.asarray(value), sizes[name]) for name,
                     value in setup["variables"]().items()})
    zeros = {name: np.zeros_like(np.asarray(value)) for name, value in setup["variables"]().items()}
    began, done, moved = time.monotonic(), 0, {}
    while done < STEPS:
        setup["apply"](dict(zeros))
        done += 1
        if done < FEW:
            continue
        moved = {name: sizes[name] - float(value.mean()) for name, value in arrays(setup["variables"]()).items()
                 if value.size}
        if any(moved.values()) or time.monotonic() - began > SECONDS:
            break
    return moved, done


def _through_moments(matrices, sizes):
    """Return how much more a weight of 1000 shrinks than one of 10: 100 where decay is decoupled, 1 inside Adam."""
    large, small = ([value for name, value in matrices.items() if value > 0 and (sizes[name] == ENTRY) == which]
                    for which in (True, False))
    return float(np.median(large) / np.median(small)) if large and small else 100.0


@offered("variables", "assign", "gradients", "step", "batches", fresh=True)
def frozen(case: Case, setup: dict[str, Any]) -> Measured:
    """Find weights that get a gradient and do not move in a few training steps.

    A weight that a small rate cannot move in float32 is tried again at a thousandth of its size.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    slopes = {name: value for name, value in arrays(setup["gradients"](first_batch(setup))).items()
              if np.isfinite(value).all()}
    floor = 1e-5 * largest(slopes)
    trained = [name for name, value in slopes.items() if np.abs(value).max(initial=0) > floor]
    if not trained:
        return needs("a batch whose loss has a gradient")
    still = _unmoved(setup, trained)
    if still:
        again = dict(case.training()) if case.training is not None else setup
        again["assign"]({name: np.asarray(value) * 1e-3 for name, value in again["variables"]().items()
                         if name in still})
        still = _unmoved(again, still)
    evidence = {"weights_that_do_not_move": len(still), "limit": 0, "weights_with_gradient": len(trained), "steps": FEW}
    if not still:
        return healthy(**evidence)
    return ill(f"{len(still)} of {len(trained)} weights get a gradient and do not move in {FEW} steps, {still[0]} "
               f"among "
               "them.", names=still[:20], **evidence)


def _unmoved(setup, names):
    """Return the weights among these that a few steps leave as they are."""
    before = {name: np.array(value) for name, value in setup["variables"]().items() if name in names}
    batches = list(setup["batches"])
    for i in range(FEW):
        setup["step"](batches[i % len(batches)])
    after = setup["variables"]()
    return [name for name in names if np.array_equal(before[name], np.asarray(after[name]))]

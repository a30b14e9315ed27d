"""Gradients of a training set-up: against central differences of the loss, and whether they reach every weight."""

from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill
from bertkit.doctor.setup import arrays, double, first_batch, largest, offered

DIRECTIONS = 4              # that move all tensors at once
SOME_TENSORS, MOST_TENSORS = 8, 24      # that are moved alone: where nothing is wrong so far, and to name what is
NOTHING = 1e-7              # of the largest gradient: what rounding leaves where mathematics gives 0, as for key biases


@offered("variables", "assign", "loss", "gradients", "batches")
def gradients(case: Case, setup: dict[str, Any]) -> Measured:
    """Compare the backward pass with central differences of the loss.

    For a direction d, (L(w + h d) - L(w - h d)) / 2h = <gradient, d> + O(h²). Some directions move all tensors at once
    (a wrong entry anywhere shows), others one tensor.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    batch = first_batch(setup)
    slopes = {name: value for name, value in arrays(setup["gradients"](batch)).items() if np.isfinite(value).all()}
    norm = _length(slopes)
    checked = [name for name, value in slopes.items() if np.linalg.norm(value) > 1e-4 * norm]
    if not checked:
        return does_not_apply("no gradient is finite and not zero")
    slopes, draw, exact = {name: slopes[name] for name in checked}, np.random.default_rng(case.seed), double(setup)
    limit = 1e-5 if exact else 2e-2
    errors = {"all weights": max(_error(setup, batch, slopes, draw, exact) for _ in range(DIRECTIONS))}
    few = MOST_TENSORS if errors["all weights"] > limit else SOME_TENSORS
    places = np.unique(np.linspace(0, len(checked) - 1, min(few, len(checked))).astype(int))
    errors |= {checked[i]: _error(setup, batch, {checked[i]: slopes[checked[i]]}, draw, exact) for i in places}
    worst = max(errors, key=lambda name: (name != "all weights" and errors[name] > limit, errors[name]))
    evidence = {"largest_relative_error": errors[worst], "limit": limit, "in": worst, "tensors": len(places),
                "error_of_all_weights_together": errors["all weights"], "computed_in": "float64" if exact
                else "float32"}
    if errors[worst] <= limit:
        return healthy(**evidence)
    wrong = sum(error > limit for error in errors.values())
    return ill(f"The gradient of {worst} differs from the derivative of the loss by {errors[worst]:.2g} of its size.",
               directions_that_differ=wrong, **evidence)


def _length(values):
    """Return the length of several arrays as one vector."""
    return float(np.sqrt(sum(float((value ** 2).sum()) for value in values.values())))


def _error(setup, batch, slopes, draw, exact):
    """Return how far <gradient, d> is from the central difference for one direction, in units of the gradient's length.

    The direction is the gradient's plus random signs; of what differs, rounding and the O(h²) term are taken off.
    """
    length, values = _length(slopes), setup["variables"]()
    values = {name: np.array(values[name]) for name in slopes}
    direction = {name: slope / length + draw.choice([-1.0, 1.0], slope.shape) / np.sqrt(slope.size * len(slopes))
                 for name, slope in slopes.items()}
    wanted = sum(float((slope * direction[name]).sum()) for name, slope in slopes.items())
    size = max(float(np.sqrt(np.mean([np.mean(np.square(value, dtype=np.float64)) for value in values.values()]))),
               1e-2)
    step = (1e-4 if exact else 0.1) * size
    try:
        near, loss = _difference(setup, batch, values, direction, step)
        far = near if exact else _difference(setup, batch, values, direction, 2 * step)[0]
    finally:
        setup["assign"](dict(values))
    noise = 8 * loss * (2.2e-16 if exact else 1.2e-7) / step
    return max(abs(near + (near - far) / 3 - wanted) - noise - abs(near - far), 0.0) / length


def _difference(setup, batch, values, direction, step):
    """Return the central difference along a direction, and the size of the loss."""
    losses = []
    for sign in (1, -1):
        setup["assign"]({name: (value + sign * step * direction[name]).astype(value.dtype)
                         for name, value in values.items()})
        losses.append(float(setup["loss"](batch)))
    return (losses[0] - losses[1]) / (2 * step), max(map(abs, losses))


@offered("variables", "assign", "loss", "gradients", "batches")
def gradient_flow(case: Case, setup: dict[str, Any]) -> Measured:
    """Find weights that the loss depends on and that get no gradient, or one that is zero or not finite.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    batch, values = first_batch(setup), setup["variables"]()
    slopes = arrays(setup["gradients"](batch))
    infinite = [name for name, value in slopes.items() if not np.isfinite(value).all()]
    if infinite:
        return ill(f"The gradient of {infinite[0]} is not finite, and so are {len(infinite) - 1} others.",
                   weights_without_finite_gradient=len(infinite), names=infinite[:20])
    floor = NOTHING * largest(slopes)
    silent = [name for name in values if name not in slopes or np.abs(slopes[name]).max(initial=0) <= floor]
    changes = _changes(setup, batch, silent, case.seed)
    limit = 1e-7 if double(setup) else 1e-4
    lost = [name for name in silent if not changes[name] <= limit]
    evidence = {"weights": len(values), "weights_without_gradient": len(silent),
                "of_these_the_loss_depends_on": len(lost),
                "limit": 0, "smallest_change_that_counts": limit}
    if not lost:
        return healthy(**evidence)
    return ill(f"The loss depends on {lost[0]}{' and ' + str(len(lost) - 1) + ' other weights' if lost[1:] else ''}, "
               f"and no "
               "gradient reaches it.", names=lost[:20], **evidence)


def _changes(setup, batch, names, seed):
    """Return by how much of itself the loss changes when a weight moves, for each weight alone."""
    draw, values = np.random.default_rng(seed), setup["variables"]()
    before, found = float(setup["loss"](batch)), {}
    for name in names:
        value = np.asarray(values[name])
        size = max(float(np.sqrt(np.mean(np.square(value, dtype=np.float64)))), 1e-2)
        setup["assign"]({name: (value + 0.3 * size * draw.standard_normal(value.shape)).astype(value.dtype)})
        found[name] = abs(float(setup["loss"](batch)) - before) / max(abs(before), 1e-3)
        setup["assign"]({name: value})
    return found

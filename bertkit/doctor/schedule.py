"""The learning rate over a run: does it rise, fall and end at 0, and is its peak one that the task bears?"""

import time
from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, healthy, ill, needs, suspect
from bertkit.doctor.setup import offered

MOST, FEW = 400, 16         # places of the schedule that are looked at, and those where movement is measured
SECONDS = 4.0               # that updates may take where the schedule shows in movement alone
# Of the peak: the rate of the last update; a linear fall over few steps ends at one step's part.
LAST, FAR_FROM_0 = 0.05, 0.4
# The largest peaks that are known to work, and from where none is: BERT, appendix A.3 (5e-5); Turc et al. 2019 (3e-4
# for small encoders); pre-training: ELECTRA small 5e-4, RoBERTa 7e-4, LAMB 1.8e-3.
RATES = {"pre-training": (1e-6, 2e-3, 1e-2), "fine-tuning": (1e-6, 2e-4, 5e-4)}
WARM = 1e-4                 # from this peak on a run begins with a warm-up


@offered("steps", fresh=True)
def schedule(case: Case, setup: dict[str, Any]) -> Measured:
    """Look at the rate of every update, or at what a constant gradient moves where no rate is offered.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    steps = int(setup["steps"])
    if steps < 2:
        return needs("steps: at least two planned updates")
    can_move = all(setup.get(name) for name in ("apply", "assign", "variables"))
    if setup.get("learning_rate"):
        places = np.unique(np.linspace(0, steps - 1, min(steps, MOST)).astype(int))
        rates = np.array([float(setup["learning_rate"](int(place))) for place in places])
        said = _of_rates(places, rates, steps)
        if said.verdict == "ill" or not can_move:
            return said
        moved = _movement(setup, {0, steps - 1, *np.linspace(0, steps - 1, FEW).astype(int).tolist()})
        return said if moved is None else _followed(moved, rates, said)
    moved = _movement(setup, set(range(steps))) if can_move else None
    if moved is None:
        return needs("learning_rate, or apply, assign and variables, in what training() gives")
    return _of_rates(np.arange(steps), moved, steps)


def _of_rates(places, rates, steps):
    """Return what rates at places of a run say."""
    if not np.isfinite(rates).all() or not np.abs(rates).max() > 0:
        return ill("The learning rate is not a number, or is always 0.", steps=steps, limit=0,
                   largest=float(np.nan_to_num(rates).max()))
    peak, top = float(rates.max()), int(rates.argmax())
    last, low = float(rates[-1]) / max(peak, 1e-30), float(rates.min())
    ends = max(LAST, 3 * (places[-1] - places[-2]) / steps)
    zeros = float((rates[top:] <= 1e-9 * peak).mean())
    evidence = {"peak": peak, "peak_at_step": int(places[top]), "first_of_peak": float(rates[0]) / max(peak, 1e-30),
                "last_of_peak": last, "limit_of_last": ends, "lowest": low, "steps": steps,
                "rates": [float(f"{rate:.6g}") for rate in rates[:: max(1, len(rates) // 60)]]}
    if low < 0:
        return ill("The learning rate becomes negative.", **evidence)
    if peak - low <= 1e-6 * peak:
        return ill("The learning rate never moves: it neither warms up nor falls.", **evidence)
    if last > FAR_FROM_0:
        return ill(f"The run ends at {last:.0%} of the peak instead of 0: the schedule is longer than the run, or "
                   f"never "
                   "falls.", **evidence)
    if zeros > 0.1:
        return ill(f"The rate is 0 for {zeros:.0%} of the run after its peak: the schedule is shorter than the run.",
                   **evidence)
    return _habits(evidence, rates, top, last, ends)


def _habits(evidence, rates, top, last, ends):
    """Return what is rarely right, and healthy for the rest."""
    falling = np.maximum.accumulate(rates[top:][::-1])[::-1] if top < len(rates) else rates
    jump = float((falling - rates[top:]).max()) / float(rates.max())
    if last > ends:
        return suspect(f"The run ends at {last:.0%} of the peak, not at 0.", **evidence)
    if evidence["first_of_peak"] > 0.5:
        return suspect("There is no warm-up: the first update has more than half of the peak.", **evidence)
    if top > 0.5 * len(rates):
        return suspect("The peak is in the second half of the run.", **evidence)
    if jump > 0.1:
        return suspect("After its peak the rate rises again.", **evidence)
    return healthy(**evidence)


def _movement(setup, places):
    """Return by how much the updates at some places of a run move a weight of 0, under a constant gradient.

    None where that takes too long, or where nothing moves. An optimiser that does not take a part of the gradients gets
    all of them.
    """
    setup["assign"]({name: np.zeros_like(np.asarray(value)) for name, value in setup["variables"]().items()})
    ones = {name: np.ones_like(np.asarray(value)) for name, value in setup["variables"]().items()}
    last = list(ones)[-1]                               # the head stands there, which every run trains
    try:
        setup["apply"]({last: ones[last]})
        gradients = {last: ones[last]}
    except Exception:                                   # whatever the optimiser raises on a part of the gradients
        gradients = ones
        setup["apply"](dict(ones))

    def value():
        return float(np.asarray(setup["variables"]()[last], np.float64).ravel()[0])

    began, moved, wanted, before = time.monotonic(), {0: -value()}, set(map(int, places)), value()
    for done in range(1, max(wanted) + 1):
        before = value() if done in wanted and done - 1 not in wanted else before
        setup["apply"](dict(gradients))
        if done in wanted:
            now = value()
            moved[done], before = before - now, now
        if time.monotonic() - began > SECONDS * (done + 1) / (max(wanted) + 1) + 2:
            return None
    found = np.array([moved[place] for place in sorted(wanted)])
    return found if np.abs(found).max() > 0 else None


def _followed(moved, rates, said):
    """Return `ill` where updates do not follow a schedule that falls to 0."""
    peak = float(np.abs(moved).max())
    falls = rates[-1] <= LAST * rates.max()
    last = float(np.abs(moved[-1])) / peak if peak else 0.0
    if peak and falls and last > FAR_FROM_0:
        return ill(f"The rate falls to 0, but the last update still moves a weight by {last:.0%} of the largest "
                   f"movement: "
                   "the optimiser does not follow the schedule.", last_movement=last, limit=FAR_FROM_0, **said.evidence)
    return said


@offered("learning_rate", "steps")
def learning_rate(case: Case, setup: dict[str, Any]) -> Measured:
    """Compare the peak with what the task is known to bear, and ask for a warm-up where the peak is high.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    places = np.unique(np.linspace(0, max(int(setup["steps"]) - 1, 0), MOST).astype(int))
    rates = np.array([float(setup["learning_rate"](int(place))) for place in places])
    if not np.isfinite(rates).all():
        return ill("The learning rate is not a number at some step.", steps=int(setup["steps"]),
                   limit=RATES["fine-tuning"][1])
    kind = "pre-training" if setup.get("task") == "mlm" else "fine-tuning"
    least, most, ruin = RATES[kind]
    peak, first = float(rates.max()), float(rates[0])
    evidence = {"peak": peak, "lower_limit": least, "upper_limit": most, "first": first, "kind": kind}
    if peak >= ruin:
        return ill(f"The peak of {peak:.2g} is more than {kind} bears ({most:g}).", **evidence)
    if peak < least / 10:
        return ill(f"At a peak of {peak:.2g} nothing is learnt ({least:g} at least).", **evidence)
    if not least <= peak <= most:
        return suspect(f"The peak of {peak:.2g} is outside of what {kind} is known to bear, {least:g} to {most:g}.",
                       **evidence)
    if peak > WARM and first > peak / 2:
        said = ill if kind == "pre-training" and peak >= 5e-4 else suspect
        return said(f"A peak of {peak:.2g} needs a warm-up; the first update has {first:.2g}.", **evidence)
    return healthy(**evidence)

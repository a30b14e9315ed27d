"""What checks of a training set-up share: what it offers, its numbers, and its forward pass as plain arrays."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bertkit.doctor.case import Batch, Case
from bertkit.doctor.finding import Measured, needs

IGNORED = -100
Arrays = dict[str, np.ndarray]


def offered(*names: str, fresh: bool = False) -> Callable[[Callable[[Case, dict[str, Any]], Measured]],
                                                          Callable[[Case], Measured]]:
    """Make a check of a function `(case, setup)`; without one of the named parts it says what it needs.

    Args:
        *names: The parts of a training set-up that the check uses, such as "gradients".
        fresh: Whether the check changes the set-up for good; the others share one, and put weights back.

    Returns:
        A decorator.
    """
    def decorate(check):
        @functools.wraps(check)
        def checked(case):
            if case.training is None:
                return needs("training: a function that gives a training set-up")
            setup = dict(case.training() if fresh else case.once("training", case.training))
            absent = [name for name in names if setup.get(name) is None or name == "batches" and not len(setup[name])]
            if absent:
                return needs(f"{', '.join(absent)} in what training() gives")
            return check(case, setup)
        return checked
    return decorate


def arrays(values: Mapping[str, Any]) -> Arrays:
    """Return a mapping of numbers as numpy arrays of float64; entries that are None are left out.

    Args:
        values: {name: array or None}.

    Returns:
        {name: float64 array of the same shape}.
    """
    return {name: np.asarray(value, np.float64) for name, value in values.items() if value is not None}


def first_batch(setup: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the first batch of a set-up that has a label which counts.

    Args:
        setup: What training() gave.

    Returns:
        The batch {name: int array [B,T], or labels [B]}.
    """
    batches = [{name: np.asarray(value) for name, value in batch.items()} for batch in setup["batches"]]
    return next((batch for batch in batches if (batch.get("labels", np.zeros(1)) != IGNORED).any()), batches[0])


def double(setup: Mapping[str, Any]) -> bool:
    """Return whether a set-up computes in float64, in which central differences are exact to seven digits.

    Args:
        setup: What training() gave.

    Returns:
        Whether all its variables are float64.
    """
    kinds = {np.asarray(value).dtype for value in setup["variables"]().values()}
    return kinds == {np.dtype("float64")}


def forward(setup: Mapping[str, Any], batch: Batch, training: bool = False) -> Arrays:
    """Return the outputs of a set-up by the names of the contract.

    Args:
        setup: What training() gave.
        batch: The batch.
        training: Whether dropout acts.

    Returns:
        {name: float64 array}.
    """
    found = setup["forward"](dict(batch), training)
    if not hasattr(found, "items"):
        found = {"logits": found}
    return {name: np.asarray(value, np.float64) for name, value in found.items()
            if not isinstance(value, list | tuple) and value is not None}


def logits_of(outputs: Arrays) -> np.ndarray | None:
    """Return the logits that a loss is made from.

    Args:
        outputs: What `forward` returned.

    Returns:
        float64 [B,C], [B,T,C] or [B,T,V]; None where there are none.
    """
    if {"start_logits", "end_logits"} <= outputs.keys():
        return np.stack([outputs["start_logits"], outputs["end_logits"]], -1)
    return next((outputs[name] for name in ("logits", "mlm_logits") if name in outputs), None)


def largest(values: Mapping[str, np.ndarray]) -> float:
    """Return the largest absolute entry of several arrays.

    Args:
        values: {name: float array of any shape}.

    Returns:
        The number; 0 where there is none.
    """
    return max((float(np.abs(value).max()) for value in values.values() if value.size), default=0.0)

"""Other weights for a subject that can be rebuilt: they show what the given ones hide, or silence some organs."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from bertkit.doctor.case import Batch, Case, Outputs
from bertkit.doctor.diagnosis import Diagnosis, diagnose, diagnosis
from bertkit.doctor.parts import arranged, spread
from bertkit.doctor.probes import mixed, settings_of
from bertkit.doctor.world import World

TABLES = ("word.weight", "position.weight", "segment.weight")
Changed = Mapping[str, np.ndarray]


def operated(case: Case, what: str, change: Callable[[dict[str, np.ndarray]], Changed]) -> tuple[World, Diagnosis]:
    """Return the subject with other weights, and what it computes with them.

    Args:
        case: A case with `build` and weights.
        what: The name of the operation, unique.
        change: From weights under our names, float64 arrays of the tensors' shapes, to those that change.

    Returns:
        The `World`, and its `Diagnosis`; faults that explain the answers with the given weights are not named again.

    Raises:
        Exception: What `build` or the new subject raises.
    """
    assert case.build is not None and case.weights is not None
    build, given = case.build, case.weights

    def make():
        settings, known = settings_of(case), diagnosis(case).faults
        weights = spread(change(arranged(given, settings)), given, settings)
        made = World(case, build(weights), weights, {"mixed": mixed(case)})
        return made, diagnose(made, known, deep=False)
    return case.once(f"operation: {what}", make)


def fresh(case: Case) -> tuple[World, Diagnosis]:
    """Rebuild the subject with random weights that look trained, so that every fault shows.

    Args:
        case: A case with `build` and weights.

    Returns:
        As `operated`.
    """
    draw = np.random.default_rng([19, case.seed])
    gain = 1.0 if settings_of(case).layers <= 6 else 0.7

    def new(name, value):
        noise = draw.standard_normal(value.shape)
        if "norm" in name.lower():
            return 1 + 0.2 * noise if name.endswith("weight") else 0.1 * noise
        if name in TABLES:
            return 0.05 * noise
        return noise * (0.1 if value.ndim == 1 else gain / math.sqrt(value.shape[1]))
    return operated(case, "fresh", lambda parts: _shared(parts, new))


def small(case: Case) -> tuple[World, Diagnosis]:
    """Rebuild the subject so that every LayerNorm receives a variance near the config's epsilon.

    With attention and feed-forward silenced and gamma = 2√ε, beta = 0, each norm maps a variance v to 4ε·v / (v + ε),
    whose fixed point is 3ε: every norm divides by √(4ε), and another epsilon multiplies the result once for each norm.

    Args:
        case: A case with `build` and weights.

    Returns:
        As `operated`.
    """
    epsilon = settings_of(case).epsilon
    draw = np.random.default_rng([23, case.seed])

    def new(name, value):
        if "norm" in name.lower():
            return np.full(value.shape, 2 * math.sqrt(epsilon) if name.endswith("weight") else 0.0)
        if name in TABLES:
            return draw.standard_normal(value.shape) * math.sqrt(epsilon)
        if name.endswith(".bias") or name.split(".")[-2] in ("output", "outer"):
            return np.zeros(value.shape)
        return value
    return operated(case, "small", lambda parts: _shared(parts, new) | _identity(parts))


def _identity(parts):
    """Return a projection of the embeddings that keeps their variance."""
    found = {}
    if "projection.weight" in parts:
        shape = parts["projection.weight"].shape
        found["projection.weight"] = np.random.default_rng(29).standard_normal(shape) / math.sqrt(shape[1])
        found["projection.bias"] = np.zeros(shape[0])
    return found


def silenced(case: Case, *parts: str) -> tuple[World, Diagnosis]:
    """Rebuild the subject without some organs: their last weights and biases are 0.

    Args:
        case: A case with `build` and weights.
        *parts: "output" for attention, "outer" for the feed-forward network, "value" for the values' weights.

    Returns:
        As `operated`.
    """
    def new(name, value):
        part, leaf = name.split(".")[-2:]
        off = name.startswith("layer.") and part in parts and (part != "value" or leaf == "weight")
        return np.zeros_like(value) if off else value
    return operated(case, "silenced " + ", ".join(parts), lambda given: _shared(given, new))


def bare(case: Case) -> tuple[World, Diagnosis]:
    """Rebuild the subject without blocks, with gamma 1 and beta 0 in every norm, and tables so large that ε is nothing.

    Args:
        case: A case with `build` and weights.

    Returns:
        As `operated`.
    """
    def new(name, value):
        if "norm" in name.lower():
            return np.full_like(value, 1.0 if name.endswith("weight") else 0.0)
        if name in TABLES:
            return 100 * value
        off = name.startswith("layer.") and name.split(".")[-2] in ("output", "outer")
        return np.zeros_like(value) if off else value
    return operated(case, "bare", lambda given: _shared(given, new))


def swept(case: Case) -> tuple[World, Diagnosis]:
    """Rebuild the subject so that the feed-forward network alone acts, on numbers from -4 to 4.

    The inner kernel is 0 and its bias sweeps; the outer kernel hands one unit to each feature: x = norm(x + f(bias)).

    Args:
        case: A case with `build` and weights.

    Returns:
        As `operated`.
    """
    def new(name, value):
        part, leaf = ("." + name).split(".")[-2:]
        if not name.startswith("layer.") or part not in ("output", "inner", "outer"):
            return value
        if part == "inner" and leaf == "bias":
            return np.random.default_rng(31).permutation(np.linspace(-4, 4, value.size))
        return np.eye(*value.shape) if part == "outer" and leaf == "weight" else np.zeros_like(value)
    return operated(case, "swept", lambda given: _shared(given, new))


def loud(case: Case) -> Callable[[Batch], Outputs]:
    """Rebuild the subject with keys so large that a weak mask leaks: twenty times as large, scores reach about 100.

    Args:
        case: A case with `build` and weights.

    Returns:
        The new subject.

    Raises:
        Exception: What `build` raises.
    """
    assert case.build is not None and case.weights is not None
    settings = settings_of(case)

    def new(name, value):
        key = name.startswith("layer.") and name.split(".")[-2] == "key"
        return value * 20 if key else value
    return case.build(spread(_shared(arranged(case.weights, settings), new), case.weights, settings))


def _shared(parts, new):
    """Return {name: new(name, value)}; layers that share an array share the new one."""
    made: dict[int, np.ndarray] = {}
    return {name: made.setdefault(id(value), new(name, value)) for name, value in parts.items()}

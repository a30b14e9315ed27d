"""Faults of half precision: what overflows or is lost in float16."""

import numpy as np

from bertkit.doctor.faults import Faults, Mutant

LARGEST = 65504.0       # of float16


def faults(precision: str) -> Faults:
    """Return the faults of a precision.

    Args:
        precision: float32, float16, bfloat16 or int8.

    Yields:
        Mutants of `precision`.
    """
    if precision != "float16":
        return
    yield Mutant("precision", "loses LayerNorm's squares: they overflow in float16", {"normal": _squares})
    yield Mutant("precision", "loses LayerNorm's sum of squares: it overflows in float16", {"normal": _sum_of_squares})
    yield Mutant("precision", "cuts off what is larger than float16's largest number", {"linear": _clipped})


def _half(x):
    return np.where(np.abs(x) > LARGEST, np.sign(x) * np.inf, x)


def _squares(self, x, name):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt(_half(centred * centred).mean(-1, keepdims=True) + self.epsilon(name))


def _sum_of_squares(self, x, name):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt(_half(_half(centred * centred).sum(-1, keepdims=True)) / x.shape[-1] + self.epsilon(name))


def _clipped(self, x, name):
    return np.clip(self.product(x, name) + self.weights.get(f"{name}.bias", 0), -LARGEST, LARGEST)

"""Faults of LayerNorm and of its epsilon."""

import numpy as np

from bertkit.doctor.faults import Faults, Mutant
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import Settings

EPSILONS = (1e-3, 1e-5, 1e-6, 1e-12, 1e-7, 1e-8, 1e-2, 1e-4)
SWAPPED = {"attention_norm": "output_norm", "output_norm": "attention_norm"}


def faults(settings: Settings) -> Faults:
    """Return the faults of LayerNorm.

    Args:
        settings: The encoder's `Settings`.

    Yields:
        Mutants of `layer-norm` and `layer-norm-eps`.
    """
    last = settings.layers * settings.repeated - 1
    places = {"": lambda name: True, " after the embeddings": lambda name: name == "norm",
              " after attention": lambda name: name.endswith(".attention_norm"),
              " after the feed-forward network": lambda name: name.endswith(".output_norm"),
              " of the last layer": lambda name: name == f"layer.{last}.output_norm"}
    for where, some in places.items():
        yield from _normals(where, some)
    yield Mutant("layer-norm", "exchanges the two norms of a block", {"norm": _swapped})
    for what, freedom in (("the standard deviation", 0), ("the unbiased standard deviation", 1)):
        yield Mutant("layer-norm", f"divides by {what} plus a number", {}, range=(1e-9, 1e-1, _plus(freedom)))
    for where, some in places.items():
        yield from _epsilons(settings.epsilon, where, some)


def _plus(freedom):
    """Return the norm that divides by the standard deviation plus a number."""
    return lambda value: {"normal": lambda self, x, name: (x - x.mean(-1, keepdims=True)) / (
        x.std(-1, keepdims=True, ddof=freedom) + value)}


def _normals(where, some):
    """Yield other functions in place of the norm, in `some` places."""
    def biased(x):
        return (x * x).mean(-1, keepdims=True)

    def off(x):
        return x - x.mean(-1, keepdims=True)

    def normal(compute):
        return {"normal": lambda self, x, name: compute(x, self.dtype(self.epsilon(name))) if some(name)
                else Encoder.normal(self, x, name)}

    def unbiased(x):
        return off(x).std(-1, keepdims=True, ddof=1)

    for what, compute, telling in (
            ("divides by the unbiased standard deviation", lambda x, e: off(x) / np.sqrt(unbiased(x) ** 2 + e), True),
            ("divides by the unbiased standard deviation plus epsilon", lambda x, e: off(x) / (unbiased(x) + e), False),
            ("divides by the unbiased standard deviation plus 1e-6", lambda x, e: off(x) / (unbiased(x) + 1e-6), False),
            ("divides by the standard deviation plus epsilon", lambda x, e: off(x) / (np.sqrt(biased(off(x))) + e),
             False),
            ("divides by the standard deviation plus 1e-6", lambda x, e: off(x) / (np.sqrt(biased(off(x))) + 1e-6),
             False),
            ("does not subtract the mean", lambda x, e: x / np.sqrt(biased(x) + e), False),
            ("divides by the root of the mean square, and does subtract the mean",
             lambda x, e: off(x) / np.sqrt(biased(x) + e), False),
            ("divides by the variance, not by its root", lambda x, e: off(x) / (biased(off(x)) + e), False),
            ("subtracts the mean and does not divide", lambda x, e: off(x), False),
            ("divides by the norm of the vector", lambda x,
             e: off(x) / np.sqrt((off(x) ** 2).sum(-1, keepdims=True) + e), False),
            ("takes mean and variance over the tokens", lambda x, e: _over(x, (1,), e), False),
            ("takes mean and variance over tokens and features", lambda x, e: _over(x, (1, 2), e), False),
            ("takes mean and variance over the batch", lambda x, e: _over(x, (0,), e), False)):
        yield Mutant("layer-norm", f"{what}{where}", normal(compute), telling and not where)
    if where != " after the embeddings":        # there `embeddings` names it
        yield Mutant("layer-norm", f"leaves out the norm{where}", _norm(some, lambda self, x, name: x))
    for what, whole in (
            ("gamma", lambda self, x, name: self.normal(x, name) + self.weights.get(f"{name}.bias", 0)),
            ("beta", lambda self, x, name: self.normal(x, name) * self.weights[f"{name}.weight"]),
            ("gamma and beta", lambda self, x, name: self.normal(x, name))):
        yield Mutant("layer-norm", f"leaves out {what}{where}", _norm(some, whole))
    for what, whole in (
            ("exchanges gamma and beta", lambda self, x, name: self.normal(x, name) * self.weights[f"{name}.bias"]
             + self.weights[f"{name}.weight"]),
            ("multiplies by 1 + gamma", lambda self, x,
             name: self.normal(x, name) * (1 + self.weights[f"{name}.weight"])
             + self.weights[f"{name}.bias"]),
            ("adds beta before it multiplies by gamma", lambda self, x, name: (self.normal(x, name)
             + self.weights[f"{name}.bias"]) * self.weights[f"{name}.weight"])):
        yield Mutant("layer-norm", f"{what}{where}", _norm(some, whole))


def _norm(some, compute):
    return {"norm": lambda self, x, name: compute(self, x, name) if some(name) else Encoder.norm(self, x, name)}


def _over(x, axes, epsilon):
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axes, keepdims=True) + epsilon)


def _swapped(self, x, name):
    stem, _, part = name.rpartition(".")
    return Encoder.norm(self, x, f"{stem}.{SWAPPED[part]}" if part in SWAPPED else name)


def _epsilons(right, where, some):
    """Yield other epsilons in `some` places."""
    def methods(value):
        return {"epsilon": lambda self, name: value if some(name) else Encoder.epsilon(self, name)}

    for value in EPSILONS:
        if abs(value - right) > 1e-3 * right:
            yield Mutant("layer-norm-eps", f"adds an epsilon of {value:g}, not {right:g}{where}",
                         methods(value), telling=not where and value in EPSILONS[:4])
    yield Mutant("layer-norm-eps", f"adds another epsilon than {right:g}{where}", {}, range=(1e-14, 1.0, methods))

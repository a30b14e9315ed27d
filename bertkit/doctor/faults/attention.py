"""Faults of attention: scale, softmax, heads, direction, projections."""

import itertools
import math

import numpy as np

from bertkit.doctor.faults import Faults, Mutant
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import Settings

PARTS = ("query", "key", "value", "output")


def faults(settings: Settings) -> Faults:
    """Return the faults of attention.

    Args:
        settings: The encoder's `Settings`.

    Yields:
        Mutants of the checks of attention.
    """
    yield from _scales(settings)
    yield from _softmaxes()
    yield from _heads(settings)
    yield from _directions(settings)
    yield from _projections(settings)


def _scales(settings):
    wide, head, heads = settings.hidden, settings.head, settings.heads
    for what, value in (("the root of the hidden size", 1 / math.sqrt(wide)), ("nothing", 1.0),
                        ("the head size", 1 / head),
                        ("the root of the number of heads", 1 / math.sqrt(heads)), ("the hidden size", 1 / wide)):
        yield Mutant("attention-scale", f"divides the scores by {what}", {"scale": value},
                     telling=value * wide ** 0.5 == 1)
    yield Mutant("attention-scale", "divides the scores by the root of the number of tokens", {
        "scores": lambda self, query, key: query @ key.swapaxes(-1, -2) / math.sqrt(query.shape[2])})
    yield Mutant("attention-scale", "multiplies the scores by the root of the head size", {"scale": math.sqrt(head)})
    yield Mutant("attention-scale", "scales the scores by another number", {},
                 range=(1e-4, 1e2, lambda value: {"scale": value}))


def _softmaxes():
    def over(axis):
        def softmax(self, scores, seen):
            grown = np.exp(scores - scores.max(axis, keepdims=True))
            return grown / grown.sum(axis, keepdims=True)
        return softmax

    def late(self, scores, seen):
        """Mask after the softmax, without a second division."""
        return Encoder.softmax(self, scores, seen) * seen

    def one_more(self, scores, seen):
        top = np.maximum(scores.max(-1, keepdims=True), 0)
        grown = np.exp(scores - top)
        return grown / (np.exp(-top) + grown.sum(-1, keepdims=True))

    def bare(self, scores, seen):
        return np.where(seen, scores, 0)

    def kept(self, scores, seen):
        return scores

    yield Mutant("attention-softmax", "takes the softmax over the queries", {"softmax": over(-2)}, telling=True)
    yield Mutant("attention-softmax", "takes the softmax over the heads", {"softmax": over(1)})
    yield Mutant("attention-softmax", "takes the softmax over the batch", {"softmax": over(0)})
    yield Mutant("attention-softmax", "masks after the softmax, so that rows do not sum to one",
                 {"softmax": late, "masked": kept})
    yield Mutant("attention-softmax", "adds 1 below the softmax", {"softmax": one_more})
    yield Mutant("attention-softmax", "leaves out the softmax", {"softmax": bare})
    yield Mutant("attention-softmax", "takes a sigmoid in place of the softmax",
                 {"softmax": lambda self, scores, seen: 0.5 * (1 + np.tanh(scores / 2))})
    yield Mutant("attention-softmax", "does not divide by the sum",
                 {"softmax": lambda self, scores, seen: np.exp(np.minimum(scores, 80))})
    yield Mutant("attention-softmax", "takes ReLU in place of the exponential",
                 {"softmax": lambda self, scores, seen: np.maximum(scores, 0)})
    yield Mutant("attention-softmax", "takes the softmax twice", {"softmax": lambda self, scores, seen: Encoder.softmax(
        self, self.masked(Encoder.softmax(self, scores, seen), seen), seen)})


def _heads(settings):
    def flat(self, x):
        """[B,T,D] read as [B,N,T,H] in memory's order."""
        return x.reshape(x.shape[0], self.heads, x.shape[1], -1)

    def unflat(self, x):
        return x.reshape(x.shape[0], x.shape[2], -1)

    def woven(self, x):
        return x.reshape(*x.shape[:2], -1, self.heads).transpose(0, 3, 1, 2)

    def unwoven(self, x):
        return x.transpose(0, 2, 3, 1).reshape(x.shape[0], x.shape[2], -1)

    def backwards(self, x):
        return Encoder.merge(self, x[:, ::-1])

    for what, methods in (("merges heads without a transpose", {"merge": unflat}),
                          ("splits heads without a transpose", {"split": flat}),
                          ("splits and merges heads without a transpose", {"split": flat, "merge": unflat}),
                          ("splits as (feature, head)", {"split": woven}),
                          ("merges as (feature, head)", {"merge": unwoven}),
                          ("splits and merges as (feature, head)", {"split": woven, "merge": unwoven}),
                          ("merges heads in the opposite order", {"merge": backwards}),
                          ("uses the first head everywhere", {"merge": lambda self, x: Encoder.merge(
                              self, np.repeat(x[:, :1], x.shape[1], 1))}),
                          ("rolls the heads by one", {"merge": lambda self, x: Encoder.merge(self, np.roll(x, 1, 1))})):
        yield Mutant("attention-heads", what, methods, telling=methods == {"merge": unflat})
    for heads in (n for n in range(1, settings.hidden + 1) if settings.hidden % n == 0 and n != settings.heads):
        yield Mutant("attention-heads", f"has {heads} heads, not {settings.heads}",
                     {"heads": heads, "scale": 1 / math.sqrt(settings.hidden // heads)})
        yield Mutant("attention-heads", f"has {heads} heads, and divides as with {settings.heads}",
                     {"heads": heads})


def _directions(settings):
    def with_rule(rule):
        def seen(self, ids, mask):
            place = np.arange(ids.shape[1])
            return (mask > 0)[:, None, None, :] & rule(place[:, None], place)
        return {"seen": seen}

    if settings.causal:
        yield Mutant("attention-direction", "sees later tokens, although config.json says is_decoder",
                     with_rule(lambda query, key: query == query), telling=True)
    else:
        yield Mutant("attention-direction", "has a causal mask: no token sees a later one",
                     with_rule(lambda query, key: key <= query), telling=True)
    yield Mutant("attention-direction", "lets no token see an earlier one", with_rule(lambda query, key: key >= query))
    yield Mutant("attention-direction", "lets no token see itself", with_rule(lambda query, key: key != query))
    yield Mutant("attention-direction", "lets no token see itself or a later one",
                 with_rule(lambda query, key: key < query))
    for window in (1, 2, 3, 4, 8):
        yield Mutant("attention-direction", f"sees {window} tokens on either side",
                     with_rule(lambda query, key, window=window: abs(query - key) <= window))


def _projections(settings):
    def reads(**names):
        """A `product` or `linear` that reads other places."""
        def other(name):
            stem, _, part = name.rpartition(".")
            return f"{stem}.{names[part]}" if stem.startswith("layer.") and part in names else name
        return other

    def transposed(parts):
        def product(self, x, name):
            turned = name.startswith("layer.") and name.rpartition(".")[2] in parts
            return x @ self.weights[f"{name}.weight"] if turned else Encoder.product(self, x, name)
        return {"product": product}

    def unbiased(parts):
        def linear(self, x, name):
            without = name.startswith("layer.") and name.rpartition(".")[2] in parts
            return self.product(x, name) if without else Encoder.linear(self, x, name)
        return {"linear": linear}

    yield Mutant("projections", "uses the kernels of query, key and value transposed", transposed(PARTS[:3]),
                 telling=True)
    yield Mutant("projections", "uses all four kernels transposed", transposed(PARTS))
    for number in (1, 2, 3):
        for parts in itertools.combinations(PARTS, number):
            if parts != PARTS[:3]:
                yield Mutant("projections", f"uses the kernel of {' and '.join(parts)} transposed", transposed(parts))
    if settings.inner == settings.hidden:
        yield Mutant("projections", "uses the kernels of the feed-forward network transposed",
                     transposed(("inner", "outer")))
    for order in itertools.permutations(PARTS):
        if order == PARTS:
            continue
        named = ", ".join(f"{new} for {old}" for old, new in zip(PARTS, order, strict=True) if old != new)
        where = reads(**dict(zip(PARTS, order, strict=True)))
        yield Mutant("projections", f"takes {named}",
                     {"linear": lambda self, x, name, where=where: Encoder.linear(self, x, where(name))})
    for one, other in itertools.permutations(PARTS, 2):
        where = reads(**{one: other})
        yield Mutant("projections", f"takes {other} for {one} too",
                     {"linear": lambda self, x, name, where=where: Encoder.linear(self, x, where(name))})
    for parts in (("query",), ("value",), ("output",), ("query", "key", "value"), PARTS):
        yield Mutant("projections", f"leaves out the bias of {' and '.join(parts)}", unbiased(parts))
    yield Mutant("projections", "leaves out the output projection", {"linear": lambda self, x, name: x
                 if name.startswith("layer.") and name.endswith(".output") else Encoder.linear(self, x, name)})

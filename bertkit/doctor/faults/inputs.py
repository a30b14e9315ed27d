"""Faults of the embeddings, positions and segments."""

import math

import numpy as np

from bertkit.doctor.faults import Faults, Mutant
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import Settings


def faults(settings: Settings) -> Faults:
    """Return the faults of what enters the first block.

    Args:
        settings: The encoder's `Settings`.

    Yields:
        Mutants of `positions`, `segments` and `embeddings`.
    """
    yield from _positions(settings)
    yield from _segments()
    yield from _embeddings(settings)


def _positions(settings):
    def counted(rule):
        return {"places": lambda self, ids, mask: rule(np.arange(ids.shape[1]) + 0 * ids, ids, mask)}

    pad = settings.pad
    rules = {
        "counts real tokens by the mask, from 0": lambda place, ids, mask: np.maximum(np.cumsum(mask, 1) - 1, 0),
        "counts real tokens by the mask, from 1, padding at 0": lambda place, ids, mask: np.cumsum(mask, 1) * mask,
        "counts tokens by the mask, from the pad id + 1": lambda place, ids, mask: np.cumsum(mask, 1) * mask + pad,
        "counts tokens whose id is not padding, from 0": lambda place, ids, mask:
            np.maximum(np.cumsum(ids != pad, 1) - 1, 0),
        "counts tokens whose id is not padding, from 1": lambda place, ids,
             mask: np.cumsum(ids != pad, 1) * (ids != pad),
        "counts tokens whose id is not padding, from the pad id + 1":
            lambda place, ids, mask: np.cumsum(ids != pad, 1) * (ids != pad) + pad,
        "counts from the last token": lambda place, ids, mask: place[:, ::-1],
        "gives every token position 0": lambda place, ids, mask: 0 * place,
        "stops at half of the table": lambda place, ids, mask: np.minimum(place, settings.table // 2 - 1),
        "begins again after half of the table": lambda place, ids, mask: place % max(1, settings.table // 2)}
    if settings.counted:
        yield Mutant("positions", "counts from 0, padding too", counted(lambda place, ids, mask: place), telling=True)
        rules |= {"counts from the pad id": lambda place, ids, mask: np.cumsum(ids != pad, 1) * (ids != pad) + pad - 1}
    for start in (1, 2, -1, pad + 1):
        at = counted(lambda place, ids, mask, start=start: np.maximum(place + start, 0))
        yield Mutant("positions", f"counts from {start}, padding too", at, telling=start == 1)
    right = "counts tokens whose id is not padding, from the pad id + 1" if settings.counted else None
    for what, rule in rules.items():
        if what != right:
            yield Mutant("positions", what, counted(rule))
    yield Mutant("positions", "adds no positions", {"position": lambda self, ids, mask: 0})
    yield Mutant("positions", "adds sines and cosines in place of the table", {"position": _waves})
    for end in (size for size in (8, 16, 32, 64, 128, 256, 512, 1024) if size < settings.table):
        yield Mutant("positions", f"gives all tokens after the first {end} the last of their positions", counted(
            lambda place, ids, mask, end=end: np.minimum(place, end - 1)))
        yield Mutant("positions", f"begins again after {end} positions", counted(
            lambda place, ids, mask, end=end: place % end))


def _waves(self, ids, mask):
    """Positions of Vaswani et al. 2017, section 3.5."""
    wide = self.weights["word.weight"].shape[1]
    angle = np.arange(ids.shape[1])[:, None] / 10000 ** (np.arange(0, wide, 2) / wide)
    return np.stack([np.sin(angle), np.cos(angle)], -1).reshape(ids.shape[1], -1)[:, :wide]


def _segments():
    def read(rule):
        return {"segment": lambda self, segments: Encoder.segment(self, rule(segments))}

    yield Mutant("segments", "reads row 0 for every token", read(lambda segments: 0 * segments), telling=True)
    yield Mutant("segments", "adds no row of the segment table", {"segment": lambda self, segments: 0})
    yield Mutant("segments", "takes row 1 for segment 0 and row 0 for segment 1", read(lambda segments: 1 - segments))
    yield Mutant("segments", "reads row 1 for every token", read(lambda segments: 0 * segments + 1))
    yield Mutant("segments", "reads the next row", read(lambda segments: segments + 1))
    yield Mutant("segments", "multiplies the segment id by row 1", {
        "segment": lambda self, segments: segments[..., None] * self.weights["segment.weight"][-1]})


def _embeddings(settings):
    def summed(self, ids, mask, segments, word=1.0, others=1.0):
        return self.word(ids) * word + (self.position(ids, mask) + self.segment(segments)) * others

    def bare(self, ids, mask, segments):
        return self.project(summed(self, ids, mask, segments))

    def word_norm(self, ids, mask, segments):
        x = self.norm(self.word(ids), "norm") + self.position(ids, mask) + self.segment(segments)
        return self.project(x)

    def early_norm(self, ids, mask, segments):
        return self.project(self.norm(self.word(ids) + self.position(ids, mask), "norm") + self.segment(segments))

    def kind_norm(self, ids, mask, segments):
        return self.project(self.norm(self.word(ids) + self.segment(segments), "norm") + self.position(ids, mask))

    def twice(self, ids, mask, segments):
        return self.project(self.norm(self.norm(summed(self, ids, mask, segments), "norm"), "norm"))

    def times(self, ids, mask, segments):
        return self.project(self.norm(self.word(ids) * self.position(ids, mask) + self.segment(segments), "norm"))

    def scaled(value):
        return {"embed": lambda self, ids, mask, segments: self.project(self.norm(
            summed(self, ids, mask, segments, value), "norm"))}

    def scaled_after(value):
        return {"project": lambda self, x: Encoder.project(self, x) * value}

    yield Mutant("embeddings", "does not normalise the sum", {"embed": bare}, telling=True)
    for what, embed in (("normalises the word rows alone", word_norm), ("adds the segments after the norm", early_norm),
                        ("adds the positions after the norm", kind_norm), ("normalises twice", twice),
                        ("multiplies words by positions", times)):
        yield Mutant("embeddings", what, {"embed": embed})
    wide = settings.hidden
    for what, value in (("the root of the hidden size", math.sqrt(wide)), ("one over that root", 1 / math.sqrt(wide))):
        yield Mutant("embeddings", f"multiplies the word rows by {what}", scaled(value))
        yield Mutant("embeddings", f"multiplies the normalised sum by {what}", scaled_after(value))
    yield Mutant("embeddings", "multiplies the word rows", {}, range=(1e-2, 1e2, scaled))
    yield Mutant("embeddings", "multiplies the normalised sum", {}, range=(1e-2, 1e2, scaled_after))
    yield Mutant("embeddings", "leaves out the bias of the projection", {"project": lambda self, x: self.product(
        x, "projection") if "projection.weight" in self.weights else x})
    yield Mutant("embeddings", "shifts the ids by one", {"word": lambda self, ids: Encoder.word(
        self, np.minimum(ids + 1, self.settings.vocabulary - 1))})
    yield Mutant("embeddings", "gives padding a row of zeros", {"word": lambda self, ids: Encoder.word(self, ids)
                 * (ids != self.settings.pad)[..., None]})

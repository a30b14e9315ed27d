"""Batches of a corpus; what comes at a step is a pure function of (seed, step)."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from bertkit.corpus.make import fingerprint
from bertkit.corpus.order import Shuffle
from bertkit.corpus.packing import packed
from bertkit.corpus.randomness import uniform
from bertkit.corpus.rows import DRAWS, alone
from bertkit.corpus.shards import Shards
from bertkit.errors import Error
from bertkit.text import Tokenizer


@dataclass(frozen=True, eq=False)
class CorpusSampler:
    """A shuffled walk over `shards`, epoch after epoch, `batch_size` rows a step.

    `arrange` makes a row's texts of a record (see `corpus.rows`). Each row has a key, of which all that is drawn for it
    is a function: another one each time it comes, or, where `masks` is a number, one of so many for each record (static
    masking; Devlin et al. 2018's code, `dupe_factor`). `part` is (i, n): the i-th of n equal parts of each batch.
    `packed` puts several short rows in one (see `corpus.packing`).
    """

    shards: Shards
    tokenizer: Tokenizer
    batch_size: int
    seed: int = 0
    arrange: object = alone
    masks: int | None = None
    part: tuple = (0, 1)
    packed: bool = False

    def __post_init__(self):
        if self.batch_size < 1 or self.batch_size % self.part[1]:
            raise Error(f"batch_size={self.batch_size}; give 1 or more, a multiple of the {self.part[1]} workers.")
        if fingerprint(self.tokenizer) != self.shards.metadata["vocabulary"]:
            raise Error(f"{self.shards.folder} was made with another vocabulary, of "
                        f"{self.shards.metadata['vocabulary']['entries']} entries, than this one of "
                        f"{len(self.tokenizer)}; give the same one, or make the corpus again.")

    @cached_property
    def length(self):
        """Tokens of the longest row."""
        return self.shards.metadata["length"]

    def batch(self, step):
        """Return {"token_ids", "segment_ids", "padding_mask" int32 [B,T], "keys" int64 [B], "pair_labels" int32 [B]}.

        T is the longest row's. Packed, B is smaller, there are no labels, and "packed_ids" and "position_ids" [B,T].
        """
        size = self.batch_size // self.part[1]
        numbers = step * self.batch_size + self.part[0] * size + np.arange(size)
        found = [self._place(int(number)) for number in numbers]
        keys = np.array([key for _, key in found], "int64")
        chances = uniform(self.seed, "rows", keys, DRAWS)
        made = [self.arrange(self.shards, record, draws)
                for (record, _), draws in zip(found, chances, strict=True)]
        rows = [self.tokenizer.pack_ids(first.tolist(), None if second is None else second.tolist(), self.length)
                for first, second, _ in made]
        if self.packed:
            return packed(self.tokenizer, rows, keys, self.length)
        return {**self.tokenizer.batch(rows, max(len(ids) for ids, _ in rows)), "keys": keys,
                "pair_labels": np.array([label for *_, label in made], "int32")}

    def _place(self, number):
        """Return the record and the key of the row `number`, counted from the run's first."""
        epoch, place = divmod(number, len(self.shards))
        record = _shuffle(len(self.shards), (self.seed, epoch))(place)
        return record, number if self.masks is None else record + len(self.shards) * (epoch % self.masks)


_shuffle = lru_cache(maxsize=8)(Shuffle)


@dataclass(frozen=True, eq=False)
class Phases:
    """Walks one after the other, each for so many steps: shorter rows first, then longer ones.

    Devlin et al. 2018, appendix A.2: 90 % of the steps with 128 tokens, the rest with 512.
    """

    samplers: tuple
    steps: tuple

    @property
    def total(self):
        """Steps of all phases."""
        return sum(self.steps)

    def batch(self, step):
        """Return the batch of a step of the run, see `CorpusSampler.batch`."""
        sampler, step = self.at(step)
        return sampler.batch(step)

    def at(self, step):
        """Return the walk that a step of the run is in, and which step of it this is; the last walk has no end."""
        for sampler, steps in zip(self.samplers[:-1], self.steps, strict=False):
            if step < steps:
                return sampler, step
            step -= steps
        return self.samplers[-1], step

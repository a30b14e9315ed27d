"""Draw batches from a corpus. The batch of a step is a pure function of (seed, step)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from bertkit.corpus.make import fingerprint
from bertkit.corpus.order import Shuffle
from bertkit.corpus.packing import pack_rows
from bertkit.corpus.randomness import uniform
from bertkit.corpus.rows import DRAWS, one_segment
from bertkit.corpus.shards import Shards
from bertkit.errors import Error
from bertkit.text import Tokenizer


@dataclass(frozen=True, eq=False)
class CorpusSampler:
    """Batches of a shuffled corpus, epoch after epoch, `batch_size` rows a step.

    Each row has a key, and all that is drawn for the row is a function of it.

    Args:
        shards: The `Shards` of the corpus.
        tokenizer: The `Tokenizer` that the corpus was made with.
        batch_size: Rows of a step, over all workers.
        seed: The seed of the shuffles and of the draws.
        arrange: The function that makes a row's texts from a record (see `corpus.rows`).
        masks: None gives a record another key each time it comes. A number gives it one of so many keys (static
            masking; Devlin et al. 2018's code, `dupe_factor`).
        part: (i, n): this sampler gives the i-th of n equal parts of each batch, i from 0.
        packed: Put several short texts in one row (see `corpus.packing`).

    Raises:
        Error: when `batch_size` is below 1 or no multiple of the number of parts, or when the corpus was made with
            another vocabulary.
    """

    shards: Shards
    tokenizer: Tokenizer
    batch_size: int
    seed: int = 0
    arrange: Callable[..., Any] = one_segment
    masks: int | None = None
    part: tuple[int, int] = (0, 1)
    packed: bool = False

    def __post_init__(self):
        if self.batch_size < 1 or self.batch_size % self.part[1]:
            raise Error(f"batch_size={self.batch_size} came; give 1 or more, a multiple of the {self.part[1]} workers.")
        if fingerprint(self.tokenizer) != self.shards.metadata["vocabulary"]:
            raise Error(f"{self.shards.folder} was made with another vocabulary, of "
                        f"{self.shards.metadata['vocabulary']['entries']} entries, than this one of "
                        f"{len(self.tokenizer)}; give the same one, or make the corpus again.")

    @cached_property
    def length(self) -> int:
        """The most tokens of a row."""
        return self.shards.metadata["length"]

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Return the batch of a step.

        Args:
            step: The number of the step, from 0.

        Returns:
            "token_ids", "segment_ids" and "padding_mask" int32 [B,T], T the longest row's; "keys" int64 [B];
            "pair_labels" int32 [B]. When texts are packed, B is smaller, there are no labels, and there are
            "packed_ids" and "position_ids" [B,T].
        """
        size = self.batch_size // self.part[1]
        numbers = step * self.batch_size + self.part[0] * size + np.arange(size)
        places = [self._place(int(number)) for number in numbers]
        keys = np.array([key for _, key in places], "int64")
        all_draws = uniform(self.seed, "rows", keys, DRAWS)
        texts = [self.arrange(self.shards, record, draws)
                 for (record, _), draws in zip(places, all_draws, strict=True)]
        rows = [self.tokenizer.pack_ids(first.tolist(), None if second is None else second.tolist(), self.length)
                for first, second, _ in texts]
        if self.packed:
            return pack_rows(self.tokenizer, rows, keys, self.length)
        return {**self.tokenizer.batch(rows, max(len(ids) for ids, _ in rows)), "keys": keys,
                "pair_labels": np.array([label for *_, label in texts], "int32")}

    def _place(self, number):
        """Return the record and the key of the row `number`, counted from the run's first."""
        epoch, place = divmod(number, len(self.shards))
        record = _shuffle(len(self.shards), (self.seed, epoch))(place)
        return record, number if self.masks is None else record + len(self.shards) * (epoch % self.masks)


_shuffle = lru_cache(maxsize=8)(Shuffle)


@dataclass(frozen=True, eq=False)
class PhasedSampler:
    """Samplers one after the other, each for a number of steps: shorter rows first, then longer ones.

    Devlin et al. 2018, appendix A.2: 90 % of the steps with 128 tokens, the rest with 512.

    Args:
        samplers: The `CorpusSampler` of each phase.
        steps: The number of steps of each phase.
    """

    samplers: tuple[CorpusSampler, ...]
    steps: tuple[int, ...]

    @property
    def total(self) -> int:
        """The number of steps of all phases."""
        return sum(self.steps)

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """Return the batch of a step of the run.

        Args:
            step: The number of the step, from 0.

        Returns:
            The batch, int32 [B,T] by name as `CorpusSampler.batch` gives it.
        """
        sampler, step = self.phase_of_step(step)
        return sampler.batch(step)

    def phase_of_step(self, step: int) -> tuple[CorpusSampler, int]:
        """Find the phase of a step; the last phase has no end.

        Args:
            step: The number of the step in the run, from 0.

        Returns:
            (The sampler of the phase, the number of the step in the phase).
        """
        for sampler, steps in zip(self.samplers[:-1], self.steps, strict=False):
            if step < steps:
                return sampler, step
            step -= steps
        return self.samplers[-1], step

"""Batches of rows of similar length. The batch of a step is a pure function of (seed, step).

Nothing is drawn from hidden state, so a run that was interrupted goes on with the same batches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from bertkit.data.features import Features
from bertkit.errors import Error

# Rows are grouped by length within this many batches: enough to fill the batches, few enough to stay random.
POOL = 64


@dataclass(frozen=True, eq=False)
class BatchSampler:
    """Shuffled batches of rows of similar length, epoch after epoch.

    A batch is padded to its longest row, rounded up to a multiple of tokens.

    Args:
        features: The `Features`.
        batch_size: Examples of a batch.
        seed: The seed of the shuffles.
        multiple: 1 under TensorFlow, whose step takes any shape; more where every new shape is compiled, as under JAX.
        copies: How often each batch holds its rows: R-Drop compares two draws of dropout.

    Raises:
        Error: when `batch_size` is below 1, and when there are no rows.

    Example:
        >>> rows = Features(np.arange(6, dtype="int32"), np.zeros(6, "int32"), np.array([0, 1, 3, 6]))
        >>> sampler = BatchSampler(rows, batch_size=2, seed=1)
        >>> sampler.steps_per_epoch
        2
        >>> sorted(np.concatenate([sampler.rows(step) for step in (0, 1)]).tolist())
        [0, 1, 2]
    """

    features: Features
    batch_size: int
    seed: int = 0
    multiple: int = 1
    copies: int = 1

    def __post_init__(self):
        if self.batch_size < 1:
            raise Error(f"batch_size={self.batch_size}; give 1 or more.")
        if not len(self.features):
            raise Error("There are no rows to make batches of; give at least one.")

    @cached_property
    def steps_per_epoch(self) -> int:
        """The batches of one epoch; the last one holds what is left."""
        return -(-len(self.features) // self.batch_size)

    def rows(self, step: int) -> np.ndarray:
        """Return the numbers of the examples of a batch.

        Args:
            step: The number of the step, from 0.

        Returns:
            int [up to batch_size · copies].
        """
        epoch, place = divmod(step, self.steps_per_epoch)
        return np.tile(_plan(self, epoch)[place], self.copies)

    def batch(self, step: int) -> Any:
        """Return the batch of a step.

        Args:
            step: The number of the step, from 0.

        Returns:
            (inputs by name, labels); without labels the inputs alone, which then hold the "step" too.
        """
        examples = self.rows(step)
        longest = int(self.features.lengths[examples].max())
        length = min(-(-longest // self.multiple) * self.multiple, int(self.features.lengths.max()))
        inputs, labels = self.features.batch(examples, length), self.features.targets(examples, length)
        return {**inputs, "step": np.int32(step)} if labels is None else (inputs, labels)

    def tokens(self, step: int) -> int:
        """Count the real tokens of the batch of a step.

        Args:
            step: The number of the step, from 0.

        Returns:
            The tokens.
        """
        return int(self.features.sizes[self.rows(step)].sum())

    def dataset(self, start: int = 0, steps: int | None = None) -> Any:
        """Make a dataset of the batches.

        Args:
            start: The first step.
            steps: How many steps; None never ends.

        Returns:
            A `tf.data.Dataset` of `batch(step)`.
        """
        import tensorflow as tf

        def batches():
            step = start
            while steps is None or step < start + steps:
                yield self.batch(step)
                step += 1

        return tf.data.Dataset.from_generator(batches, output_signature=self._signature()).prefetch(4)

    def _signature(self):
        import tensorflow as tf
        labels, batch = self.features.targets([0]), self.features.batch([0])
        inputs = {name: tf.TensorSpec((None,) * values.ndim, tf.int32) for name, values in batch.items()}
        if labels is None:
            return {**inputs, "step": tf.TensorSpec((), tf.int32)}
        shape = (None, None) if self.features.token_labels is not None else (None, *labels.shape[1:])
        return inputs, tf.TensorSpec(shape, labels.dtype)


@lru_cache(maxsize=4)
def _plan(batches, epoch):
    """Return the examples of each batch of an epoch: shuffle, group by length in pools, shuffle batches."""
    rng = np.random.default_rng((batches.seed, epoch))
    order = rng.permutation(len(batches.features))
    lengths = batches.features.lengths
    pool = POOL * batches.batch_size
    order = np.concatenate([part[np.argsort(lengths[part], kind="stable")]
                            for part in (order[i:i + pool] for i in range(0, len(order), pool))])
    groups = [order[i:i + batches.batch_size] for i in range(0, len(order), batches.batch_size)]
    return [groups[i] for i in rng.permutation(len(groups))]


def by_length(features: Features, batch_size: int) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yield batches of all examples, the longest first, each padded to its longest row.

    Args:
        features: The `Features`.
        batch_size: The most rows of a batch; an example with more is a batch of its own.

    Yields:
        (numbers of the examples, inputs by name).
    """
    order = np.argsort(-features.lengths, kind="stable")
    batch_size = max(1, batch_size // features.most_rows)
    for i in range(0, len(order), batch_size):
        rows = order[i:i + batch_size]
        yield rows, features.batch(rows)

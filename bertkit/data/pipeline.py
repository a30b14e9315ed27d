"""Batches of rows of like length; what batch comes at a step is a pure function of (seed, step).

Nothing is drawn from hidden state, so a run that was killed goes on with the very batches it would have seen.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from bertkit.data.features import Features
from bertkit.errors import Error

# Rows are grouped by length within this many batches: enough to fill the batches, few enough to stay random.
POOL = 64

@dataclass(frozen=True, eq=False)
class BatchSampler:
    """A shuffled, length-bucketed walk over `features`, epoch after epoch.

    A batch is padded to its longest row, rounded up to a `multiple` of tokens: 1 under TensorFlow, whose step takes
    any shape; more where every shape is compiled anew, as under JAX. Each batch holds its rows `copies` times over:
    R-Drop compares two draws of dropout.

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
            raise Error("There are no rows to make batches of.")

    @cached_property
    def steps_per_epoch(self):
        """Batches in one pass; the last one holds what is left."""
        return -(-len(self.features) // self.batch_size)

    def rows(self, step):
        """Return the examples of the batch at a global step, their numbers [up to batch_size]."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return np.tile(_plan(self, epoch)[place], self.copies)

    def batch(self, step):
        """Return (inputs, labels) at a global step; without labels, inputs alone, which hold the "step" too."""
        examples = self.rows(step)
        longest = int(self.features.lengths[examples].max())
        length = min(-(-longest // self.multiple) * self.multiple, int(self.features.lengths.max()))
        inputs, labels = self.features.batch(examples, length), self.features.targets(examples, length)
        return {**inputs, "step": np.int32(step)} if labels is None else (inputs, labels)

    def tokens(self, step):
        """Return the number of real tokens in the batch at a global step."""
        return int(self.features.sizes[self.rows(step)].sum())

    def dataset(self, start=0, steps=None):
        """Return the tf.data.Dataset of `batch(step)` from step `start` on, `steps` of them or without end."""
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


def by_length(features, batch_size):
    """Yield (numbers, inputs) over all examples, longest first, each batch padded to its longest row.

    A batch has at most `batch_size` rows, or one example.
    """
    order = np.argsort(-features.lengths, kind="stable")
    batch_size = max(1, batch_size // features.most_rows)
    for i in range(0, len(order), batch_size):
        rows = order[i:i + batch_size]
        yield rows, features.batch(rows)

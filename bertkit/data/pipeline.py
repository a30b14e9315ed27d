"""Batches of rows of like length; what batch comes at a step is a pure function of (seed, step).

Nothing is drawn from hidden state, so a run that was killed goes on with the very batches it would have seen.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import count

import numpy as np

from bertkit.data.features import Features
from bertkit.errors import Error

# Rows are grouped by length within this many batches: enough to fill the batches, few enough to stay random.
POOL = 64

@dataclass(frozen=True, eq=False)
class BatchSampler:
    """A shuffled, length-bucketed walk over `features`, epoch after epoch; without `shuffle` in their order.

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
    shuffle: bool = True

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

    def length(self, step):
        """Return to how many tokens the batch at a global step is padded."""
        longest = int(self.features.lengths[self.rows(step)].max())
        return min(-(-longest // self.multiple) * self.multiple, int(self.features.lengths.max()))

    def part(self, step, length=None):
        """Return what Keras reads at a global step: (inputs, labels), (inputs, labels, weights), or inputs alone."""
        examples, length = self.rows(step), self.length(step) if length is None else length
        inputs, labels = self.features.batch(examples, length), self.features.targets(examples, length)
        if labels is None:
            return inputs
        weights = self.features.weights
        return (inputs, labels) if weights is None else (inputs, labels, weights[examples])

    def batch(self, step):
        """Return `part(step)`; without labels, inputs alone, which hold the "step" too."""
        part = self.part(step)
        return {**part, "step": np.int32(step)} if isinstance(part, dict) else part

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

    def passes(self):
        """Return a finite tf.data.Dataset of `part(step)`: all rows once, in the next epoch's order each time."""
        import tensorflow as tf
        epochs, steps = count(), self.steps_per_epoch

        def batches():
            first = next(epochs) * steps
            return map(self.part, range(first, first + steps))

        made = tf.data.Dataset.from_generator(batches, output_signature=self._signature(step=False))
        return made.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)

    def _signature(self, step=True):
        import tensorflow as tf
        labels, batch = self.features.targets([0]), self.features.batch([0])
        inputs = {name: tf.TensorSpec((None,) * values.ndim, tf.int32) for name, values in batch.items()}
        if labels is None:
            return {**inputs, "step": tf.TensorSpec((), tf.int32)} if step else inputs
        shape = (None, None) if self.features.token_labels is not None else (None, *labels.shape[1:])
        weights = () if self.features.weights is None else (tf.TensorSpec((None,), tf.float32),)
        return inputs, tf.TensorSpec(shape, labels.dtype), *weights


@lru_cache(maxsize=4)
def _plan(batches, epoch):
    """Return the examples of each batch of an epoch: shuffle, group by length in pools, shuffle batches."""
    if not batches.shuffle:
        return np.split(np.arange(len(batches.features)), range(batches.batch_size, len(batches.features),
                                                                batches.batch_size))
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

"""Batches of rows of similar length. The batch of a step is a pure function of (seed, step).

Nothing is drawn from hidden state, so a run that was interrupted goes on with the same batches.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import count
from typing import Any

import numpy as np

from bertkit.data.features import Features
from bertkit.errors import Error
from bertkit.files.schema import Whole, check_argument

# Rows are grouped by length within this many batches: enough to fill the batches, few enough to stay random.
POOL = 64


@dataclass(frozen=True, eq=False)
class BatchSampler:
    """Batches of rows of similar length, epoch after epoch; shuffled, or in the order of the rows.

    A batch is padded to its longest row, rounded up to a multiple of tokens.

    Args:
        features: The `Features`.
        batch_size: Examples of a batch.
        seed: The seed of the shuffles.
        multiple: 1 under TensorFlow, whose step takes any shape; more where every new shape is compiled, as under JAX.
        copies: How often each batch holds its rows: R-Drop compares two draws of dropout.
        shuffle: False takes the rows in their order, without grouping them by length.
        accumulate: How many batches make one update: they are the parts of one large batch, and have weights, so that
            the mean of their gradients is its gradient, though one part has more rows or labelled tokens than another.
            Where the large batch has fewer parts, the others are a row of weight 0.
        beside: Function (examples, length) -> {name: array [B,...]}, what the labels come with, such as the answers of
            a teacher: the second part of a batch is then {"labels", and these}.

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
    shuffle: bool = True
    accumulate: int = 1
    beside: Callable[[np.ndarray, int], dict[str, np.ndarray]] | None = None

    def __post_init__(self):
        check_argument("batch_size", self.batch_size, Whole(1))
        check_argument("seed", self.seed, Whole())
        if not len(self.features):
            raise Error("There are no rows to make batches of; give at least one.")

    @cached_property
    def steps_per_epoch(self) -> int:
        """The batches of one epoch; the last one holds what is left, and the last update of an epoch is whole."""
        return -(-len(self.features) // (self.batch_size * self.accumulate)) * self.accumulate

    def rows(self, step: int) -> np.ndarray:
        """Return the numbers of the examples of a batch.

        Args:
            step: The number of the step, from 0.

        Returns:
            int [up to batch_size · copies].
        """
        return np.tile(self._part(step)[0], self.copies)

    def _part(self, step):
        """Return the examples of a batch, and whether they count."""
        epoch, place = divmod(step, self.steps_per_epoch)
        group, part = _plan(self, epoch)[place // self.accumulate], place % self.accumulate
        found = group[part * self.batch_size:(part + 1) * self.batch_size]
        return (found, True) if len(found) else (group[:1], False)

    def length(self, step: int) -> int:
        """Return the length to which the rows of a batch are padded.

        Args:
            step: The number of the step, from 0.

        Returns:
            The tokens of a padded row.
        """
        longest = int(self.features.lengths[self.rows(step)].max())
        return min(-(-longest // self.multiple) * self.multiple, int(self.features.lengths.max()))

    def keras_batch(self, step: int, length: int | None = None) -> Any:
        """Return the batch of a step as Keras reads it.

        Args:
            step: The number of the step, from 0.
            length: Tokens of a padded row; None takes `length(step)`.

        Returns:
            (inputs by name, labels), or (inputs, labels, weights) where the examples have weights; without labels the
            inputs alone. With `beside` {"labels", ...} stands in place of the labels.
        """
        examples, length = self.rows(step), self.length(step) if length is None else length
        inputs, labels = self.features.batch(examples, length), self.features.targets(examples, length)
        if labels is None:
            return inputs
        second = labels if self.beside is None else {"labels": labels, **self.beside(examples, length)}
        weights = self.weights(step)
        return (inputs, second) if weights is None else (inputs, second, weights)

    def weights(self, step: int) -> np.ndarray | None:
        """Return how much each example of a batch counts in a loss that is the mean over the batch's labels.

        Of n_1, ..., n_A labels of the batches of one update, batch k counts A n_k / Σ n.

        Args:
            step: The number of the step, from 0.

        Returns:
            float32 [examples]; None where all count alike.
        """
        examples, own = self.rows(step), self.features.weights
        if self.accumulate == 1:
            return None if own is None else own[examples]
        shares = np.ones(len(examples), "float32") if own is None else own[examples]
        return (shares * _shares(self, step // self.accumulate)[step % self.accumulate]).astype("float32")

    def batch(self, step: int) -> Any:
        """Return the batch of a step.

        Args:
            step: The number of the step, from 0.

        Returns:
            What `keras_batch(step)` returns; without labels the inputs hold the "step" too.
        """
        part = self.keras_batch(step)
        return {**part, "step": np.int32(step)} if isinstance(part, dict) else part

    def tokens(self, step: int) -> int:
        """Count the real tokens of the batch of a step.

        Args:
            step: The number of the step, from 0.

        Returns:
            The tokens.
        """
        return int(self.features.token_counts[self.rows(step)].sum())

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

    def epoch_dataset(self) -> Any:
        """Make a finite dataset of the batches of one epoch; each time it is read, the next epoch's.

        Returns:
            A `tf.data.Dataset` of `keras_batch(step)`, which holds all rows once.
        """
        import tensorflow as tf
        epochs, steps = count(), self.steps_per_epoch

        def batches():
            first = next(epochs) * steps
            return map(self.keras_batch, range(first, first + steps))

        made = tf.data.Dataset.from_generator(batches, output_signature=self._signature(step=False))
        return made.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)

    def _signature(self, step=True):
        """Return the shapes and types of a batch; `step` says whether inputs without labels hold the "step"."""
        import tensorflow as tf
        labels, batch = self.features.targets([0]), self.features.batch([0])
        inputs = {name: tf.TensorSpec((None,) * values.ndim, tf.int32) for name, values in batch.items()}
        if labels is None:
            return {**inputs, "step": tf.TensorSpec((), tf.int32)} if step else inputs
        shape = (None, None) if self.features.token_labels is not None else (None, *labels.shape[1:])
        weights = () if self.weights(0) is None else (tf.TensorSpec((None,), tf.float32),)
        spec = tf.TensorSpec(shape, labels.dtype)
        if self.beside is None:
            return inputs, spec, *weights
        others = {name: tf.TensorSpec((None,) * value.ndim, value.dtype)
                  for name, value in self.beside(self.rows(0), self.length(0)).items()}
        return inputs, {"labels": spec, **others}, *weights


@lru_cache(maxsize=4)
def _shares(batches, update):
    """Return A n_k / Σ n of the batches of an update, n_k the labels of batch k that count in the loss."""
    steps = range(update * batches.accumulate, (update + 1) * batches.accumulate)
    parts = [batches._part(step) for step in steps]
    labels = np.array([batches.features.scored[rows].sum() * counts for rows, counts in parts], "float64")
    return batches.accumulate * labels / max(1, labels.sum())


@lru_cache(maxsize=4)
def _plan(batches, epoch):
    """Return the examples of each update of an epoch: shuffle, group by length in pools, shuffle the groups.

    Without `shuffle` the groups are slices of the rows in their order.
    """
    size, rows = batches.batch_size * batches.accumulate, len(batches.features)
    if not batches.shuffle:
        return np.split(np.arange(rows), range(size, rows, size))
    rng = np.random.default_rng((batches.seed, epoch))
    order = rng.permutation(rows)
    lengths = batches.features.lengths
    pool = POOL * size
    order = np.concatenate([part[np.argsort(lengths[part], kind="stable")]
                            for part in (order[i:i + pool] for i in range(0, len(order), pool))])
    groups = [order[i:i + size] for i in range(0, rows, size)]
    return [groups[i] for i in rng.permutation(len(groups))]


def batches_by_length(features: Features, batch_size: int) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yield batches of all examples, the longest first, each padded to its longest row.

    Args:
        features: The `Features`.
        batch_size: The most rows of a batch; an example with more is a batch of its own.

    Yields:
        (numbers of the examples, int64 [B], and their batch, as `Features.batch` gives it).

    Example:
        >>> from bertkit.data.features import pack
        >>> rows = pack([([2, 3], [0, 0]), ([2, 7, 3], [0, 0, 0])])
        >>> batches = batches_by_length(rows, batch_size=1)
        >>> [(numbers.tolist(), batch["token_ids"].tolist()) for numbers, batch in batches]
        [([1], [[2, 7, 3]]), ([0], [[2, 3]])]
    """
    order = np.argsort(-features.lengths, kind="stable")
    batch_size = max(1, batch_size // features.most_rows)
    for i in range(0, len(order), batch_size):
        rows = order[i:i + batch_size]
        yield rows, features.batch(rows)

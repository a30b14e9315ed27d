"""Batches as a `keras.utils.PyDataset`."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import keras

from bertkit.data.pipeline import BatchSampler

# A backend that compiles each shape of a batch anew gets rows that are padded to a multiple of this many tokens.
MULTIPLE = 16


class BatchSequence(keras.utils.PyDataset):
    """The batches of one pass after another, for `model.fit()` on any backend of Keras.

    Args:
        batches: The `BatchSampler`; item i is the i-th batch of the pass under way.
        **options: Those of `keras.utils.PyDataset`.

    Raises:
        IndexError: For a batch that the pass does not have.
    """

    def __init__(self, batches: BatchSampler, **options: Any) -> None:
        super().__init__(**options)
        self.tensorflow = keras.backend.backend() == "tensorflow"
        self.batches, self.epoch = batches if self.tensorflow else replace(batches, multiple=MULTIPLE), 0
        self.fixed = None           # the length of all batches, where they must have one

    def __len__(self) -> int:
        return self.batches.steps_per_epoch

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"There is no batch {index}; a pass has {len(self)}.")
        steps = _steps(self, self.epoch)
        return self.batches.keras_batch(steps[index], self.fixed)

    def on_epoch_end(self) -> None:
        """Go on to the next pass, which has another order."""
        self.epoch += 1


@lru_cache(maxsize=4)
def _steps(sequence, epoch):
    """Return the global steps of an epoch in their order.

    Under TensorFlow, Keras takes a length that the first two batches share for that of all batches. So one of another
    length comes second; where there is none, or the order is given, all are padded to one length from now on.
    """
    batches = sequence.batches
    steps = list(range(epoch * len(sequence), (epoch + 1) * len(sequence)))
    if sequence.tensorflow and len(steps) > 1:
        lengths = list(map(batches.length, steps))
        other = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
        if other is None or other > 1 and not batches.shuffle:
            sequence.fixed = max(sequence.fixed or 0, int(batches.features.lengths.max()))
        elif sequence.fixed is None:
            steps[1], steps[other] = steps[other], steps[1]
    return steps

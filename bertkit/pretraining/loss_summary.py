"""The mean loss at a run's beginning and at its end, across interruptions."""

import keras
import numpy as np


class LossSummary(keras.callbacks.Callback):
    """Sum up the losses of the first and the last tenth of `steps` steps, of which `done` are behind the run."""

    def __init__(self, steps):
        super().__init__()
        self.steps, self.done, self.tenth = steps, 0, max(1, steps // 10)
        self.sums = np.zeros((2, 2))                # [first, last] x [sum, count]

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        for place, within in enumerate((self.done <= self.tenth, self.done > self.steps - self.tenth)):
            self.sums[place] += within * np.array([logs["loss"], 1.0])

    def means(self):
        """Return {"steps", "first_loss", "last_loss"}."""
        first, last = self.sums[:, 0] / np.maximum(self.sums[:, 1], 1)
        return {"steps": self.steps, "first_loss": float(first), "last_loss": float(last)}

    def remember(self):
        """Return what a state keeps of it: (JSON, no arrays)."""
        return {"done": self.done, "sums": self.sums.tolist()}, {}

    def recall(self, metadata, tensors):
        """Take back what `remember` gave."""
        self.done, self.sums = metadata["done"], np.array(metadata["sums"])

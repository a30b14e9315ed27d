"""The mean loss at a run's beginning and at its end, also when the run was interrupted."""

from typing import Any

import keras
import numpy as np


class LossSummary(keras.callbacks.Callback):
    """Sum up the losses of the first and the last tenth of a run's steps.

    Args:
        steps: The number of steps of the run, over all its interruptions.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps, self.done, self.tenth = steps, 0, max(1, steps // 10)
        self.sums = np.zeros((2, 2))                # [first, last] x [sum, count]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Add the loss of a step.

        Args:
            batch: Not used.
            logs: The logs of the step, with "loss".
        """
        self.done += 1
        for place, within in enumerate((self.done <= self.tenth, self.done > self.steps - self.tenth)):
            self.sums[place] += within * np.array([logs["loss"], 1.0])

    def means(self) -> dict[str, Any]:
        """Return the mean losses.

        Returns:
            {"steps", "first_loss", "last_loss"}.
        """
        first, last = self.sums[:, 0] / np.maximum(self.sums[:, 1], 1)
        return {"steps": self.steps, "first_loss": float(first), "last_loss": float(last)}

    def get_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what a state keeps of it.

        Returns:
            (JSON values, an empty dict).
        """
        return {"done": self.done, "sums": self.sums.tolist()}, {}

    def set_state(self, metadata: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Restore what `get_state` returned.

        Args:
            metadata: The JSON.
            tensors: Not used.
        """
        self.done, self.sums = metadata["done"], np.array(metadata["sums"])

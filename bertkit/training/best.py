"""Dev chooses: score after each epoch, keep the best weights, stop when nothing gets better."""

import keras
import numpy as np

from bertkit.training.progress import check_loss
from bertkit.training.scoring import logits


class Best(keras.callbacks.Callback):
    """Score `features` by `task` (see ondevice.tasks) after each epoch and remember the best weights.

    The task's first metric decides, and among equal scores the lower loss. `scores` holds the best epoch's,
    `probabilities` its predictions [rows, C]. Training stops after `patience` epochs without a better one.
    Raises `Error` if the loss on `features` is no number.
    """

    def __init__(self, task, features, patience=None):
        super().__init__()
        self.task, self.features, self.patience = task, features, patience
        self.epoch, self.rank, self.weights = None, (-np.inf, -np.inf), None

    def on_epoch_end(self, epoch, logs=None):
        found = logits(self.model, self.features)
        probabilities = self.task.probabilities(found)
        scores = self.task.scores(self.features.labels, probabilities)
        loss = float(keras.ops.mean(self.model.loss_function()(self.features.labels, found)))
        check_loss(loss, f"on dev after epoch {epoch + 1}")
        self.probabilities = probabilities
        if logs is not None:
            logs.update({"dev_loss": loss, **{f"dev_{name}": value for name, value in scores.items()}})
        rank = (next(iter(scores.values())), -loss)
        if rank > self.rank:
            self.epoch, self.rank = epoch, rank
            self.weights = [np.asarray(variable) for variable in self.model.trainable_variables]
        elif self.patience is not None and epoch - self.epoch >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        """Put the best weights back."""
        if self.weights is not None:
            for variable, value in zip(self.model.trainable_variables, self.weights, strict=True):
                variable.assign(value)

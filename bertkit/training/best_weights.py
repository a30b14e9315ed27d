"""Dev chooses: score after each epoch, keep the best weights, stop when nothing gets better."""

import keras
import numpy as np

from bertkit.errors import Error
from bertkit.training.progress import check_loss
from bertkit.training.scoring import predictions


class BestWeights(keras.callbacks.Callback):
    """Score a `EvalSplit` split by `task` after each epoch and remember the best weights.

    `metric` decides, by default the task's first, and among equal scores the lower loss, where the task knows one.
    `epoch` is the best one's number from 0, `confusion` the last one's table where there are classes. Training stops
    after `patience` epochs without a better one. Raises `Error` for a metric that the task lacks, and if the loss on
    dev is no number.
    """

    def __init__(self, task, held, patience=None, metric=None):
        super().__init__()
        self.metric = metric or next(iter(task.metrics))
        if self.metric not in task.metrics:
            raise Error(f"metric={metric} does not choose an epoch here; the task has {', '.join(task.metrics)}.")
        self.task, self.held, self.patience = task, held, patience
        self.epoch, self.rank, self.weights, self.confusion = None, (-np.inf, -np.inf), None, None

    def on_epoch_end(self, epoch, logs=None):
        found = predictions(self.model, self.task, self.held)
        sides = self.task.sides(self.held.targets, found)
        scores = {name: float(metric(*sides)) for name, metric in self.task.metrics.items()}
        loss = self.task.loss(self.held.targets, found)
        if loss is not None:
            check_loss(loss, f"on dev after epoch {epoch + 1}")
        self.confusion = self.task.confusion(self.held.targets, found)
        if logs is not None:
            logs.update({} if loss is None else {"dev_loss": loss})
            logs.update({f"dev_{name}": value for name, value in scores.items()})
        chosen = scores[self.metric]                # nan where a correlation is of equal scores: worse than any number
        chosen = -chosen if self.metric in self.task.less_is_better else chosen
        rank = (-np.inf if np.isnan(chosen) else chosen, -(loss or 0.0))
        if rank > self.rank:
            self.epoch, self.rank = epoch, rank
            self.weights = [np.asarray(variable) for variable in self.model.trainable_variables]
        elif self.patience is not None and epoch - (self.epoch or 0) >= self.patience:
            self.model.stop_training = True

    def remember(self):
        """Return the best epoch so far and its weights: (JSON, {name: array})."""
        metadata = {"epoch": self.epoch, "rank": [float(part) if np.isfinite(part) else None for part in self.rank]}
        return metadata, {str(i): value for i, value in enumerate(self.weights or ())}

    def recall(self, metadata, tensors):
        """Take back what `remember` gave."""
        self.epoch, self.rank = metadata["epoch"], tuple(-np.inf if part is None else part for part in metadata["rank"])
        self.weights = [tensors[str(i)] for i in range(len(tensors))] or None

    def on_train_end(self, logs=None):
        """Put the best weights back."""
        if self.weights is not None:
            for variable, value in zip(self.model.trainable_variables, self.weights, strict=True):
                variable.assign(value)

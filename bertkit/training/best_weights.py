"""Score a model on dev after each epoch, keep the best weights, and stop when the score gets no better."""

from typing import Any

import keras
import numpy as np

from bertkit.errors import Error
from bertkit.training.progress import check_loss
from bertkit.training.scoring import task_outputs


class BestWeights(keras.callbacks.Callback):
    """Score a model on dev after each epoch, keep the best weights, and put them back when training ends.

    Among equal scores the lower loss on dev decides, where the task has a loss. `epoch` is the number of the best
    epoch, from 0; `predicted` are the last epoch's predictions.

    Args:
        task: The task, which says how answers are scored.
        held: The dev rows, an `EvalSplit`.
        patience: Epochs without a better score after which training stops; None never stops.
        metric: Name of the metric that chooses the epoch, by default the task's first.
        latest: Whether the last epoch is kept whatever its score: of a model that does not learn to answer.

    Raises:
        Error: When the task has no such metric; in training, when the loss on dev is not finite.
    """

    def __init__(self, task: Any, held: Any, patience: int | None = None, metric: str | None = None,
                 latest: bool = False) -> None:
        super().__init__()
        self.metric = metric or next(iter(task.metrics))
        if self.metric not in task.metrics:
            raise Error(f"metric={metric} does not choose an epoch here; the task has {', '.join(task.metrics)}.")
        self.task, self.eval_split, self.patience, self.latest = task, held, patience, latest
        self.epoch: int | None = None
        self.rank: tuple[float, ...] = (-np.inf, -np.inf)
        self.weights: list[np.ndarray] | None = None
        self.predicted: Any = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Score the model on dev, keep its weights if they are the best so far, and stop after `patience` epochs.

        Args:
            epoch: The number of the epoch, from 0.
            logs: The epoch's numbers; the scores and the loss on dev are added as "dev_...".
        """
        found = task_outputs(self.model, self.task, self.eval_split)
        predicted = self.predicted = self.task.predictions(found, self.eval_split.packed)
        sides = self.task.metric_inputs(self.eval_split.targets, predicted)
        scores = {name: float(metric(*sides)) for name, metric in self.task.metrics.items()}
        loss = self.task.loss(self.eval_split.targets, predicted)
        if loss is not None:
            check_loss(loss, f"on dev after epoch {epoch + 1}")
        if logs is not None:
            logs.update({} if loss is None else {"dev_loss": loss})
            logs.update({f"dev_{name}": value for name, value in scores.items()})
        rank = self.ranked(found, scores, loss)
        if self.latest or rank > self.rank:
            self.epoch, self.rank = epoch, rank
            self.weights = [np.asarray(variable) for variable in self.model.trainable_variables]
        elif self.patience is not None and epoch - (self.epoch or 0) >= self.patience:
            self.model.stop_training = True

    def ranked(self, outputs: list[Any], scores: dict[str, float], loss: float | None) -> tuple[float, ...]:
        """Return what epochs are compared by; the largest is the best.

        Args:
            outputs: What the task makes of the model's outputs for each row of dev.
            scores: The scores on dev.
            loss: The loss on dev, or None.

        Returns:
            The score that chooses, then the loss with the other sign.
        """
        chosen = scores[self.metric]                # nan where a correlation is of equal scores: worse than any number
        chosen = -chosen if self.metric in self.task.less_is_better else chosen
        return -np.inf if np.isnan(chosen) else chosen, -(loss or 0.0)

    def get_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the best epoch so far and its weights.

        Returns:
            The number and rank of the epoch as JSON, and its weights, {name: array of the shape of the weight}.
        """
        metadata = {"epoch": self.epoch, "rank": [float(part) if np.isfinite(part) else None for part in self.rank]}
        return metadata, {str(i): value for i, value in enumerate(self.weights or ())}

    def set_state(self, metadata: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        """Take back what `get_state` returned.

        Args:
            metadata: The number and rank of the best epoch.
            tensors: Its weights, {name: array of the shape of the weight}.
        """
        self.epoch, self.rank = metadata["epoch"], tuple(-np.inf if part is None else part for part in metadata["rank"])
        self.weights = [tensors[str(i)] for i in range(len(tensors))] or None

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Put the best weights back.

        Args:
            logs: Not used.
        """
        if self.weights is not None:
            for variable, value in zip(self.model.trainable_variables, self.weights, strict=True):
                variable.assign(value)

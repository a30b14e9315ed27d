"""TensorBoard: curves, measurements of each layer, and what the model answers on dev."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bertkit.checkpoints import bundle
from bertkit.data.features import features_of
from bertkit.data.pipeline import BatchSampler
from bertkit.data.splits import EvalSplit
from bertkit.data.targets import targets
from bertkit.errors import Error
from bertkit.tasks.classification import Classification
from bertkit.tasks.columns import to_list
from bertkit.tasks.regression import Regression
from bertkit.training import inside, summaries
from bertkit.training.scoring import predictions

SELDOM = 5              # points of the curves to one measurement of the layers
PROFILED_FROM = 5       # steps before the profiler begins: the first ones compile


class TrainingTensorBoard(keras.callbacks.Callback):
    """Write for TensorBoard how a model of bertkit's learns; look at it with `tensorboard --logdir FOLDER`.

    Each `every` steps, and at the end of an epoch: `loss` (the mean since the point before), `rate` (for each layer
    where rates differ), `gradient_norm` of bertkit's optimizers. Each 5 · `every` steps, and at the end of an epoch
    that is longer than `every` steps: `weight_norm` and `update_ratio` of each layer and, with `dev`, `gradient_norm`,
    `attention_entropy` and `activation_outliers` of each layer, of a few rows without dropout (see `training.inside`).
    After each epoch: the scores, and with `dev` the pictures `confusion` and `calibration`, a PR curve of each class
    and `examples`. The knobs and scores of several runs in one folder are compared in the tab HParams. At the end, with
    `tokenizer`, the token table is there for the projector.

    Args:
        folder: The folder to write.
        tokenizer: The `Tokenizer` of the model, or None.
        dev: (inputs, labels) that the model answers after each epoch, or None. Classes are names or numbers; of other
            tasks the labels are what the task reads.
        length: Tokens that a row of dev is cut to.
        settings: {name: value} of the knobs of this run, for the tab HParams.
        every: Steps between two points.
        texts: False writes no text of dev.
        profile: Steps that TensorFlow's profiler traces, from the sixth; 0 traces none.

    Raises:
        Error: When training begins, if the model has no encoder of bertkit's, or `dev` does not fit it.

    >>> import tempfile
    >>> from bertkit import Classifier, Tokenizer, data, load
    >>> tokenizer, texts = Tokenizer.load("bertkit://english"), ["a fine film", "a dull film"]
    >>> model = Classifier(load("bertkit://english", part="encoder"), ["no", "yes"])
    >>> model.compile("adam", model.loss_function(), run_eagerly=True)
    >>> board = TrainingTensorBoard(tempfile.mkdtemp(), tokenizer, dev=(texts, ["yes", "no"]))
    >>> sorted(model.fit(data.dataset(texts, [1, 0], tokenizer), callbacks=[board], verbose=0).history)
    ['loss']
    """

    def __init__(self, folder: str | Path, tokenizer: Any = None, dev: tuple[Any, Any] | None = None,
                 length: int = 128, settings: dict[str, Any] | None = None, every: int = 20, texts: bool = True,
                 profile: int = 0) -> None:
        super().__init__()
        if dev is not None and tokenizer is None:
            raise Error("dev came without the tokenizer that reads it; give both.")
        self.folder, self.tokenizer, self.dev, self.length = Path(folder), tokenizer, dev, length
        self.name, self.first = str(folder), list(settings or {})
        self.settings, self.every, self.texts, self.profile = dict(settings or {}), every, texts, profile
        self.writer = tf.summary.create_file_writer(str(folder))
        self.step = self.steps_here = self.last_look = 0
        self.rows: BatchSampler | None = None           # of which a few are measured
        self.epochs_end: int | None = None
        self.compared = self.profiling = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Write the knobs, and prepare what is measured.

        Args:
            logs: Not used.
        """
        self.weights = inside.WeightWatch(self.model)
        self.epochs_end = (self.params or {}).get("steps")
        self.read_dev()
        with self.writer.as_default(step=self.step):
            summaries.write_settings(self.settings, self.name)

    def read_dev(self) -> None:
        """Make rows of `dev`, once the model is known.

        Raises:
            Error: When the model has no task, or the labels do not fit it.
        """
        if self.dev is None:
            return
        settings = bundle.describe(self.model)
        self.task = bundle.task_of(settings, self.model.encoder.config)
        if self.task is None:
            raise Error(f"dev came with a {settings['kind']}, which has no task to answer; leave dev out.")
        inputs, labels = to_list(self.dev[0], "inputs"), to_list(self.dev[1], "labels")
        if len(inputs) != len(labels) or not inputs:
            raise Error(f"dev has {len(inputs)} inputs and {len(labels)} labels; give one label for each, and some.")
        if isinstance(self.task, Classification | Regression):
            named = labels and isinstance(labels[0], str | list)
            right: Any = targets(labels, getattr(self.task, "labels", None) if named else None)
        else:
            right = labels
        packed = self.task.pack(self.tokenizer, inputs, self.length, right)
        self.held = EvalSplit(inputs, right, packed, features_of(packed, self.tokenizer))
        self.rows = BatchSampler(self.held.features, 1, shuffle=False)

    def predicted(self) -> tuple[Any, EvalSplit, Sequence[Any]] | None:
        """Return what the model answers on dev.

        Returns:
            (task, dev rows, predictions), or None without dev.
        """
        if self.dev is None:
            return None
        return self.task, self.held, predictions(self.model, self.task, self.held)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin a new interval.

        Args:
            epoch: Not used.
            logs: Not used.
        """
        self.start_interval()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights if the step will be measured; start the profiler when it is due.

        Args:
            batch: The number of the batch in its epoch, from 0.
            logs: Not used.
        """
        if self.profile and self.steps_here == PROFILED_FROM:
            tf.profiler.experimental.start(str(self.folder))
            self.profiling = True
        if self._looks(batch):
            self.weights.begin_step()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write what is due after a step.

        Args:
            batch: The number of the batch in its epoch, from 0.
            logs: The numbers of the step; "loss" is the mean since the epoch began.
        """
        looks = self._looks(batch)
        self.step, self.steps_here = self.step + 1, self.steps_here + 1
        if self.profiling and self.steps_here >= PROFILED_FROM + self.profile:
            self._stop_profiler()
        if logs is not None and (self.step % self.every == 0 or self._ends(batch)):
            # Keras reports the mean since the epoch began; the mean of this interval follows from two of them.
            mean, seen = logs["loss"], batch + 1
            interval = (mean * seen - self.sum_before) / (seen - self.seen_before)
            self.write({"loss": interval, **self.rates(), **self.own_measurements()})
            self.start_interval(mean * seen, seen)
        if looks:
            self.last_look = self.step
            began = time.monotonic()
            self.write(self.weights.end_step() | self.measured_rows())
            self.began += time.monotonic() - began

    def rates(self) -> dict[str, float]:
        """Return the learning rate, and those of the layers where they differ, and the norm of the gradient.

        Returns:
            {tag: number}.
        """
        optimizer = self.model.optimizer
        rate = float(np.asarray(optimizer.learning_rate))
        found = {"rate": rate}
        if getattr(optimizer, "lr_scales", None) or getattr(optimizer, "lr_starts", None):
            step = np.float32(int(optimizer.iterations))
            found |= {f"rate/{name}": float(optimizer.rate_and_step(variables[0], rate, step)[0])
                      for name, variables in self.weights.groups.items()}
        if hasattr(optimizer, "gradient_norm"):
            found["gradient_norm"] = float(np.asarray(optimizer.gradient_norm))
        return found

    def own_measurements(self) -> dict[str, float]:
        """Return what else stands beside each point of the loss.

        Returns:
            {tag: number}.
        """
        return {}

    def measured_rows(self) -> dict[str, float]:
        """Measure gradients, attention and activations of a few rows.

        A loss that only a training step can compute, as that of matched layers in distillation, has no gradient here.

        Returns:
            {tag: number}; {} without rows.
        """
        if self.rows is None:
            return {}
        features = self.rows.features
        count = inside.row_count(inside.encoder_of(self.model).config, int(features.lengths.max()))
        few = dataclasses.replace(self.rows, batch_size=count, accumulate=1)
        batch = few.keras_batch(self.step % few.steps_per_epoch)
        alone = not isinstance(batch, dict) and not getattr(self.model.compute_loss, "in_training_only", False)
        found = inside.gradient_norms(self.model, lambda: inside.batch_loss(self.model, batch)) if alone else {}
        rows = features.single_rows.batch(np.arange(min(count, len(features.lengths))))
        return found | inside.attention_and_activations(self.model, rows)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the scores, and what the model answers on dev.

        Args:
            epoch: Not used.
            logs: The epoch's numbers; those named "dev_..." and Keras' "val_..." are written.
        """
        scores = {f"dev/{name.split('_', 1)[1]}": value for name, value in (logs or {}).items()
                  if name.startswith(("dev_", "val_"))}
        self.write(scores)
        with self.writer.as_default(step=self.step):
            if not self.compared:
                summaries.write_metrics(self.settings, [*scores, "loss"], self.first)
                self.compared = True
            if answered := self.predicted():
                task, held, found = answered
                summaries.write_predictions(task, held.targets, found, self.step)
                if self.texts:
                    summaries.write_examples(task, held.inputs, held.targets, found, self.step)
        self.writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Write the token table, and close the files.

        Args:
            logs: Not used.
        """
        if self.profiling:
            self._stop_profiler()
        if self.tokenizer is not None:
            summaries.write_projector(self.folder, inside.encoder_of(self.model), self.tokenizer)
        with self.writer.as_default(step=self.step):
            summaries.write_end()
        self.writer.close()

    def start_interval(self, total: float = 0.0, seen: int = 0) -> None:
        """Begin the interval of the next point.

        Args:
            total: The sum of the losses of this epoch so far.
            seen: The steps of this epoch so far.
        """
        self.sum_before, self.seen_before, self.began = total, seen, time.monotonic()

    def write(self, values: dict[str, float]) -> None:
        """Write scalars at this step.

        Args:
            values: {tag: number}.
        """
        with self.writer.as_default(step=self.step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self.writer.flush()

    def _ends(self, batch):
        """Whether a batch is the last of its epoch."""
        return batch + 1 == self.epochs_end

    def _looks(self, batch):
        """Whether the step of a batch is measured; asked before the step is counted."""
        seldom = (self.step + 1) % (SELDOM * self.every) == 0
        return seldom or self._ends(batch) and (not self.last_look or self.step + 1 - self.last_look >= self.every)

    def _stop_profiler(self):
        tf.profiler.experimental.stop()
        self.profiling = False


class RunTensorBoard(TrainingTensorBoard):
    """What a recipe's run writes for TensorBoard: its training rows are measured, and its scores are not made again.

    Args:
        run: The `Run`, prepared and resumed.
        done: Steps that were done before this process began.
    """

    def __init__(self, run: Any, done: int = 0) -> None:
        tuning = run.tuning
        super().__init__(run.logs, run.tokenizer, None, run.length, summaries.flat_settings(run.knobs),
                         tuning.log_every, tuning.texts, tuning.profile)
        self.sampler, self.rows, self.best, self.step = run.sampler, run.sampler, run.best, done
        self.tokens, self.name, self.first = 0, str(run.out), summaries.distinctive(run.knobs)

    def predicted(self) -> tuple[Any, EvalSplit, Sequence[Any]] | None:
        """Return what the run's `BestWeights` found on dev.

        Returns:
            (task, dev rows, predictions), or None before there are any.
        """
        return None if self.best.predicted is None else (self.best.task, self.best.eval_split, self.best.predicted)

    def own_measurements(self) -> dict[str, float]:
        """Return the speed since the point before.

        Returns:
            {"tokens_per_second": number of real tokens}.
        """
        return {"tokens_per_second": self.tokens / (time.monotonic() - self.began)}

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the tokens of a step, and write what is due.

        Args:
            batch: The number of the batch in its epoch, from 0.
            logs: The numbers of the step.
        """
        self.tokens += self.sampler.tokens(self.step)
        super().on_train_batch_end(batch, logs)

    def start_interval(self, total: float = 0.0, seen: int = 0) -> None:
        """Begin the interval of the next point.

        Args:
            total: The sum of the losses of this epoch so far.
            seen: The steps of this epoch so far.
        """
        self.tokens = 0
        super().start_interval(total, seen)

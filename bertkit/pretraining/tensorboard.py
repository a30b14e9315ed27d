"""TensorBoard for pre-training: what it costs, what it learns, and measurements inside the model now and then."""

import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.cost import flops
from bertkit.pretraining.eval_split import held_out
from bertkit.pretraining.fill_in import fill_mask_examples, first_rows
from bertkit.terminal import say
from bertkit.text import Tokenizer
from bertkit.training import inside, summaries

PEAK_SIZE = 1024        # rows of the square matrices whose product measures the machine's peak


class PretrainingTensorBoard(keras.callbacks.Callback):
    """Write curves under `folder`; see them with `tensorboard --logdir folder`.

    Each `log_every` steps: losses (means since the point before), perplexity, learning rate, gradient norm, real tokens
    a second, and the share of the machine's peak that the model's arithmetic reaches (Chowdhery et al. 2022, PaLM,
    appendix B: model FLOPs utilisation, three times a forward pass). Each `watch_every` steps: the scores of held-out
    rows, or of the next batch; gradient, weights, update, attention and activations of each layer (see
    `training.inside`); words that were filled in. At the end the token table, for the projector.

    Args:
        folder: The folder of the events.
        phases: The `PhasedSampler` of the run.
        tokenizer: The `Tokenizer` of the corpus.
        held: A `CorpusSampler` of held-out text, or None.
        knobs: The `PretrainConfig`, for `log_every`, `watch_every` and `no_texts`.
        done: The steps that the run has already done.
        settings: {name: value} of the run, for the tab HParams.
    """

    def __init__(self, folder: Path, phases: Any, tokenizer: Tokenizer, held: Any, knobs: Any, done: int = 0,
                 settings: dict[str, Any] | None = None) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.writer = folder, tf.summary.create_file_writer(str(folder))
        self.phases, self.tokenizer, self.held_out_rows, self.step = phases, tokenizer, held, done
        self.every, self.look_every, self.texts = knobs.log_every, knobs.watch_every, not knobs.no_texts
        self.settings, self.compared = dict(settings or {}), False
        self.sums: dict[str, float] = {}
        self.steps = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Write the knobs, measure the machine's peak, and start the clock.

        Args:
            logs: Not used.
        """
        self.weights = inside.WeightWatch(self.model)
        with self.writer.as_default(step=self.step):
            summaries.write_settings(self.settings, str(self.folder.parent))
        self.peak, self.began = peak_flops(), time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Keep the weights if the step will be measured.

        Args:
            batch: Not used.
            logs: Not used.
        """
        if self._looks(self.step + 1):
            self.weights.begin_step()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Add a step, and write what is due.

        Args:
            batch: Not used.
            logs: The logs of the step.
        """
        self.step, self.steps = self.step + 1, self.steps + 1
        for name, value in logs.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if self.step % self.every == 0:
            self._log()
        if self._looks(self.step):
            self._measure()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Write the token table, and close the events.

        Args:
            logs: Not used.
        """
        summaries.write_projector(self.folder, self.model.encoder, self.tokenizer)
        with self.writer.as_default(step=self.step):
            summaries.write_end()
        self.writer.close()

    def _looks(self, step):
        """Whether a step is measured."""
        return step % self.look_every == 0 or step == self.phases.total

    def _log(self):
        seconds, optimizer = time.monotonic() - self.began, self.model.optimizer
        tokens = self.sums.pop("tokens")
        values = {name: value / self.steps for name, value in self.sums.items()}
        if "mlm" in values:
            values["perplexity"] = math.exp(min(values["mlm"], 700))
        length = self.phases.phase_of_step(self.step - 1)[0].length
        values |= {"rate": variable_value(optimizer.learning_rate),
                   "gradient_norm": variable_value(optimizer.gradient_norm),
                   "tokens_per_second": tokens / seconds,
                   "utilisation": 3 * forward_flops(self.model.encoder.config, length) * tokens / seconds / self.peak}
        self._write(values)
        self.sums, self.steps, self.began = {}, 0, time.monotonic()

    def _measure(self):
        began, found = time.monotonic(), self.weights.end_step()
        batch = self.model.corrupt(self.phases.batch(self.step))
        scores = held_out(self.model, self.held_out_rows) if self.held_out_rows else self.model.scores(batch)
        part = "dev" if self.held_out_rows else "next_batch"
        scored = {f"{part}/{name}": value for name, value in scores.items()}
        if self.held_out_rows:
            say(f"step {self.step}, held out:  " + "  ".join(f"{name} {value:.4f}" for name, value in scores.items()))
        self._write(scored | found | self._measured_rows(first_rows(batch)))
        with self.writer.as_default(step=self.step):
            if not self.compared:
                summaries.write_metrics(self.settings, [*scored, "loss"],
                                        ("steps", "batch_size", "learning_rate", "config", "model"))
                self.compared = True
            if self.texts:
                tf.summary.text("filled_in", fill_mask_examples(self.model, self.tokenizer, batch))
        self.began += time.monotonic() - began

    def _measured_rows(self, batch):
        """Return what is measured inside the model of a few rows, {tag: number}."""
        tensors = {name: ops.convert_to_tensor(value) for name, value in batch.items()}
        found = inside.gradient_norms(self.model, lambda: self.model.weighted_losses(
            self.model(tensors, training=False), tensors)["loss"])
        rows = {name: batch[name] for name in ("token_ids", "segment_ids", "padding_mask")}
        return found | inside.attention_and_activations(self.model, rows)

    def _write(self, values):
        with self.writer.as_default(step=self.step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self.writer.flush()


def variable_value(variable: Any) -> float:
    """Return the value of a variable, of which several devices may each hold a copy.

    Args:
        variable: A scalar variable or tensor.

    Returns:
        The value.
    """
    return float(np.asarray(variable))


def forward_flops(config: EncoderConfig, length: int) -> float:
    """Compute the floating-point operations of a forward pass for each token.

    Args:
        config: The config of the encoder.
        length: Tokens of a row.

    Returns:
        Operations a token.
    """
    return flops(config, length) / length


def peak_flops() -> float:
    """Measure the floating-point operations a second of a product of large matrices on this machine.

    Returns:
        Operations a second.
    """
    x = tf.ones((PEAK_SIZE, PEAK_SIZE))
    y = tf.matmul(x, x)
    float(y[0, 0])
    began = time.perf_counter()
    for _ in range(4):
        y = tf.matmul(x, x)
    float(y[0, 0])
    return 4 * 2 * PEAK_SIZE**3 / (time.perf_counter() - began)

"""TensorBoard for pre-training: what it costs, what it learns, and a look inside now and then."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

from bertkit import cost
from bertkit.pretraining import inside
from bertkit.pretraining.eval_split import held_out
from bertkit.terminal import say

PEAK_SIZE = 1024        # of the square matrices that the machine's peak is measured with


class PretrainingTensorBoard(keras.callbacks.Callback):
    """Write curves under `folder`; look at them with `tensorboard --logdir folder`.

    Each `log_every` steps: losses (means since the point before), perplexity, learning rate, gradient norm, real
    tokens a second, and the share of the machine's peak that the model's arithmetic makes of it (Chowdhery et al. 2022,
    PaLM, appendix B: model FLOPs utilisation, three times a forward pass). Each `watch_every` steps: the scores of
    `held` rows, or of the batch to come; attention entropy and gradient norm of each layer; words that were filled in.
    At the end the token table, for the projector. `done` steps are behind the run when it begins.
    """

    def __init__(self, folder, phases, tokenizer, held, knobs, done=0):
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.writer = folder, tf.summary.create_file_writer(str(folder))
        self.phases, self.tokenizer, self.held, self.step = phases, tokenizer, held, done
        self.every, self.look_every = knobs.log_every, knobs.watch_every
        self.sums, self.steps = {}, 0

    def on_train_begin(self, logs=None):
        self.peak, self.began = peak(), time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.step, self.steps = self.step + 1, self.steps + 1
        for name, value in logs.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if self.step % self.every == 0:
            self._log()
        if self.step % self.look_every == 0 or self.step == self.phases.total:
            self._look()

    def on_train_end(self, logs=None):
        inside.project(self.folder, self.model.encoder, self.tokenizer)
        self.writer.close()

    def _log(self):
        seconds, optimizer = time.monotonic() - self.began, self.model.optimizer
        tokens = self.sums.pop("tokens")
        found = {name: value / self.steps for name, value in self.sums.items()}
        if "mlm" in found:
            found["perplexity"] = math.exp(min(found["mlm"], 700))
        length = self.phases.at(self.step - 1)[0].length
        found |= {"learning_rate": number(optimizer.learning_rate), "gradient_norm": number(optimizer.gradient_norm),
                  "tokens_per_second": tokens / seconds,
                  "utilisation": 3 * forward(self.model.encoder.config, length) * tokens / seconds / self.peak}
        self._write("train", found)
        self.sums, self.steps, self.began = {}, 0, time.monotonic()

    def _look(self):
        began, batch = time.monotonic(), self.model.corrupted(self.phases.batch(self.step))
        scores = held_out(self.model, self.held) if self.held else self.model.scores(batch)
        self._write("dev" if self.held else "next_batch", scores)
        if self.held:
            say(f"step {self.step}, held out:  " + "  ".join(f"{name} {value:.4f}" for name, value in scores.items()))
        self._write("attention_entropy", inside.entropies(self.model, batch))
        self._write("layer_gradient_norm", inside.gradient_norms(self.model, batch))
        with self.writer.as_default(step=self.step):
            tf.summary.text("filled_in", inside.filled(self.model, self.tokenizer, batch))
        self.began += time.monotonic() - began

    def _write(self, part, values):
        with self.writer.as_default(step=self.step):
            for name, value in values.items():
                tf.summary.scalar(f"{part}/{name}", value)
        self.writer.flush()


def number(variable):
    """Return the value of a variable, of which several devices may each hold one."""
    return float(np.asarray(variable))


def forward(config, length):
    """Return the floating-point operations of a forward pass for each token of rows of `length` tokens."""
    return cost.flops(config, length) / length


def peak():
    """Return the floating-point operations a second that a product of large matrices reaches here, now."""
    x = tf.ones((PEAK_SIZE, PEAK_SIZE))
    float(tf.matmul(x, x)[0, 0])
    began = time.perf_counter()
    for _ in range(4):
        y = tf.matmul(x, x)
    float(y[0, 0])
    return 4 * 2 * PEAK_SIZE**3 / (time.perf_counter() - began)

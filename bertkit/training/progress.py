"""Where a run stands, on standard error: a line in place on a terminal, a line now and then in a log."""

import math
import sys
import time

import keras

from bertkit.errors import Error


def check_loss(loss, where):
    """Raise `Error` if a loss is no number any more: no later step mends that."""
    if not math.isfinite(loss):
        raise Error(f"The training diverged: the loss is {loss} {where}; lower the learning rate.")


class Progress(keras.callbacks.Callback):
    """Show step, loss, dev scores and the time that is left; stop where the loss shown is no number.

    `steps` is the whole run's, `done` how many were behind it when it began.
    """

    def __init__(self, steps, done=0, stream=None):
        super().__init__()
        self.steps, self.first, self.stream = steps, done, stream or sys.stderr
        self.live = self.stream.isatty()
        self.step = done
        self.shown = 0.0

    def on_train_begin(self, logs=None):
        self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        now = time.monotonic()
        if self.step == self.steps or now - self.shown > (0.5 if self.live else 15):
            self.shown = now
            self._write(f"step {self.step}/{self.steps}  loss {logs.get('loss', float('nan')):.4f}  "
                        f"{self._left(now)}")
            check_loss(logs.get("loss", 0.0), f"at step {self.step}")

    def on_epoch_end(self, epoch, logs=None):
        if not any(name.startswith("dev_") for name in logs or {}):
            return                                  # pre-training: its one epoch is the whole run
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        self._write(f"epoch {epoch + 1}  {numbers}", end="\n")

    def _left(self, now):
        """The first steps compile, so an estimate is given only after some."""
        done = self.step - self.first
        if done < 10:
            return ""
        seconds = (now - self.began) / done * (self.steps - self.step)
        return f"{seconds / 60:.0f} min left" if seconds > 90 else f"{seconds:.0f} s left"

    def _write(self, text, end=None):
        end = end or ("" if self.live else "\n")
        self.stream.write(f"\r{text:<78}{end}" if self.live else f"{text}{end}")
        self.stream.flush()

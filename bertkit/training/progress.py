"""Where a run stands, on standard error: a line in place on a terminal, a line now and then in a log."""

import math
import sys
import time
from typing import Any, TextIO

import keras

from bertkit.errors import Error


def check_loss(loss: float, where: str) -> None:
    """Check that a loss is a finite number: once it is not, no later step makes it one again.

    Args:
        loss: The loss.
        where: The place in training, as the end of the sentence, such as "at step 7".

    Raises:
        Error: When the loss is infinite or not a number.

    >>> check_loss(float("nan"), "at step 7")
    Traceback (most recent call last):
    bertkit.errors.Error: The training diverged: the loss is nan at step 7; lower the learning rate.
    """
    if not math.isfinite(loss):
        raise Error(f"The training diverged: the loss is {loss} {where}; lower the learning rate.")


class Progress(keras.callbacks.Callback):
    """Show step, loss, dev scores and the time that is left; stop where the loss shown is not finite.

    Args:
        steps: Steps of the whole run.
        done: Steps that were done before this process began.
        stream: Where to write, by default standard error.
    """

    def __init__(self, steps: int, done: int = 0, stream: TextIO | None = None) -> None:
        super().__init__()
        self.steps, self.first, self.stream = steps, done, stream or sys.stderr
        self.live = self.stream.isatty()
        self.step = done
        self.shown = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start the clock.

        Args:
            logs: Not used.
        """
        self.began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the step; show it every half a second on a terminal, else every 15 seconds.

        Args:
            batch: Not used.
            logs: The numbers of the step; "loss" is shown.
        """
        self.step += 1
        now, logs = time.monotonic(), logs or {}
        if self.step == self.steps or now - self.shown > (0.5 if self.live else 15):
            self.shown = now
            self._write(f"step {self.step}/{self.steps}  loss {logs.get('loss', float('nan')):.4f}  "
                        f"{self._left(now)}")
            check_loss(logs.get("loss", 0.0), f"at step {self.step}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Show the epoch's numbers, if it was scored on dev.

        Args:
            epoch: The number of the epoch, from 0.
            logs: The epoch's numbers.
        """
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

"""TensorBoard: loss, scores, learning rate, gradient norm, tokens a second, a confusion matrix, the knobs."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

MOST_NAMED = 32     # classes whose names and counts a picture of 2400 pixels holds


class TrainingTensorBoard(keras.callbacks.Callback):
    """Write the curves of a run for TensorBoard; look at them with `tensorboard --logdir FOLDER`.

    Args:
        folder: The folder to write.
        sampler: The run's `BatchSampler`, which counts tokens.
        knobs: {name: value} of the run, shown as a table.
        every: Steps between two points.
        done: Steps that were done before this process began.
        best: The run's `BestWeights`, whose confusion matrix becomes a picture, or None.
    """

    def __init__(self, folder: str | Path, sampler: Any, knobs: dict[str, Any], every: int = 20, done: int = 0,
                 best: Any = None) -> None:
        super().__init__()
        self.writer = tf.summary.create_file_writer(str(folder))
        self.sampler, self.every, self.step, self.best = sampler, every, done, best
        rows = "\n".join(f"|{name}|{value}|" for name, value in knobs.items())
        with self.writer.as_default(step=0):
            tf.summary.text("knobs", f"|knob|value|\n|---|---|\n{rows}")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin a new interval.

        Args:
            epoch: Not used.
            logs: Not used.
        """
        self._start_interval()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write loss, learning rate, gradient norm and tokens a second after each `every` steps.

        Args:
            batch: The number of the batch in its epoch, from 0.
            logs: The numbers of the step; "loss" is the mean since the epoch began.
        """
        self.step += 1
        self.tokens += self.sampler.tokens(self.step - 1)
        if logs is None or self.step % self.every:
            return
        # Keras reports the mean since the epoch began; the mean of this interval follows from two of them.
        mean, seen = logs["loss"], batch + 1
        interval = (mean * seen - self.sum_before) / (seen - self.seen_before)
        optimizer = self.model.optimizer
        self._write({"train/loss": interval, "train/learning_rate": float(optimizer.learning_rate),
                     "train/gradient_norm": float(optimizer.gradient_norm),
                     "train/tokens_per_second": self.tokens / (time.monotonic() - self.began)})
        self._start_interval(mean * seen, seen)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the scores on dev and the confusion matrix.

        Args:
            epoch: Not used.
            logs: The epoch's numbers; those named "dev_..." are written.
        """
        self._write({f"dev/{name.removeprefix('dev_')}": value for name, value in (logs or {}).items()
                     if name.startswith("dev_")})
        if self.best is not None and self.best.confusion is not None:
            with self.writer.as_default(step=self.step):
                tf.summary.image("dev/confusion", confusion_picture(self.best.confusion, self.best.task.labels)[None])

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the files.

        Args:
            logs: Not used.
        """
        self.writer.close()

    def _start_interval(self, total=0.0, seen=0):
        self.sum_before, self.seen_before, self.tokens, self.began = total, seen, 0, time.monotonic()

    def _write(self, values):
        with self.writer.as_default(step=self.step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self.writer.flush()


def history(folder: str | Path) -> list[dict[str, float]]:
    """Return the curves that a `TrainingTensorBoard` wrote.

    The curves of a resumed run are whole; steps that it did twice are there once, as they were the second time.

    Args:
        folder: The folder that was written.

    Returns:
        One row {"step", "loss", "learning_rate", ...} for each point of training and one row {"step", "epoch",
        "dev_...": ...} for each epoch, in the order of steps.
    """
    events, points = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload(), {}
    for tag in events.Tags()["tensors"]:                # TensorFlow writes its scalars as tensors
        if events.SummaryMetadata(tag).plugin_data.plugin_name != "scalars":
            continue
        part, name = tag.split("/")
        if part not in ("train", "dev"):
            continue
        for event in events.Tensors(tag):
            value = float(tf.make_ndarray(event.tensor_proto))
            points.setdefault((event.step, part), {})[name if part == "train" else f"dev_{name}"] = value
    rows, epoch = [], 0
    for (step, part), values in sorted(points.items()):
        epoch += part == "dev"
        rows.append({"step": step, **values} if part == "train" else {"step": step, "epoch": epoch, **values})
    return rows


def confusion_picture(counts: Any, labels: Sequence[str], cell: int = 72, margin: int = 120) -> np.ndarray:
    """Return a confusion matrix as a picture.

    A cell is the darker the larger its share of its row. With more than `MOST_NAMED` classes the picture has cells
    alone, no names and no counts.

    Args:
        counts: Counts [C,C], rows true, columns predicted.
        labels: Names of the classes, C.
        cell: Width of a cell in pixels.
        margin: Width of the space for names in pixels.

    Returns:
        uint8 [height, width, 3].

    >>> confusion_picture([[3, 1], [0, 2]], ["no", "yes"]).shape
    (264, 264, 3)
    """
    counts = np.asarray(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if len(labels) > MOST_NAMED:
        size = max(1, MOST_NAMED * cell // len(labels))
        return _blue(shares).repeat(size, axis=0).repeat(size, axis=1)
    side = margin + cell * len(labels)
    picture = Image.new("RGB", (side, side), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=14)
    draw.text((6, 6), "true \\ predicted", fill="black", font=font)
    for i, label in enumerate(labels):
        middle = margin + cell * i + cell // 2
        draw.text((6, middle), label[:14], fill="black", font=font, anchor="lm")
        draw.text((middle, margin - 10), label[:9], fill="black", font=font, anchor="ms")
        for j in range(len(labels)):
            _draw_cell(draw, font, (margin + cell * j, margin + cell * i), cell, counts[i, j], shares[i, j])
    return np.asarray(picture)


def _blue(shares):
    """Return a colour for each share [...], uint8 [...,3]."""
    return (255 - np.asarray(shares)[..., None] * (255 - np.array([24, 79, 149]))).astype("uint8")


def _draw_cell(draw, font, corner, cell, count, share):
    x, y = corner
    draw.rectangle((x, y, x + cell - 2, y + cell - 2), fill=tuple(_blue(share).tolist()))
    draw.text((x + cell // 2, y + cell // 2), str(int(count)), fill="white" if share > 0.5 else "black", font=font,
              anchor="mm")

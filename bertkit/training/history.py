"""The curves of a run, read from its event files."""

from pathlib import Path

import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def history(folder: str | Path) -> list[dict[str, float]]:
    """Return the curves that were written for TensorBoard.

    The curves of a resumed run are whole; steps that it did twice are there once, as they were the second time.

    Args:
        folder: The folder that was written.

    Returns:
        One row {"step", "loss", "rate", ...} for each point of training and one row {"step", "epoch",
        "dev_...": ...} for each epoch, in the order of steps. Measurements of single layers are left out.
    """
    events, points = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload(), {}
    for tag in events.Tags()["tensors"]:                # TensorFlow writes its scalars as tensors
        part, _, name = tag.rpartition("/")
        if events.SummaryMetadata(tag).plugin_data.plugin_name != "scalars" or part not in ("", "dev"):
            continue
        for event in events.Tensors(tag):
            value = float(tf.make_ndarray(event.tensor_proto))
            points.setdefault((event.step, part == "dev"), {})[f"dev_{name}" if part else name] = value
    rows, epoch = [], 0
    for (step, scored), values in sorted(points.items()):
        epoch += scored
        rows.append({"step": step, "epoch": epoch, **values} if scored else {"step": step, **values})
    return rows

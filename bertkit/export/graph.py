"""What an exported file computes of a batch: the model, and after it what `Task.outputs` does, as TensorFlow."""

import tensorflow as tf

from bertkit.tasks.registry import entry_of


def probabilities(task, logits):
    """Return softmax(logits), or, of several labels a row, sigmoid(logits), float32 [B, C]."""
    return tf.sigmoid(logits) if task.multi_label else tf.nn.softmax(logits)


def scores(task, logits):
    """Return mean + spread · logits, float32 [B, 1]: the score in the units of the training file."""
    return task.mean + task.spread * logits


def raw(model, batch):
    """Return what a model gives for rows {name: int32 [B,T]}: [B,C], or of each token [B,T,C]."""
    if model.grouped:
        batch = {name: values[:, None] for name, values in batch.items() if values is not None}
    given = model(batch, training=False)
    if isinstance(given, dict):
        return tf.stack(list(given.values()), axis=-1)
    return given[:, 0] if model.grouped and given.shape.rank == 3 else given


def answer(model, task, batch):
    """Return what the file gives for rows, see `Task.output`."""
    output, given = entry_of(task).part("output"), raw(model, batch)
    return given if output is None else output(task, given)

"""What an exported file computes of a batch: the model, and after it what `Task.outputs` does, as TensorFlow."""

import tensorflow as tf

# By task: logits -> what the file gives, float32.
ANSWERS = {
    "classify": lambda task, logits: tf.sigmoid(logits) if task.multi_label else tf.nn.softmax(logits),
    "score": lambda task, logits: task.mean + task.spread * logits,
}


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
    return ANSWERS.get(task.name, lambda task, logits: logits)(task, raw(model, batch))

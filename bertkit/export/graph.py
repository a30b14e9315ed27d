"""What an exported file computes of a batch: the model, and after it what `Task.outputs` does, as TensorFlow."""

from typing import Any

import tensorflow as tf

from bertkit.tasks.registry import entry_of


def probabilities(task: Any, logits: tf.Tensor) -> tf.Tensor:
    """Return the probabilities of classes: softmax(logits), or of several labels a row sigmoid(logits).

    Args:
        task: The `Classification`.
        logits: Logits, float32 [B,C].

    Returns:
        float32 [B,C].
    """
    return tf.sigmoid(logits) if task.multi_label else tf.nn.softmax(logits)


def scores(task: Any, logits: tf.Tensor) -> tf.Tensor:
    """Return mean + spread · logits: scores in the units of the training file.

    Args:
        task: The task, which holds mean and spread.
        logits: Outputs of the model, float32 [B,1].

    Returns:
        float32 [B,1].
    """
    return task.mean + task.spread * logits


def raw_outputs(model: Any, batch: dict[str, Any]) -> tf.Tensor:
    """Return the outputs of a model for rows.

    Args:
        model: A head of bertkit's on an encoder.
        batch: {name: int32 [B,T]}.

    Returns:
        float32 [B,C], or [B,T,C] where the model answers each token; start and end logits stand side by side.
    """
    if model.grouped:
        batch = {name: values[:, None] for name, values in batch.items() if values is not None}
    given = model(batch, training=False)
    if isinstance(given, dict):
        return tf.stack(list(given.values()), axis=-1)
    return given[:, 0] if model.grouped and given.shape.rank == 3 else given


def cut(values: tf.Tensor, most: int) -> tf.Tensor:
    """Return rows that have at most so many tokens: of a longer one the first, and the last, which ends a text.

    Args:
        values: int32 [B,T].
        most: The most tokens, at least 1.

    Returns:
        int32 [B, min(T, most)].

    >>> cut(tf.constant([[2, 7, 8, 9, 3]]), 3).numpy().tolist()
    [[2, 7, 3]]
    """
    return tf.concat([values[:, :-1][:, :most - 1], values[:, -1:]], axis=1)


def answer(model: Any, task: Any, batch: dict[str, Any]) -> tf.Tensor:
    """Return what an exported file gives for rows (see `Task.output`).

    Args:
        model: A head of bertkit's on an encoder.
        task: Its task.
        batch: {name: int32 [B,T]}.

    Returns:
        float32 [B,C], or [B,T,C] where the model answers each token.
    """
    output, given = entry_of(task).part("output"), raw_outputs(model, batch)
    return given if output is None else output(task, given)

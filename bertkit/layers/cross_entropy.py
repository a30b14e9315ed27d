"""Cross entropy over a large vocabulary."""

from typing import Any

import keras
from keras import ops


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Compute −log softmax(logits)[label] of each label, in float32 whatever the logits are.

    Args:
        logits: [...,V].
        labels: int [...].

    Returns:
        The losses, float32 [...].

    Example:
        >>> logits = ops.array([[0.0, 0.0], [0.0, 20.0]])
        >>> [round(float(loss), 4) for loss in cross_entropy(logits, ops.array([0, 1]))]
        [0.6931, 0.0]
    """
    if keras.backend.backend() == "tensorflow":
        from bertkit.layers.accelerated import cross_entropy_tensorflow
        return cross_entropy_tensorflow.cross_entropy(logits, labels)
    return keras_cross_entropy(logits, labels)


def keras_cross_entropy(logits: Any, labels: Any) -> Any:
    """Compute the same as `cross_entropy` by Keras alone.

    Args:
        logits: [...,V].
        labels: int [...].

    Returns:
        The losses, float32 [...].

    Example:
        >>> logits = ops.array([[0.0, 0.0], [0.0, 20.0]])
        >>> [round(float(loss), 4) for loss in keras_cross_entropy(logits, ops.array([0, 1]))]
        [0.6931, 0.0]
    """
    return keras.losses.sparse_categorical_crossentropy(labels, ops.cast(logits, "float32"), from_logits=True)

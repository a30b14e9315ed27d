"""The loss of guessing one entry of a large vocabulary."""

import keras
from keras import ops


def cross_entropy(logits, labels):
    """Return −log softmax(logits [...,V])[labels [...]], float32 [...]; computed in float32 whatever the logits are."""
    if keras.backend.backend() == "tensorflow":
        from bertkit.layers.accelerated import cross_entropy_tensorflow
        return cross_entropy_tensorflow.cross_entropy(logits, labels)
    return plain(logits, labels)


def plain(logits, labels):
    """Return the same by Keras."""
    return keras.losses.sparse_categorical_crossentropy(labels, ops.cast(logits, "float32"), from_logits=True)

"""The tokenizers as TensorFlow operations, equal to those in Python; all of this room's TensorFlow."""

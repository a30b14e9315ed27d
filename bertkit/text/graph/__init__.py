"""The tokenizers as TensorFlow operations, equal to those in Python; all TensorFlow of `bertkit.text` is here."""

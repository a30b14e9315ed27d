"""Read files of examples, check them, and make batches of them."""

from bertkit.data.readers import Examples, label_indices, label_names, read_examples

__all__ = ["Examples", "label_indices", "label_names", "read_examples"]

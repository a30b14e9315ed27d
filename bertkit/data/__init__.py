"""Files of examples read, checked and made into batches."""

from bertkit.data.readers import Examples, label_indices, label_names, read_examples

__all__ = ["Examples", "label_indices", "label_names", "read_examples"]

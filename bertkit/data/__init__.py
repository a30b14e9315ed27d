"""Files of examples read, checked and made into batches."""

import importlib

__all__ = ["Examples", "label_indices", "label_names", "read_examples"]


def __getattr__(name):
    """Return what `__all__` names, imported when it is first asked for: `--help` reads `data.columns` without numpy."""
    if name not in __all__:
        raise AttributeError(f"module 'bertkit.data' has no attribute {name!r}")
    return getattr(importlib.import_module("bertkit.data.readers"), name)

"""Files of examples read, checked and made into batches; texts in memory as what `fit()` reads."""

import importlib

_HOMES = {"dataset": "in_memory", "py_dataset": "in_memory",
          "Examples": "readers", "label_indices": "readers", "label_names": "readers", "read_examples": "readers"}
__all__ = sorted(_HOMES)


def __getattr__(name):
    """Return what `__all__` names, imported when it is first asked for: `--help` reads `data.columns` without numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bertkit.data' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bertkit.data.{_HOMES[name]}"), name)

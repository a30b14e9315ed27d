"""Read files of examples, check them, and make batches of them; turn texts in memory into what `fit()` reads."""

import importlib
from typing import Any

_HOMES = {"dataset": "in_memory", "py_dataset": "in_memory",
          "Examples": "readers", "label_indices": "readers", "label_names": "readers", "read_examples": "readers"}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Return what `__all__` names, imported when it is first asked for: `--help` reads `data.columns` without numpy.

    Args:
        name: The name.

    Returns:
        The function or class.

    Raises:
        AttributeError: when `__all__` does not have the name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'bertkit.data' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bertkit.data.{_HOMES[name]}"), name)

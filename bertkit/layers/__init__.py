"""The equations, one file each; each kind of a config axis maps to exactly one layer.

Written in `keras.ops`, so the same code runs under TensorFlow and JAX.
"""

import importlib

_HOMES = {"SelfAttention": "attention", "attend": "attention", "register_attention": "attentions"}
__all__ = sorted(_HOMES)


def __getattr__(name):
    """Return what `__all__` names, imported when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bertkit.layers' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bertkit.layers.{_HOMES[name]}"), name)

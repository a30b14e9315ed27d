"""What happens around `fit()`: optimizer, schedule, losses, scores, progress, the best weights, resuming."""

import importlib

_HOMES = {"AdamW": "optimizer", "CrossEntropy": "losses", "LAMB": "lamb", "WarmupLinear": "schedules",
          **dict.fromkeys(("CosineError", "InfoNCE", "Triplet"), "contrastive")}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'bertkit.training' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bertkit.training.{_HOMES[name]}"), name)

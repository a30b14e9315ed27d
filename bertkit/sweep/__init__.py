"""Search the best settings: trials of a recipe over settings and seeds, resumable, with a table and a picture."""

from bertkit.sweep.trials import sweep

__all__ = ["sweep"]

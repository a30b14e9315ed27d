"""Random numbers that are functions of a key, without state: every worker draws the same numbers for a row."""

import zlib
from typing import Any

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(seed: int, purpose: str, keys: Any, width: int) -> np.ndarray:
    """Draw numbers in [0, 1): row i is a function of (seed, purpose, keys[i]).

    Each key begins splitmix64 at a place of its own (Steele, Lea and Flood 2014, figure 17).

    Args:
        seed: The seed of the run.
        purpose: A word that makes the draws for one purpose differ from those for another.
        keys: Whole numbers [B].
        width: How many numbers are drawn for each key.

    Returns:
        float64 [B,width].

    Example:
        >>> uniform(1, "masks", [7, 8], 3).shape
        (2, 3)
        >>> bool((uniform(1, "masks", [7, 8], 3)[1] == uniform(1, "masks", [8], 3)[0]).all())
        True
    """
    with np.errstate(over="ignore"):
        start = _mixed(np.uint64(seed % 2**64) * _GOLDEN + np.uint64(zlib.crc32(purpose.encode())))
        rows = _mixed(start + np.asarray(keys).astype("uint64") * _GOLDEN)
        values = _mixed(rows[:, None] + np.arange(1, width + 1, dtype="uint64") * _GOLDEN)
    return (values >> np.uint64(11)).astype("float64") / 2**53


def randint(draws: Any, below: Any) -> Any:
    """Turn draws in [0, 1) into whole numbers 0 … below − 1.

    Args:
        draws: float64 of any shape.
        below: A whole number, or int of a shape that broadcasts to that of `draws`.

    Returns:
        int64 of the same shape.

    Example:
        >>> randint(np.array([0.0, 0.5, 0.99]), 10).tolist()
        [0, 5, 9]
    """
    return (draws * below).astype("int64")


def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))

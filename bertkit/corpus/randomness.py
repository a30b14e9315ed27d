"""Draws that are functions of a key: no state, so any row of any step is drawn again alike, wherever it is drawn."""

import zlib

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(seed, purpose, keys, width):
    """Return numbers in [0, 1), float64 [B,width]: row i is a function of (seed, purpose, keys[i]).

    splitmix64 (Steele, Lea and Flood 2014, figure 17) at a place of its own for each key. `keys` are whole numbers [B],
    `purpose` a word that parts draws for different ends.

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


def randint(draws, below):
    """Return draws in [0, 1) as whole numbers 0 … below − 1, int64; `below` may be an array."""
    return (draws * below).astype("int64")


def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))

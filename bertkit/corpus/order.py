"""A shuffled order of n things as a function: no list of them is made, however many there are."""

import hashlib
from typing import Any

ROUNDS = 6


class Shuffle:
    """A random permutation of 0 … n − 1: shuffle(i) is the i-th number.

    A Feistel network over the smallest even number of bits that hold n − 1 (Luby and Rackoff 1988). It is applied again
    until the result is below n (Black and Rogaway 2002, cycle-walking). Memory does not grow with n.

    Args:
        n: How many numbers are shuffled.
        key: Any value; its text selects the permutation.

    Example:
        >>> sorted(Shuffle(5, (0, 1))(i) for i in range(5))
        [0, 1, 2, 3, 4]
    """

    def __init__(self, n: int, key: Any) -> None:
        self.n, self.half = n, max(1, ((n - 1).bit_length() + 1) // 2)
        self.mask = (1 << self.half) - 1
        seeds = (hashlib.sha256(f"{key}/{number}".encode()).digest() for number in range(ROUNDS))
        self.keys = [int.from_bytes(seed[:8], "little") for seed in seeds]

    def __call__(self, i: int) -> int:
        """Return the i-th number of the permutation.

        Args:
            i: From 0 to n − 1.

        Returns:
            From 0 to n − 1.
        """
        i = self._once(i)
        while i >= self.n:
            i = self._once(i)
        return i

    def _once(self, i):
        left, right = i >> self.half, i & self.mask
        for key in self.keys:
            left, right = right, left ^ self._mixed(right, key)
        return left << self.half | right

    def _mixed(self, value, key):
        """Return a number of `half` bits that depends on all bits of a value and a key (splitmix64's finish)."""
        z = (value + key) & 0xFFFFFFFFFFFFFFFF
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        z = (z ^ z >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        return (z ^ z >> 31) & self.mask

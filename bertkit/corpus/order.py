"""An order of n things as a function: no list of them is made, however many there are."""

import hashlib

ROUNDS = 6


class Shuffle:
    """A permutation of 0 … n − 1 that is drawn by `key`: shuffle(i) is the i-th.

    A Feistel network over the smallest even number of bits that hold n − 1 (Luby and Rackoff 1988), walked along until
    it comes below n (Black and Rogaway 2002, cycle-walking); memory does not grow with n.

    >>> sorted(Shuffle(5, (0, 1))(i) for i in range(5))
    [0, 1, 2, 3, 4]
    """

    def __init__(self, n, key):
        self.n, self.half = n, max(1, ((n - 1).bit_length() + 1) // 2)
        self.mask = (1 << self.half) - 1
        seeds = (hashlib.sha256(f"{key}/{number}".encode()).digest() for number in range(ROUNDS))
        self.keys = [int.from_bytes(seed[:8], "little") for seed in seeds]

    def __call__(self, i):
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

"""Byte-pair merges: neighbours become one entry, in the order of a list of pairs.

Source: Sennrich et al. 2016 (arXiv 1508.07909, section 3.2).
"""

import heapq
from collections.abc import Iterable, Sequence
from typing import Any

from bertkit.errors import Error


class Merges:
    """Pairs of entries that become a third entry, in the order of their rank.

    The attribute `table` is {(left id, right id): (rank, id of both as one)}. Of equal merges the last counts.

    Args:
        ids: the vocabulary, a dict {entry: id}.
        merges: strings "left right", the one that is merged first at the front.

    Raises:
        Error: when the vocabulary lacks an entry of a merge.

    Example:
        >>> Merges({"a": 0, "b": 1, "ab": 2, "aab": 3}, ["a b", "a ab"])([0, 0, 1, 0])
        ([3, 0], [3, 4])
    """

    def __init__(self, ids: dict[str, int], merges: Iterable[str]):
        self.merges, self.table = tuple(merges), {}
        for rank, merge in enumerate(self.merges):
            left, _, right = merge.partition(" ")
            if not (left in ids and right in ids and left + right in ids):
                raise Error(f"The merge {merge!r}, number {rank + 1}, is not of two entries of the vocabulary that "
                            "make a third; give the merges of this vocabulary.")
            self.table[ids[left], ids[right]] = rank, ids[left + right]

    def __call__(self, ids: Sequence[int]) -> tuple[list[int], list[int]]:
        """Merge all pairs of a list of ids, by rank and then from the left; return the ids left and where each of them
        ends.
        """
        table, count = self.table, len(ids)
        merged: list[Any] = list(ids)
        before, after = list(range(-1, count - 1)), list(range(1, count + 1))
        queue = [(table[pair][0], i) for i, pair in enumerate(zip(merged, merged[1:], strict=False)) if pair in table]
        heapq.heapify(queue)
        while queue:
            rank, i = heapq.heappop(queue)
            j = after[i]
            pair = (merged[i], merged[j]) if j < count else None
            if pair not in table or table[pair][0] != rank:           # one of the two is merged already
                continue
            merged[i], merged[j], after[i] = table[pair][1], None, after[j]
            if after[i] < count:
                before[after[i]] = i
            for left in (before[i], i):
                right = after[left]
                if left >= 0 and right < count and (pair := (merged[left], merged[right])) in table:
                    heapq.heappush(queue, (table[pair][0], left))
        kept = [i for i in range(count) if merged[i] is not None]
        return [merged[i] for i in kept], [after[i] for i in kept]

"""Byte-pair merges: which neighbours become one entry, the earliest of a list first.

Source: Sennrich et al. 2016 (arXiv 1508.07909, section 3.2).
"""

import heapq

from bertkit.errors import Error


class Merges:
    """Pairs of entries that become a third, in the order of their rank.

    `ids` is the vocabulary {entry: id}; `merges` are strings "left right". `table` is {(left id, right id): (rank, id
    of both as one)}; of equal merges the last counts. Raises Error if an entry of a merge is missing.

    >>> Merges({"a": 0, "b": 1, "ab": 2, "aab": 3}, ["a b", "a ab"])([0, 0, 1, 0])
    ([3, 0], [3, 4])
    """

    def __init__(self, ids, merges):
        self.merges, self.table = tuple(merges), {}
        for rank, merge in enumerate(self.merges):
            left, _, right = merge.partition(" ")
            if not (left in ids and right in ids and left + right in ids):
                raise Error(f"The merge {merge!r}, number {rank + 1}, is not of two entries of the vocabulary that "
                            "make a third; give the merges of this vocabulary.")
            self.table[ids[left], ids[right]] = rank, ids[left + right]

    def __call__(self, ids):
        """Return the ids left when all pairs of a list are merged, by rank, then place, and where each ends."""
        ids, table, count = list(ids), self.table, len(ids)
        before, after = list(range(-1, count - 1)), list(range(1, count + 1))
        queue = [(table[pair][0], i) for i, pair in enumerate(zip(ids, ids[1:], strict=False)) if pair in table]
        heapq.heapify(queue)
        while queue:
            rank, i = heapq.heappop(queue)
            j = after[i]
            pair = (ids[i], ids[j]) if j < count else None
            if pair not in table or table[pair][0] != rank:           # one of the two is merged already
                continue
            ids[i], ids[j], after[i] = table[pair][1], None, after[j]
            if after[i] < count:
                before[after[i]] = i
            for left in (before[i], i):
                right = after[left]
                if left >= 0 and right < count and (pair := (ids[left], ids[right])) in table:
                    heapq.heappush(queue, (table[pair][0], left))
        kept = [i for i in range(count) if ids[i] is not None]
        return [ids[i] for i in kept], [after[i] for i in kept]

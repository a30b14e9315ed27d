"""Put several short texts in one row, so that little is computed for padding."""

from collections.abc import Sequence

import numpy as np

from bertkit.text import Tokenizer


def pack_rows(tokenizer: Tokenizer, rows: Sequence[tuple[list[int], list[int]]], keys: np.ndarray,
              length: int) -> dict[str, np.ndarray]:
    """Combine rows into a batch of fewer, fuller rows.

    The longest rows come first, and each goes into the first new row that has room (Krell et al. 2021, arXiv
    2107.02027, section 2.2).

    Args:
        tokenizer: The `Tokenizer` that made the rows.
        rows: (token ids, segment ids) of each text, from `Tokenizer.pack_ids`.
        keys: int64 [rows], the key of each.
        length: The most tokens of a new row.

    Returns:
        "token_ids", "segment_ids" and "padding_mask" int32 [B,T], T the longest row's; "packed_ids", the number of the
        text in its row, from 1, and 0 for padding; "position_ids", which begin at 0 for each text; "keys" int64 [B],
        those of each row's first text.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> rows = [([2, 5, 6, 3], [0] * 4), ([2, 5, 3], [0] * 3), ([2, 6, 3], [0] * 3)]
        >>> batch = pack_rows(tokenizer, rows, np.arange(3), length=7)
        >>> batch["token_ids"].tolist(), batch["packed_ids"].tolist()
        ([[2, 5, 6, 3, 2, 5, 3], [2, 6, 3, 0, 0, 0, 0]], [[1, 1, 1, 1, 2, 2, 2], [1, 1, 1, 0, 0, 0, 0]])
    """
    bins: list[list[int]] = []
    room: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: -len(rows[i][0])):
        size = len(rows[i][0])
        place = next((j for j, free in enumerate(room) if size <= free), len(bins))
        if place == len(bins):
            bins.append([])
            room.append(length)
        bins[place].append(i)
        room[place] -= size
    joined = [([x for i in texts for x in rows[i][0]], [x for i in texts for x in rows[i][1]]) for texts in bins]
    batch = tokenizer.batch(joined, length - min(room))
    batch |= {"packed_ids": np.zeros_like(batch["token_ids"]), "position_ids": np.zeros_like(batch["token_ids"])}
    for row, texts in enumerate(bins):
        sizes = [len(rows[i][0]) for i in texts]
        real = batch["padding_mask"][row] > 0
        batch["packed_ids"][row, real] = np.repeat(np.arange(1, len(sizes) + 1), sizes)
        batch["position_ids"][row, real] = np.concatenate([np.arange(size) for size in sizes])
    return batch | {"keys": keys[[texts[0] for texts in bins]]}

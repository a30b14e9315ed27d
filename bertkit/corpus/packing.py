"""Several short texts in one row, so that nothing is computed for padding."""

import numpy as np


def packed(tokenizer, rows, keys, length):
    """Return rows of `Tokenizer.pack_ids` as a batch of fewer, fuller rows: int32 [B,T], T the longest one's.

    "token_ids", "segment_ids", "padding_mask"; "packed_ids", the number of the text in its row, from 1, 0 for padding;
    "position_ids", which begin anew with each text; "keys" int64 [B], those of each row's first text. The longest come
    first, and each goes into the first row that has room (Krell et al. 2021, arXiv 2107.02027, section 2.2).
    """
    bins, room = [], []
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

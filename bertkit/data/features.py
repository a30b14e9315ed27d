"""From texts to ids: every row tokenized once, kept without padding."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bertkit.errors import Error

NAMES = ("token_ids", "segment_ids", "padding_mask")


class Padding(NamedTuple):
    """What fills a row of a batch: its token and segment, on the `left` or the right of the real tokens."""

    token: int = 0
    segment: int = 0
    left: bool = False

    @classmethod
    def of(cls, tokenizer):
        """Return the padding of a tokenizer's template."""
        template = tokenizer.template
        return cls(tokenizer.pad_id, template.padding_segment, template.padding_side == "left")


RIGHT = Padding()


@dataclass(frozen=True)
class Features:
    """Rows of ids end to end: row i is `token_ids[starts[i]:starts[i + 1]]`, int32; `labels` is one array.

    `labels` is [rows] int32 (one class each), [rows, C] float32 (multi-label), or None.
    """

    token_ids: np.ndarray
    segment_ids: np.ndarray
    starts: np.ndarray
    labels: np.ndarray | None = None
    padding: Padding = RIGHT

    def __len__(self):
        return len(self.starts) - 1

    @property
    def lengths(self):
        """Tokens of each row, [rows]."""
        return np.diff(self.starts)

    def batch(self, rows, length=None):
        """Return {"token_ids", "segment_ids", "padding_mask"} int32 [len(rows), length] of these rows.

        `length` is the longest of them by default; the rest is `padding`, mask 0.
        """
        rows = np.asarray(rows)
        lengths = self.lengths[rows]
        length = int(lengths.max(initial=1)) if length is None else length
        places = np.arange(length) - (length - lengths[:, None] if self.padding.left else 0)
        mask = (places >= 0) & (places < lengths[:, None])
        places = (self.starts[rows][:, None] + places)[mask]
        batch = {name: np.zeros(mask.shape, "int32") for name in NAMES}
        batch["token_ids"].fill(self.padding.token)
        batch["segment_ids"].fill(self.padding.segment)
        batch["token_ids"][mask] = self.token_ids[places]
        batch["segment_ids"][mask] = self.segment_ids[places]
        batch["padding_mask"][mask] = 1
        return batch

    def sample(self, count, seed):
        """Return a batch of at most `count` rows drawn without replacement, or None if that is none."""
        rows = np.random.default_rng(seed).permutation(len(self))[:count]
        return self.batch(rows) if len(rows) else None


def featurize(tokenizer, first, second=None, length=128, labels=None):
    """Return the `Features` of texts, or of pairs, cut to `length` tokens with the special ones.

    Raises `Error` if `first` and `second` differ in number.
    """
    if second is not None and len(second) != len(first):
        raise Error(f"{len(first)} first texts came with {len(second)} second ones; wanted as many.")
    ones = tokenizer.ids(first)
    twos = [None] * len(ones) if second is None else tokenizer.ids(second)
    packed = [tokenizer.pack_ids(one, two, length) for one, two in zip(ones, twos, strict=True)]
    return pack(packed, Padding.of(tokenizer), labels)


def pack(rows, padding=RIGHT, labels=None):
    """Return the `Features` of rows that `Tokenizer.pack_ids` gave, [(token ids, segment ids), ...]."""
    starts = np.concatenate([[0], np.cumsum([len(ids) for ids, _ in rows])]).astype("int64")
    return Features(_joined([ids for ids, _ in rows]), _joined([segments for _, segments in rows]), starts, labels,
                    padding)


def _joined(rows):
    return np.fromiter((value for row in rows for value in row), "int32")


def check_fit(tokenizer, config, length):
    """Raise `Error` unless every id has a row in the encoder's table, and `length` tokens have positions."""
    if len(tokenizer) > config.vocabulary_size:
        raise Error(f"The vocabulary has {len(tokenizer)} entries and the encoder's table {config.vocabulary_size} "
                    "rows; give the vocabulary that belongs to this checkpoint.")
    if length < 3 or config.longest is not None and length > config.longest:
        most = f"3 to {config.longest}" if config.longest is not None else "3 or more"
        raise Error(f"length={length} does not fit: this encoder takes {most} tokens.")

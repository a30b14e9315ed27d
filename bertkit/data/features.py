"""From packed rows to arrays: every row kept without padding, batches padded to their longest."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.tasks.packed import UNSCORED

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
    """Rows of ids end to end: row i is `token_ids[starts[i]:starts[i + 1]]`, int32.

    An example is `group` rows, one after the other. `labels` are one example's each: [examples] int32 (a class) or
    float32 (a score), [examples, C] float32 (multi-label), [examples, 2] int32 (places); or `token_labels` int32 stand
    beside `token_ids`, -1 where nothing is scored; or there are none. With `counts` int64 [examples] an example is as
    many rows as it has; a batch then holds them without gaps, and whose they are. `weights` float32 [examples] say
    how much each example counts in a loss.
    """

    token_ids: np.ndarray
    segment_ids: np.ndarray
    starts: np.ndarray
    labels: np.ndarray | None = None
    padding: Padding = RIGHT
    token_labels: np.ndarray | None = None
    group: int = 1
    counts: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __len__(self):
        return len(self.firsts) - 1

    @cached_property
    def firsts(self):
        """The first row of each example, and the number of all rows, [examples + 1]."""
        if self.counts is None:
            return np.arange(0, len(self.starts), self.group)
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def most_rows(self):
        """Rows of the example that has most."""
        return int(np.diff(self.firsts).max(initial=1))

    @property
    def lengths(self):
        """Tokens of the longest row of each example, [examples]."""
        return np.maximum.reduceat(np.diff(self.starts), self.firsts[:-1]) if len(self) else np.zeros(0, "int64")

    @property
    def sizes(self):
        """Tokens of all rows of each example, [examples]."""
        return np.diff(self.starts[self.firsts])

    @property
    def alone(self):
        """The rows as examples of their own, without labels."""
        return replace(self, labels=None, token_labels=None, group=1, counts=None, weights=None)

    def batch(self, examples, length=None):
        """Return {"token_ids", "segment_ids", "padding_mask"} int32 [B,length], grouped [B,group,length].

        `length` is that of the longest row by default; the rest is `padding`, mask 0. Examples of unlike `counts` give
        [R,length], all their rows, and "windows" [B,W]: which of these each has, -1 after the last.
        """
        rows, mask, places = self._places(examples, length)
        batch = {name: np.zeros(mask.shape, "int32") for name in NAMES}
        batch["token_ids"].fill(self.padding.token)
        batch["segment_ids"].fill(self.padding.segment)
        batch["token_ids"][mask] = self.token_ids[places]
        batch["segment_ids"][mask] = self.segment_ids[places]
        batch["padding_mask"][mask] = 1
        if self.counts is not None:
            return {**batch, "windows": numbered(self.counts[np.asarray(examples)])}
        if self.group == 1:
            return batch
        return {name: values.reshape(len(rows) // self.group, self.group, -1) for name, values in batch.items()}

    def targets(self, examples, length=None):
        """Return the labels of these examples, those of tokens padded as `batch` pads; None where there are none."""
        if self.token_labels is None:
            return None if self.labels is None else self.labels[np.asarray(examples)]
        _, mask, places = self._places(examples, length)
        labels = np.full(mask.shape, UNSCORED, "int32")
        labels[mask] = self.token_labels[places]
        return labels

    def sample(self, count, seed):
        """Return a batch of at most `count` rows drawn without replacement, or None if that is none."""
        alone = self.alone
        rows = np.random.default_rng(seed).permutation(len(alone))[:count]
        return alone.batch(rows) if len(rows) else None

    def _places(self, examples, length):
        """Return the examples' rows, where their padded batch is real, and where those tokens stand in `token_ids`."""
        examples = np.asarray(examples, "int64")
        counts = np.diff(self.firsts)[examples]
        rows = np.arange(counts.sum()) + np.repeat(self.firsts[examples] - np.cumsum(counts) + counts, counts)
        lengths = np.diff(self.starts)[rows]
        length = int(lengths.max(initial=1)) if length is None else length
        places = np.arange(length) - (length - lengths[:, None] if self.padding.left else 0)
        mask = (places >= 0) & (places < lengths[:, None])
        return rows, mask, (self.starts[rows][:, None] + places)[mask]


def features_of(packed, tokenizer):
    """Return the `Features` of what a task packed (see `ondevice.packed`), padded as the tokenizer does."""
    found = pack(packed.rows, Padding.of(tokenizer), packed.labels)
    labels = None if packed.token_labels is None else _joined(packed.token_labels)
    return replace(found, token_labels=labels, group=packed.group, counts=packed.counts)


def numbered(counts):
    """Return the numbers of rows that lie end to end, `counts` of them an example: int32 [B,W], -1 after the last.

    >>> numbered(np.array([2, 1])).tolist()
    [[0, 1], [2, -1]]
    """
    places, ends = np.arange(max(counts, default=0)), np.cumsum(counts)[:, None]
    numbers = places + ends - counts[:, None]
    return np.where(numbers < ends, numbers, -1).astype("int32")


def featurize(tokenizer, first, second=None, length=128, labels=None):
    """Return the `Features` of texts, or of pairs, cut to `length` tokens with the special ones.

    Raises `Error` if `first` and `second` differ in number.
    """
    return pack(cut_rows(tokenizer, first, second, length)[0], Padding.of(tokenizer), labels)


def cut_rows(tokenizer, first, second, length):
    """Return ([(token ids, segment ids) of each text or pair], how many of them were cut to fit into `length`)."""
    if second is not None and len(second) != len(first):
        raise Error(f"{len(first)} first texts came with {len(second)} second ones; wanted as many.")
    ones = tokenizer.ids(first)
    twos = [None] * len(ones) if second is None else tokenizer.ids(second)
    places = tokenizer.template.places(length, second is not None)
    cut = sum(len(one) + len(two or ()) > places for one, two in zip(ones, twos, strict=True))
    return [tokenizer.pack_ids(one, two, length) for one, two in zip(ones, twos, strict=True)], cut


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

"""Make arrays of packed rows: rows are stored without padding, batches are padded to their longest row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.files.schema import Whole, check_argument
from bertkit.tasks.packed import UNSCORED, Packed
from bertkit.terminal import say
from bertkit.text import Tokenizer

NAMES = ("token_ids", "segment_ids", "padding_mask")


class Padding(NamedTuple):
    """What fills a row of a batch up.

    Args:
        token: The id of the padding token.
        segment: The segment id of padding.
        left: Whether padding stands on the left of the real tokens.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> Padding.of(tokenizer)
        Padding(token=0, segment=0, left=False)
    """

    token: int = 0
    segment: int = 0
    left: bool = False

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Self:
        """Return the padding of a tokenizer's template.

        Args:
            tokenizer: The `Tokenizer`.

        Returns:
            The `Padding`.
        """
        template = tokenizer.template
        return cls(tokenizer.pad_id, template.padding_segment, template.padding_side == "left")


RIGHT = Padding()


@dataclass(frozen=True)
class Features:
    """Rows of ids end to end: row i is `token_ids[starts[i]:starts[i + 1]]`.

    An example is `group` rows, one after the other, or with `counts` as many rows as it has. A batch of the latter
    holds its rows without gaps, and whose they are.

    Args:
        token_ids: int32, the ids of all rows.
        segment_ids: int32, beside `token_ids`.
        starts: int64 [rows + 1], where each row starts.
        labels: One for each example: [examples] int32 (a class) or float32 (a score), [examples, C] float32
            (multi-label), [examples, 2] int32 (places); None without labels.
        padding: What fills a row of a batch up.
        token_labels: int32 beside `token_ids`, -1 where nothing is scored; None without labels.
        group: Rows of an example.
        counts: int64 [examples], rows of each example; None where all have `group`.
        weights: float32 [examples], how much each example counts in a loss; None where all count alike.

    Example:
        >>> rows = pack([([2, 7, 3], [0, 0, 0]), ([2, 3], [0, 0])])
        >>> len(rows), rows.starts.tolist(), rows.batch([1])["token_ids"].tolist()
        (2, [0, 3, 5], [[2, 3]])
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
        return len(self.row_starts) - 1

    @cached_property
    def row_starts(self) -> np.ndarray:
        """The first row of each example, and the number of all rows, [examples + 1]."""
        if self.counts is None:
            return np.arange(0, len(self.starts), self.group)
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def most_rows(self) -> int:
        """The rows of the example that has most."""
        return int(np.diff(self.row_starts).max(initial=1))

    @property
    def lengths(self) -> np.ndarray:
        """The tokens of the longest row of each example, [examples]."""
        return np.maximum.reduceat(np.diff(self.starts), self.row_starts[:-1]) if len(self) else np.zeros(0, "int64")

    @property
    def token_counts(self) -> np.ndarray:
        """The tokens of all rows of each example, [examples]."""
        return np.diff(self.starts[self.row_starts])

    @cached_property
    def scored(self) -> np.ndarray:
        """The labels of each example that count in a loss, int64 [examples]: one, or those of its tokens but -1."""
        if self.token_labels is None:
            return np.ones(len(self), "int64")
        sums = np.concatenate([[0], np.cumsum(self.token_labels != UNSCORED)])
        return np.diff(sums[self.starts[self.row_starts]])

    @property
    def single_rows(self) -> "Features":
        """The rows as examples of their own, without labels."""
        return replace(self, labels=None, token_labels=None, group=1, counts=None, weights=None)

    def batch(self, examples: Any, length: int | None = None) -> dict[str, np.ndarray]:
        """Return examples as padded arrays.

        Args:
            examples: The numbers of the examples, [B].
            length: Tokens of a padded row; None takes the longest row's.

        Returns:
            "token_ids", "segment_ids" and "padding_mask" (0 for padding) int32 [B,length], or [B,group,length] where an
            example is several rows. With `counts` they are [R,length], all rows of the examples, and "windows" int32
            [B,W] says which of these each example has, -1 after its last.
        """
        rows, mask, places = self._places(examples, length)
        batch = {name: np.zeros(mask.shape, "int32") for name in NAMES}
        batch["token_ids"].fill(self.padding.token)
        batch["segment_ids"].fill(self.padding.segment)
        batch["token_ids"][mask] = self.token_ids[places]
        batch["segment_ids"][mask] = self.segment_ids[places]
        batch["padding_mask"][mask] = 1
        if self.counts is not None:
            return {**batch, "windows": row_numbers(self.counts[np.asarray(examples)])}
        if self.group == 1:
            return batch
        return {name: values.reshape(len(rows) // self.group, self.group, -1) for name, values in batch.items()}

    def targets(self, examples: Any, length: int | None = None) -> np.ndarray | None:
        """Return the labels of examples, those of tokens padded as `batch` pads.

        Args:
            examples: The numbers of the examples, [B].
            length: Tokens of a padded row; None takes the longest row's.

        Returns:
            The labels [B] or [B,...] of the dtype of `labels`, or those of tokens, int32 [B,length]; None where there
            are none.
        """
        if self.token_labels is None:
            return None if self.labels is None else self.labels[np.asarray(examples)]
        return self.padded(self.token_labels, examples, length, UNSCORED)

    def padded(self, values: np.ndarray, examples: Any, length: int | None = None, fill: float = 0) -> np.ndarray:
        """Return values that lie beside the tokens of all rows, padded as `batch` pads.

        Args:
            values: [tokens, ...] of any dtype, beside `token_ids`.
            examples: The numbers of the examples, [B].
            length: Tokens of a padded row; None takes the longest row's.
            fill: What stands at padding.

        Returns:
            [B,length,...], or of several rows an example [B·group,length,...], in the dtype of `values`.
        """
        _, mask, places = self._places(examples, length)
        found = np.full((*mask.shape, *values.shape[1:]), fill, values.dtype)
        found[mask] = values[places]
        return found

    def sample(self, count: int, seed: int) -> dict[str, np.ndarray] | None:
        """Return a batch of rows that are drawn without replacement.

        Args:
            count: The most rows.
            seed: The seed of the draw.

        Returns:
            The batch, int32 [count,T] as `batch` gives it, or None where there are no rows.
        """
        alone = self.single_rows
        rows = np.random.default_rng(seed).permutation(len(alone))[:count]
        return alone.batch(rows) if len(rows) else None

    def _places(self, examples, length):
        """Return the examples' rows, where their padded batch is real, and where those tokens stand in `token_ids`."""
        examples = np.asarray(examples, "int64")
        counts = np.diff(self.row_starts)[examples]
        rows = np.arange(counts.sum()) + np.repeat(self.row_starts[examples] - np.cumsum(counts) + counts, counts)
        lengths = np.diff(self.starts)[rows]
        length = int(lengths.max(initial=1)) if length is None else length
        places = np.arange(length) - (length - lengths[:, None] if self.padding.left else 0)
        mask = (places >= 0) & (places < lengths[:, None])
        return rows, mask, (self.starts[rows][:, None] + places)[mask]


def features_of(packed: Packed, tokenizer: Tokenizer) -> Features:
    """Make `Features` of what a task packed, padded as the tokenizer does.

    Args:
        packed: The `Packed` rows of a task.
        tokenizer: The `Tokenizer`.

    Returns:
        The `Features`.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> packed = Packed([([2, 5, 3], [0, 0, 0]), ([2, 6, 6, 3], [0, 0, 0, 0])], group=2)
        >>> features_of(packed, tokenizer).batch([0])["token_ids"].tolist()
        [[[2, 5, 3, 0], [2, 6, 6, 3]]]
    """
    rows = pack(packed.rows, Padding.of(tokenizer), packed.labels)
    labels = packed.token_labels
    labels = _concatenated(labels) if isinstance(labels, list) else labels
    return replace(rows, token_labels=labels, group=packed.group, counts=packed.counts)


def row_numbers(counts: np.ndarray) -> np.ndarray:
    """Number rows that lie end to end, `counts` of them for each example.

    Args:
        counts: int [B].

    Returns:
        int32 [B,W], -1 after the last row of an example.

    Example:
        >>> row_numbers(np.array([2, 1])).tolist()
        [[0, 1], [2, -1]]
    """
    places, ends = np.arange(max(counts, default=0)), np.cumsum(counts)[:, None]
    numbers = places + ends - counts[:, None]
    return np.where(numbers < ends, numbers, -1).astype("int32")


def featurize(tokenizer: Tokenizer, first: Sequence[str], second: Sequence[str] | None = None, length: int = 128,
              labels: np.ndarray | None = None) -> Features:
    """Make `Features` of texts, or of pairs of texts.

    Args:
        tokenizer: The `Tokenizer`.
        first: The texts, or the first text of each pair.
        second: The second text of each pair.
        length: The most tokens of a row, with the special tokens; longer ones are cut.
        labels: One for each row, int32 or float32 [rows] or [rows, ...], see `Features`; None without labels.

    Returns:
        The `Features`.

    Raises:
        Error: when `first` and `second` differ in number, or the special tokens alone are more than `length`.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> featurize(tokenizer, ["warm", "cold cold"]).batch([0, 1])["token_ids"].tolist()
        [[2, 5, 3, 0], [2, 6, 6, 3]]
    """
    return pack(cut_rows(tokenizer, first, second, length)[0], Padding.of(tokenizer), labels)


def cut_rows(tokenizer: Tokenizer, first: Sequence[str], second: Sequence[str] | None,
             length: int) -> tuple[list[tuple[list[int], list[int]]], int]:
    """Make rows of texts, or of pairs of texts, and count those that are cut.

    Args:
        tokenizer: The `Tokenizer`.
        first: The texts, or the first text of each pair.
        second: The second text of each pair; None for single texts.
        length: The most tokens of a row, with the special tokens; longer ones are cut.

    Returns:
        ([(token ids, segment ids) of each text or pair], how many of them were cut).

    Raises:
        Error: when `first` and `second` differ in number, or the special tokens alone are more than `length`.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> cut_rows(tokenizer, ["warm", "cold cold cold"], None, length=4)
        ([([2, 5, 3], [0, 0, 0]), ([2, 6, 6, 3], [0, 0, 0, 0])], 1)
    """
    if second is not None and len(second) != len(first):
        raise Error(f"{len(first)} first texts came with {len(second)} second ones; wanted as many.")
    ones = tokenizer.ids(first)
    twos = [None] * len(ones) if second is None else tokenizer.ids(second)
    places = tokenizer.template.max_text_tokens(length, second is not None)
    cut = sum(len(one) + len(two or ()) > places for one, two in zip(ones, twos, strict=True))
    return [tokenizer.pack_ids(one, two, length) for one, two in zip(ones, twos, strict=True)], cut


def pack(rows: Sequence[tuple[list[int], list[int]]], padding: Padding = RIGHT,
         labels: np.ndarray | None = None) -> Features:
    """Make `Features` of rows that `Tokenizer.pack_ids` gave.

    Args:
        rows: (token ids, segment ids) of each.
        padding: What fills a row of a batch up.
        labels: One for each row, int32 or float32 [rows] or [rows, ...], see `Features`; None without labels.

    Returns:
        The `Features`.

    Example:
        >>> pack([([2, 7, 3], [0, 0, 0]), ([2, 3], [0, 0])]).batch([0, 1])["token_ids"].tolist()
        [[2, 7, 3], [2, 3, 0]]
    """
    starts = np.concatenate([[0], np.cumsum([len(ids) for ids, _ in rows])]).astype("int64")
    return Features(_concatenated([ids for ids, _ in rows]), _concatenated([segments for _, segments in rows]), starts,
                    labels, padding)


def _concatenated(rows):
    return np.fromiter(chain.from_iterable(rows), "int32", sum(map(len, rows)))


@cache
def _say_one_segment():
    """Say it once in a process: recipes check more than once that a tokenizer fits."""
    say("The encoder has one segment (type_vocab_size 1), and its tokenizer gives a pair two: the second text of a "
        "pair is read with segment 0, as the first one is.")


def check_fit(tokenizer: Tokenizer, config: EncoderConfig, length: int) -> None:
    """Check that every id has a row in the encoder's table, and that `length` tokens have positions.

    Args:
        tokenizer: The `Tokenizer`.
        config: The config of the encoder.
        length: Tokens of a row.

    Raises:
        Error: when the vocabulary is larger than the table, or `length` is too small or too large.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> config = EncoderConfig(5, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16)
        >>> check_fit(tokenizer, config, length=8)             # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: The vocabulary has 7 entries and the encoder's table 5 rows; give ...
    """
    if not isinstance(tokenizer, Tokenizer):
        raise Error(f"A {type(tokenizer).__name__} came where a tokenizer was wanted; give "
                    "bertkit.Tokenizer.load(PATH).")
    check_argument("length", length, Whole(-2**31))     # how small or large one may be is said below
    if len(tokenizer) > config.vocabulary_size:
        raise Error(f"The vocabulary has {len(tokenizer)} entries and the encoder's table {config.vocabulary_size} "
                    "rows; give the vocabulary that belongs to this checkpoint.")
    template, table = tokenizer.template, config.num_segments
    alone = max(template.padding_segment, *(segment for _, segment in template.single))
    if table and max(alone, *(segment for _, segment in template.pair)) >= (table if alone >= table else max(table, 2)):
        raise Error(f"The tokenizer's template has segments that the encoder's table of {table} rows does not hold; "
                    "give the tokenizer that belongs to this checkpoint.")
    if table == 1 and max(segment for _, segment in template.pair) > 0:
        _say_one_segment()
    if length < 3 or config.max_length is not None and length > config.max_length:
        most = f"3 to {config.max_length}" if config.max_length is not None else "3 or more"
        raise Error(f"length={length} does not fit: this encoder takes {most} tokens.")

"""Attention to blocks of tokens: near ones, the first, the last and some random ones (Zaheer et al. 2020, BigBird).

Shapes: B batch, T tokens, D hidden, N heads, H per head, n blocks, s tokens in a block, R random blocks of a block.
"""

import math
from functools import lru_cache
from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.layers.attention import Attend, SelfAttention
from bertkit.layers.blocked import from_blocks, keys_last, to_blocks, with_neighbours


def count_visits(i: Any, j: Any, last: Any, at_random: Any = 0) -> Any:
    """Return how often block i sees block j, 0 or more (Zaheer et al. 2020, figure 1); its keys count that often.

    Blocks 0 and `last` see every block once. Others see themselves, their neighbours and these two, and besides,
    `at_random` times, what was drawn.

    Args:
        i: Numbers of blocks that see, int of any shape.
        j: Numbers of blocks that are seen, int, of a shape that broadcasts with that of i.
        last: The number of the last block.
        at_random: How often j was drawn for i, int of the broadcast shape.

    Returns:
        int32, of the broadcast shape.

    Example:
        >>> [int(count_visits(3, j, last=7)) for j in range(8)]       # block 3 of 8
        [1, 0, 1, 1, 1, 0, 0, 1]
    """
    always = ops.logical_or(ops.abs(i - j) <= 1, ops.logical_or(j == 0, j == last))
    at_ends = ops.logical_or(i == 0, i == last)
    return ops.where(at_ends, 1, ops.cast(always, "int32") + at_random)


@keras.saving.register_keras_serializable("bertkit")
class SparseAttention(SelfAttention):
    """Attention in which blocks of tokens see few other blocks.

    softmax(QKᵀ/√H + log `count_visits`)V, where blocks of tokens see blocks (Zaheer et al. 2020, section 2).

    Padding is not seen and gets 0; inputs of up to (5 + 2R)·s tokens attend in full. call(x [B,T,D], context) ->
    [B,T,D]; `context` may hold "padding_mask" [B,T] and "random_blocks" [N,n−2,R] (see `kinds.Sparse`). Time and memory
    are linear in T. Traced, it computes the definition and returns (y, probabilities [B,N,T,T]), for a key that is seen
    twice both together.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Sparse`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when a call gets "random_blocks" of another shape.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, kind, **options)
        config, kind = self.config, self.kind
        self.most_blocks = math.ceil((config.max_length or config.max_sequence_length) / kind.size)

    def with_draws(self, query: Any, context: dict[str, Any], training: bool | None) -> dict[str, Any]:
        """Return the context with its random blocks, drawn in training where it has none.

        Args:
            query: Queries [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            training: Whether the call is one of training.

        Returns:
            The context that `mix` gets.
        """
        if not (training and self.kind.random) or "random_blocks" in context:
            return context
        random = draw_random_blocks(self.num_heads, self.most_blocks, self.kind.random, self.index)
        blocks, _ = self.block_shape(ops.shape(query)[2])
        return {**context, "random_blocks": ops.convert_to_tensor(random)[:, :blocks - 2]}

    def mix(self, query: Any, key: Any, value: Any, context: dict[str, Any], trace: bool,
            attention: Attend) -> tuple[Any, Any]:
        """Mix the values of the blocks that each block sees.

        Args:
            query: Queries [B,N,T,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,T,H], and the probabilities [B,N,T,T], or None without `trace`.
        """
        real, cut = context.get("padding_mask"), self.block_shape(ops.shape(query)[2])
        real = ops.ones(ops.shape(query)[::2], "bool") if real is None else ops.cast(real, "bool")
        form = self.in_full if trace else self.in_blocks
        mixed, probabilities = form((query, key, value), cut, real, self.random_blocks(context, cut[0] - 2), attention)
        return mixed * ops.cast(real, mixed.dtype)[:, None, :, None], probabilities

    def block_shape(self, length: Any) -> tuple[Any, Any]:
        """Return how T tokens are cut: the number of blocks and their size.

        Short inputs are two blocks: both are at an end, so they see all. So there is nothing to branch on where T is
        known only when the graph runs: inside a branch, the optimizer of TensorFlow 2.21's graphs loses what `attend`
        gives.

        Args:
            length: T, the number of tokens.

        Returns:
            (n, s).
        """
        short, size = length <= (5 + 2 * self.kind.random) * self.kind.size, self.kind.size
        few, many = (2, (length + 1) // 2), ((length + size - 1) // size, size)
        if isinstance(short, bool):
            return few if short else many
        return tuple(ops.where(short, *each) for each in zip(few, many, strict=True))

    def random_blocks(self, context: dict[str, Any], middle: Any) -> Any:
        """Return the random blocks that each of the middle blocks sees.

        Args:
            context: The batch's other entries; "random_blocks" are read.
            middle: n − 2, the number of middle blocks.

        Returns:
            int32 [N,n−2,R], or None where there are none, which means block 0.

        Raises:
            Error: when "random_blocks" has another shape.
        """
        random = context.get("random_blocks")
        if random is None:
            return None
        if isinstance(middle, int) and middle and tuple(random.shape[:2]) != (self.num_heads, middle):
            raise Error(f"random_blocks has the shape {tuple(random.shape)}; wanted [{self.num_heads},{middle},any]: "
                        f"for each head, and each block of {self.kind.size} tokens but the first and the last.")
        return ops.cast(random[:, :middle], "int32")

    def in_full(self, heads: tuple[Any, Any, Any], cut: tuple[Any, Any], real: Any, random: Any,
                attention: Attend) -> tuple[Any, Any]:
        """Compute the attention by its definition: all pairs of tokens, most of them masked.

        Args:
            heads: The query, the key and the value, [B,N,T,H] each.
            cut: (n, s), the number of blocks and their size.
            real: bool [B,T], true for real tokens.
            random: The random blocks [N,n−2,R], or None.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,T,H], and the probabilities [B,N,T,T].
        """
        count, size = cut
        every, block = ops.arange(count), ops.arange(ops.shape(real)[1]) // size
        listed = self.kind.random * ops.cast(every == 0, "int32") if random is None else ops.pad(
            ops.sum(ops.cast(random[..., None] == every, "int32"), axis=2), ((0, 0), (1, 1), (0, 0)))
        often = ops.broadcast_to(count_visits(every[:, None], every[None, :], count - 1, listed),
                                 (self.num_heads, count, count))
        often = ops.take(ops.take(often, block, axis=1), block, axis=2)
        mask = ops.logical_and(often > 0, real[:, None, None, :])
        return attention(*heads, mask=mask, bias=ops.log(ops.cast(ops.maximum(often, 1), "float32")))

    def in_blocks(self, heads: tuple[Any, Any, Any], cut: tuple[Any, Any], real: Any, random: Any,
                  attention: Attend) -> tuple[Any, Any]:
        """Compute the attention block by block, each with the blocks that it sees.

        Args:
            heads: The query, the key and the value, [B,N,T,H] each.
            cut: (n, s), the number of blocks and their size.
            real: bool [B,T], true for real tokens.
            random: The random blocks [N,n−2,R], or None.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,T,H], and None.
        """
        seen, size = ops.cast(real, "int32")[:, None, :, None], cut[1]
        queries, keys, values, seen = (to_blocks(y, *cut) for y in (*heads, seen))
        ends, _ = attention(ops.concatenate([queries[:, :, 0], queries[:, :, -1]], axis=2),
                            *heads[1:], mask=real[:, None, None, :])
        # Listing block 0 another R times is the same as log (1 + R) more for its keys, and cheaper.
        again = math.log(1 + self.kind.random) if random is None else 0.0
        middle, _ = attention(queries[:, :, 1:-1], _listed(keys, random), _listed(values, random), mask=keys_last(
            _listed(seen, random)), bias=ops.where(ops.arange(5 * size) < size, again, 0.0) if again else None)
        mixed = ops.concatenate([ends[:, :, None, :size], middle, ends[:, :, None, size:]], axis=2)
        return from_blocks(mixed, ops.shape(real)[1]), None


def _listed(blocks, random):
    """[B,N,n,s,H] -> [B,N,n−2,(5+R)·s,H]: what each middle block lists, the first, three neighbours, the last, others.

    A neighbour at an end is not listed again.
    """
    rows, _, count, size, width = ops.shape(blocks)
    middle = blocks[:, :, 1:-1]
    ends = [ops.broadcast_to(end, ops.shape(middle)) for end in (blocks[:, :, :1], blocks[:, :, -1:])]
    parts = [ends[0], with_neighbours(middle), ends[1]]
    if random is not None:
        heads, _, more = ops.shape(random)
        blocks = ops.broadcast_to(blocks, (rows, heads, count, size, width))
        parts = [ops.broadcast_to(part, (rows, heads, count - 2, ops.shape(part)[3], width)) for part in parts]
        every = ops.reshape(blocks, (rows, heads * count, size, width))
        places = random + count * ops.arange(heads, dtype="int32")[:, None, None]
        parts.append(ops.reshape(ops.take(every, places, axis=1), (rows, heads, count - 2, more * size, width)))
    return ops.concatenate(parts, axis=3)


@lru_cache(maxsize=256)
def draw_random_blocks(heads: int, rows: int, count: int, seed: int) -> np.ndarray:
    """Draw random blocks among blocks 1, 2 ...; those of fewer blocks are the first rows.

    Each row takes the first R of a permutation of blocks 0 … 2R+4 that are neither 0 nor the last of these, nor beside
    it, nor, in the second row and in the last but one, at the other end (the code of Zaheer et al. 2020).

    Args:
        heads: N, the number of heads.
        rows: The number of middle blocks.
        count: R, the number of random blocks of a block.
        seed: The seed of the draw.

    Returns:
        The random blocks int32 [N,rows,R].

    Example:
        >>> draw_random_blocks(2, 3, 1, 0).shape
        (2, 3, 1)
    """
    generator, last = np.random.RandomState(seed), 2 * count + 4
    blocks = np.zeros((heads, rows, count), "int32")
    for i, head in np.ndindex(rows, heads):
        row = i + 1
        never = {0, last, row - 1, row, row + 1} | {1: {last - 1}, last - 1: {1}}.get(row, set())
        blocks[head, i] = [block for block in generator.permutation(last + 1) if block not in never][:count]
    return blocks

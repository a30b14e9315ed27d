"""Sequences cut into blocks of tokens, which is what makes attention to few keys cheap.

Shapes: B batch, T tokens, n blocks, s tokens in a block, N heads, H per head, D hidden, K places.
"""

from functools import reduce
from operator import mul
from typing import Any

from keras import ops


def to_blocks(x: Any, count: Any, size: Any) -> Any:
    """Cut tokens into blocks, [B,N,T,H] -> [B,N,n,s,H], with zeros after the last token.

    Args:
        x: A tensor [B,N,T,H].
        count: n, the number of blocks.
        size: s, the number of tokens in a block.

    Returns:
        A tensor [B,N,n,s,H].

    Example:
        >>> tuple(to_blocks(ops.ones((1, 2, 5, 4)), 3, 2).shape)
        (1, 2, 3, 2, 4)
    """
    rows, heads, length, width = ops.shape(x)
    x = ops.pad(x, ((0, 0), (0, 0), (0, count * size - length), (0, 0)))
    return ops.reshape(x, (rows, heads, count, size, width))


def from_blocks(x: Any, length: Any) -> Any:
    """Join blocks again, [B,N,n,s,H] -> [B,N,T,H], without what was padded.

    Args:
        x: A tensor [B,N,n,s,H].
        length: T, the number of tokens.

    Returns:
        A tensor [B,N,T,H].

    Example:
        >>> tuple(from_blocks(ops.ones((1, 2, 3, 2, 4)), 5).shape)
        (1, 2, 5, 4)
    """
    rows, heads, count, size, width = ops.shape(x)
    return ops.reshape(x, (rows, heads, count * size, width))[:, :, :length]


def with_neighbours(x: Any) -> Any:
    """Put beside each block the block before it and the block after it, zeros where there is none.

    Args:
        x: A tensor [B,N,n,s,H].

    Returns:
        A tensor [B,N,n,3s,H].

    Example:
        >>> blocks = ops.reshape(ops.arange(1, 7), (1, 1, 3, 2, 1))
        >>> [[int(y) for y in block[:, 0]] for block in with_neighbours(blocks)[0, 0]]
        [[0, 0, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [3, 4, 5, 6, 0, 0]]
    """
    none = ops.zeros_like(x[:, :, :1])
    before, after = ops.concatenate([none, x[:, :, :-1]], axis=2), ops.concatenate([x[:, :, 1:], none], axis=2)
    return ops.concatenate([before, x, after], axis=3)


def keys_last(mask: Any) -> Any:
    """Turn a mask that was cut like keys into the form that `attend` wants, [..., keys, 1] -> [..., 1, keys].

    Args:
        mask: A tensor [..., keys, 1], not 0 where a key may be seen.

    Returns:
        A bool tensor [..., 1, keys].

    Example:
        >>> tuple(keys_last(ops.ones((2, 1, 5, 1))).shape)
        (2, 1, 1, 5)
    """
    return ops.cast(ops.swapaxes(mask, -1, -2), "bool")


def gather_vectors(x: Any, places: Any) -> Any:
    """Pick vectors at given positions.

    Args:
        x: A tensor [...,T,D].
        places: Positions int [...,K].

    Returns:
        A tensor [...,K,D].

    Example:
        >>> x = ops.array([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]])
        >>> [[float(y) for y in row[:, 0]] for row in gather_vectors(x, ops.array([[2, 0], [1, 1]]))]
        [[3.0, 1.0], [5.0, 5.0]]
    """
    *leading, length, width = ops.shape(x)
    rows = reduce(mul, leading)
    first = ops.reshape(ops.arange(rows, dtype=places.dtype) * length, (*leading, 1))
    return ops.take(ops.reshape(x, (rows * length, width)), places + first, axis=0)

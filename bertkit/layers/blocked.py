"""Sequences cut into blocks of tokens, which is what makes attention to few keys cheap.

Shapes: B batch, T tokens, n blocks, s tokens in a block, N heads, H per head, D hidden, K places.
"""

from functools import reduce
from operator import mul

from keras import ops


def blocked(x, count, size):
    """[B,N,T,H] -> [B,N,n,s,H], n = `count`, s = `size`: zeros after the last token."""
    rows, heads, length, width = ops.shape(x)
    x = ops.pad(x, ((0, 0), (0, 0), (0, count * size - length), (0, 0)))
    return ops.reshape(x, (rows, heads, count, size, width))


def joined(x, length):
    """[B,N,n,s,H] -> [B,N,T,H] without what was padded."""
    rows, heads, count, size, width = ops.shape(x)
    return ops.reshape(x, (rows, heads, count * size, width))[:, :, :length]


def with_neighbours(x):
    """[B,N,n,s,H] -> [B,N,n,3s,H]: the block before, each block, the block after; zeros where there is none."""
    none = ops.zeros_like(x[:, :, :1])
    before, after = ops.concatenate([none, x[:, :, :-1]], axis=2), ops.concatenate([x[:, :, 1:], none], axis=2)
    return ops.concatenate([before, x, after], axis=3)


def keys_last(mask):
    """[..., keys, 1] -> [..., 1, keys], as truths: a mask that was cut like keys, as `attend` wants it."""
    return ops.cast(ops.swapaxes(mask, -1, -2), "bool")


def vectors_at(x, places):
    """Return the vectors [...,K,D] of x [...,T,D] at places [...,K]."""
    *leading, length, width = ops.shape(x)
    rows = reduce(mul, leading)
    first = ops.reshape(ops.arange(rows, dtype=places.dtype) * length, (*leading, 1))
    return ops.take(ops.reshape(x, (rows * length, width)), places + first, axis=0)

"""Attention to near tokens and to global ones (Beltagy et al. 2020, Longformer).

Shapes: B batch, T tokens, D hidden, N heads, H per head, G most global tokens of a row, n blocks, s tokens in a block.
"""

from functools import partial

import keras
from keras import ops

from bertkit.layers.attention import EXACT, SelfAttention, attend
from bertkit.layers.blocked import blocked, joined, keys_last, vectors_at, with_neighbours

# Narrow windows share blocks of so many tokens: smaller ones are more work to cut than to multiply.
LEAST = 16


def allows(i, j, reach, global_i=False, global_j=False):
    """Return whether token i sees token j: it is near, or one of them is global (Beltagy et al. 2020, figure 2d)."""
    return ops.logical_or(ops.abs(i - j) <= reach, ops.logical_or(global_i, global_j))


class WindowAttention(SelfAttention):
    """softmax(QKᵀ/√H)V over the keys that `allows` lets a token see (Beltagy et al. 2020, section 3.1).

    Rows of global tokens have projections of their own, query, key and value (section 3.2); other tokens see global
    ones by the ordinary projections. Padding is not seen and gets 0. call(x [B,T,D], context) -> [B,T,D]; `context` may
    hold "padding_mask" and "global_mask" [B,T]. Time and memory are linear in T, and in G where there are global tokens;
    a compiled JAX function takes G = T for them. Traced, it is the definition that is computed, and (y,
    probabilities [B,N,T,T]) returned.
    """

    def __init__(self, config, kind, **options):
        super().__init__(config, kind, **options)
        self.reach = kind.size // 2
        self.global_query, self.global_key, self.global_value = (
            self.dense(config, f"global_{name}", self.num_heads * self.head_dim, config.qkv_bias)
            for name in ("query", "key", "value"))
        # XLA wants shapes before it runs, and G is known only then.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def build(self, shape):
        super().build(shape)
        for projection in (self.global_query, self.global_key, self.global_value):
            projection.build(shape)

    def call(self, x, context, trace=False, training=None, masked_score=EXACT):
        attention = partial(attend, drop=lambda p: self.drop(p, training=training), masked_score=masked_score)
        real = context.get("padding_mask")
        real = ops.ones(ops.shape(x)[:2], "bool") if real is None else ops.cast(real, "bool")
        chosen = context.get("global_mask")
        chosen = None if chosen is None else ops.logical_and(ops.cast(chosen, "bool"), real)
        form = self.in_full if trace else self.in_blocks
        mixed, probabilities = form(x, real, chosen, attention)
        y = self.output_dense(mixed * ops.cast(real, mixed.dtype)[:, :, None])
        return (y, probabilities) if trace else y

    def in_full(self, x, real, chosen, attention):
        """Return (mixed [B,T,D], probabilities [B,N,T,T]) by the definition: all pairs, most of them masked."""
        chosen = ops.zeros_like(real) if chosen is None else chosen
        places, listening = ops.arange(ops.shape(x)[1]), chosen[:, None, :, None]
        mask = ops.logical_and(real[:, None, None, :], allows(
            places[:, None], places[None, :], self.reach, listening, chosen[:, None, None, :]))
        forms = [attention(*(self.split(project(x)) for project in projections), mask=mask) for projections in (
            (self.global_query, self.global_key, self.global_value), (self.query, self.key, self.value))]
        mixed, probabilities = (ops.where(listening, *each) for each in zip(*forms, strict=True))
        return self.merge(mixed), probabilities

    def in_blocks(self, x, real, chosen, attention):
        """Return (mixed [B,T,D], None), each block of tokens with the blocks beside it and the global tokens."""
        query, key, value = (project(x) for project in (self.query, self.key, self.value))
        if chosen is None:
            return self.near(query, key, value, real, attention), None
        places, used = listed(chosen)
        # Global keys stand beside the window, so they are left out within it: each counts once.
        mixed = self.near(query, key, value, ops.logical_and(real, ops.logical_not(chosen)), attention,
                          (vectors_at(key, places), vectors_at(value, places), used))
        heads = [self.split(y) for y in (self.global_query(vectors_at(x, places)), self.global_key(x),
                                         self.global_value(x))]
        of_global, _ = attention(*heads, mask=real[:, None, None, :])
        return self.replaced(mixed, self.merge(of_global), chosen), None

    def near(self, query, key, value, seen, attention, besides=None):
        """Return the local rows, [B,T,D]; `besides` are (keys [B,G,D], values, truths [B,G]) that all blocks see."""
        length = ops.shape(query)[1]
        size = _smaller(max(self.reach, LEAST), length)
        count = (length + size - 1) // size
        keys, values = (with_neighbours(blocked(self.split(y), count, size)) for y in (key, value))
        places = ops.arange(3 * size)
        mask = ops.logical_and(allows(places[size:2 * size, None], places[None, :], self.reach), keys_last(
            with_neighbours(blocked(ops.cast(seen, "int32")[:, None, :, None], count, size))))
        if besides is not None:
            keys, values = (_joined_to_all(y, self.split(more)) for y, more in zip((keys, values), besides, strict=False))
            used = ops.broadcast_to(besides[2][:, None, None, None, :], (*ops.shape(mask)[:4], ops.shape(besides[2])[1]))
            mask = ops.concatenate([mask, used], axis=-1)
        mixed, _ = attention(blocked(self.split(query), count, size), keys, values, mask=mask)
        return self.merge(joined(mixed, length))

    def replaced(self, local, of_global, chosen):
        """Return `local` [B,T,D] with the rows of global tokens out of `of_global` [B,G,D], in their order."""
        count, length = ops.shape(of_global)[1], ops.shape(local)[1]
        rank = ops.cumsum(ops.cast(chosen, "int32"), axis=1) - 1
        source = ops.where(chosen, rank, count + ops.arange(length, dtype="int32"))
        return vectors_at(ops.concatenate([of_global, local], axis=1), source)


def listed(chosen):
    """Return (places [B,G] of the chosen tokens of each row, which of them are such [B,G]); G is the longest list's."""
    length = ops.shape(chosen)[1]
    counts = ops.sum(ops.cast(chosen, "int32"), axis=1)
    order = ops.argsort(ops.where(chosen, 0, length) + ops.arange(length), axis=1)
    try:
        order = order[:, :ops.max(counts)]
    except (TypeError, IndexError):
        pass    # a compiled JAX function knows no such number before it runs
    return order, ops.arange(ops.shape(order)[1]) < counts[:, None]


def _joined_to_all(blocks, vectors):
    """Return [B,N,n,K+G,H]: the same vectors [B,N,G,H] behind the keys [B,N,n,K,H] of every block."""
    rows, heads, count, _, width = ops.shape(blocks)
    vectors = ops.broadcast_to(vectors[:, :, None], (rows, heads, count, ops.shape(vectors)[2], width))
    return ops.concatenate([blocks, vectors], axis=3)


def _smaller(one, other):
    """Return the smaller of a number and a length, which may be known only when the graph runs."""
    return min(one, other) if isinstance(other, int) else ops.minimum(one, other)

"""Attention to near tokens and to global ones (Beltagy et al. 2020, Longformer).

Shapes: B batch, T tokens, D hidden, N heads, H per head, G most global tokens of a row, n blocks, s tokens in a block.
"""

import keras
from keras import ops

from bertkit.layers.attention import SelfAttention
from bertkit.layers.blocked import blocked, joined, keys_last, vectors_at, with_neighbours

# Narrow windows share blocks of so many tokens: smaller ones are more work to cut than to multiply.
LEAST = 16


def allows(i, j, reach, global_i=False, global_j=False):
    """Return whether token i sees token j: it is near, or one of them is global (Beltagy et al. 2020, figure 2d)."""
    return ops.logical_or(ops.abs(i - j) <= reach, ops.logical_or(global_i, global_j))


@keras.saving.register_keras_serializable("bertkit")
class WindowAttention(SelfAttention):
    """softmax(QKᵀ/√H)V over the keys that `allows` lets a token see (Beltagy et al. 2020, section 3.1).

    Rows of global tokens have projections of their own, query, key and value (section 3.2); other tokens see global
    ones by the ordinary projections. Padding is not seen and gets 0. call(x [B,T,D], context) -> [B,T,D]; `context` may
    hold "padding_mask" and "global_mask" [B,T]. Time and memory are linear in T, and in G where tokens are global; a
    compiled JAX function takes G = T for them. Traced, it is the definition that is computed, and (y, probabilities
    [B,N,T,T]) returned.
    """

    def __init__(self, config, kind, **options):
        super().__init__(config, kind, **options)
        self.reach = self.kind.size // 2
        # XLA wants shapes before it runs, and G is known only then.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def add_projections(self, config):
        super().add_projections(config)
        self.global_query, self.global_key, self.global_value = (
            self.dense(config, f"global_{name}", self.num_heads * self.head_dim, config.qkv_bias)
            for name in ("query", "key", "value"))

    def build(self, shape):
        super().build(shape)
        for projection in (self.global_query, self.global_key, self.global_value):
            projection.build(shape)

    def project(self, x, context):
        """Return query, key and value, [B,N,T,H] each, and x, which global tokens project otherwise."""
        return [*super().project(x, context), x]

    def mix(self, query, key, value, x, context, trace, attention):
        real = context.get("padding_mask")
        real = ops.ones(ops.shape(x)[:2], "bool") if real is None else ops.cast(real, "bool")
        chosen = context.get("global_mask")
        chosen = None if chosen is None else ops.logical_and(ops.cast(chosen, "bool"), real)
        form = self.in_full if trace else self.in_blocks
        mixed, probabilities = form(query, key, value, x, real, chosen, attention)
        return mixed * ops.cast(real, mixed.dtype)[:, None, :, None], probabilities

    def in_full(self, query, key, value, x, real, chosen, attention):
        """Return (mixed [B,N,T,H], probabilities [B,N,T,T]) by the definition: all pairs, most of them masked."""
        chosen = ops.zeros_like(real) if chosen is None else chosen
        places, listens = ops.arange(ops.shape(x)[1]), chosen[:, None, :, None]
        near_or_global = allows(places[:, None], places[None, :], self.reach, listens, chosen[:, None, None, :])
        mask = ops.logical_and(near_or_global, real[:, None, None, :])
        of_global = attention(*(self.split(project(x)) for project in (
            self.global_query, self.global_key, self.global_value)), mask=mask)
        of_others = attention(query, key, value, mask=mask)
        return [ops.where(listens, *each) for each in zip(of_global, of_others, strict=True)]

    def in_blocks(self, query, key, value, x, real, chosen, attention):
        """Return (mixed [B,N,T,H], None), each block of tokens with the blocks beside it and the global tokens."""
        if chosen is None:
            return nearby(query, key, value, real, self.reach, attention), None
        places, used = listed(chosen)
        # Global keys stand beside the window, so they are left out within it: each counts once.
        others = ops.logical_and(real, ops.logical_not(chosen))
        mixed = nearby(query, key, value, others, self.reach, attention,
                       (vectors_at(key, places[:, None]), vectors_at(value, places[:, None]), used))
        heads = (self.global_query(vectors_at(x, places)), self.global_key(x), self.global_value(x))
        of_global, _ = attention(*map(self.split, heads), mask=real[:, None, None, :])
        return replaced(mixed, of_global, chosen), None


def nearby(query, key, value, seen, reach, attention, besides=None):
    """Return values mixed [B,N,T,H] over keys that are at most `reach` places away and `seen` [B,T], linear in T.

    `besides` are (keys [B,N,G,H], values, truths [B,G]) that all tokens see where they are true.
    """
    length = ops.shape(query)[2]
    size = _smaller(max(reach, LEAST), length)
    cut = (length + size - 1) // size, size
    keys, values = (with_neighbours(blocked(x, *cut)) for x in (key, value))
    seen = keys_last(with_neighbours(blocked(ops.cast(seen, "int32")[:, None, :, None], *cut)))
    places = ops.arange(3 * size)
    mask = ops.logical_and(allows(places[size:2 * size, None], places[None, :], reach), seen)
    if besides is not None:
        more_keys, more_values, used = besides
        keys, values = _beside(keys, more_keys), _beside(values, more_values)
        used = ops.broadcast_to(used[:, None, None, None, :], (*ops.shape(mask)[:4], ops.shape(used)[1]))
        mask = ops.concatenate([mask, used], axis=-1)
    mixed, _ = attention(blocked(query, *cut), keys, values, mask=mask)
    return joined(mixed, length)


def _beside(blocks, vectors):
    """Return [B,N,n,K+G,H]: the same vectors [B,N,G,H] behind the keys [B,N,n,K,H] of every block."""
    rows, heads, count, _, width = ops.shape(blocks)
    vectors = ops.broadcast_to(vectors[:, :, None], (rows, heads, count, ops.shape(vectors)[2], width))
    return ops.concatenate([blocks, vectors], axis=3)


def _smaller(one, other):
    """Return the smaller of a number and a length, which may be known only when the graph runs."""
    return min(one, other) if isinstance(other, int) else ops.minimum(one, other)


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


def replaced(mixed, of_global, chosen):
    """Return `mixed` [B,N,T,H] with the rows of chosen tokens out of `of_global` [B,N,G,H], where they are in order."""
    count, length = ops.shape(of_global)[2], ops.shape(mixed)[2]
    rank = ops.cumsum(ops.cast(chosen, "int32"), axis=1) - 1
    source = ops.where(chosen, rank, count + ops.arange(length, dtype="int32"))
    return vectors_at(ops.concatenate([of_global, mixed], axis=2), source[:, None])

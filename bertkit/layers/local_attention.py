"""Attention within chunks of a text and the chunks beside them (the code of Kitaev et al. 2020, Reformer).

Shapes: B batch, T tokens, S tokens with what fills the last chunks, n chunks, c tokens in a chunk, m keys that a chunk
sees, D hidden, N heads, H per head. Time and memory are linear in T.
"""

import math

import keras
from keras import ops

from bertkit.layers.attention import EXACT, SelfAttention, attend, attention_mask
from bertkit.layers.blocked import blocked, joined, keys_last


@keras.saving.register_keras_serializable("bertkit")
class LocalAttention(SelfAttention):
    """softmax(QKᵀ/√H)V over a token's chunk and the chunks beside it, in a ring (Kitaev et al. 2020, its code).

    A text that needs no second chunk attends in full. Others are filled up to the least common multiple of all chunk
    lengths of the config, as in the reference: which chunks are neighbours in the ring depends on it. The config's
    `qkv_bias` holds for the output too. call(x [B,T,D], context) -> [B,T,D], or (y, probabilities [B,N,T,T]) when
    traced.
    """

    PROJECTIONS = ("query", "key", "value")

    def __init__(self, config, kind, **options):
        super().__init__(config, kind, **options)
        config, kind = self.config, self.kind
        kinds = config.attention if isinstance(config.attention, tuple) else (config.attention,)
        lengths = [each.chunk for each in kinds if hasattr(each, "chunk")]
        self.multiple = math.lcm(*lengths)
        self.most_in_full = kind.chunk if kind.chunk == self.multiple else min(lengths)

    def add_projections(self, config):
        width = self.num_heads * self.head_dim
        self.projections = [self.dense(config, name, width, config.qkv_bias) for name in self.PROJECTIONS]
        self.output_dense = self.dense(config, "output", config.hidden_dim, config.qkv_bias)

    def build(self, shape):
        for projection in self.projections:
            projection.build(shape)
        self.output_dense.build((*shape[:-1], self.num_heads * self.head_dim))

    def project(self, x, context):
        return [self.split(dense(x)) for dense in self.projections]

    def call(self, x, context=None, trace=False, training=None, masked_score=EXACT):
        context = context or {}
        *vectors, value = self.project(x, context)
        context = self.settled(vectors, context, training)
        mixed = self.mix(*vectors, value, context, lambda p: self.drop(p, training=training), masked_score)
        y = self.output_dense(self.merge(mixed))
        if not trace:
            return y
        # Attention mixes values, so what it makes of the identity is what it mixes by.
        places = ops.arange(ops.shape(x)[1])
        identity = ops.cast(ops.equal(places[:, None], places), value.dtype) + ops.zeros_like(value[..., :1])
        return y, self.mix(*vectors, identity, context, None, masked_score)

    def settled(self, vectors, context, training):
        """Return the context with everything in it that this layer draws."""
        return context

    def mix(self, query, key, value, context, drop, masked_score):
        """Return the values mixed, [B,N,T,H]."""
        length = ops.shape(query)[2]
        if self.in_full(length):
            mask = attention_mask(self.kind, context, length)
            return attend(query, key, value, mask=mask, drop=drop, masked_score=masked_score)[0]
        places = self.cut(ops.arange(length)[None, None, :, None])
        mixed, _ = attend(self.cut(query), self.around(self.cut(key)), self.around(self.cut(value)),
                          mask=self.seen(places, self.cut(real(context, length))), drop=drop, masked_score=masked_score)
        return joined(mixed, length)

    def in_full(self, length):
        """Return whether a text attends in full; where only the running graph knows, chunks come to the same."""
        return isinstance(length, int) and length <= self.most_in_full

    def whole(self, length):
        """Return S, the tokens of the whole chunks of T tokens."""
        return length + -length % self.multiple

    def cut(self, x):
        """[B,N,T,H] -> [B,N,n,c,H]."""
        return blocked(x, self.whole(ops.shape(x)[2]) // self.kind.chunk, self.kind.chunk)

    def around(self, chunks):
        """[B,N,n,c,H] -> [B,N,n,m,H]: the chunks before each chunk in the ring, the chunk, those after it."""
        turned = (ops.concatenate([chunks[:, :, i:], chunks[:, :, :i]], axis=2) if i else chunks
                  for i in range(-self.kind.before, self.kind.after + 1))
        return ops.concatenate(list(turned), axis=3)

    def seen(self, places, real):
        """Return which keys the tokens of a chunk see, [B,N,n,1|c,m]; places and which are real: [B,N,n,c,1]."""
        mask = keys_last(self.around(real))
        if not self.kind.causal:
            return mask
        return ops.logical_and(mask, ops.swapaxes(self.around(places), -1, -2) <= places)


def real(context, length):
    """Return 1 for real tokens and 0 for padding, [B|1,1,T,1] int32."""
    mask = context.get("padding_mask")
    return ops.ones((1, 1, length, 1), "int32") if mask is None else ops.cast(mask, "int32")[:, None, :, None]

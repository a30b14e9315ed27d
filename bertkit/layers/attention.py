"""Attention: the equation once, and the layer that projects into and out of it.

Shapes: B batch, T tokens (F when "from"), D hidden, N heads, H per head.
"""

import warnings
from functools import partial, reduce

import keras
from keras import ops

from bertkit.kinds.values import from_json, to_json
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal

# Adding the most negative float32 makes a masked probability exactly 0, as in the reference
# (transformers); a row that may see nothing at all becomes uniform. Export replaces it by a small
# constant, because an int8 scale cannot hold it.
EXACT = -3.4028235e38

# A text of one token is no mistake, though its softmax is over one key.
warnings.filterwarnings("ignore", message="You are using a softmax over axis -1")


def attend(query, key, value, mask=None, bias=None, drop=None, masked_score=EXACT):
    """Return (softmax(Q Kᵀ / √H + bias) V, probabilities), the only place where attention is.

    Vaswani et al. 2017, equation 1. query [B,N,F,H], key [B,N,T,H], value [B,N,T,H]; mask [B,1,1|F,T],
    1 where a key may be seen; bias is added to the scores; `drop` is applied to the probabilities (dropout,
    section 5.4). Returns [B,N,F,H] and [B,N,F,T]. Scores and softmax are at least float32 whatever the
    inputs are.
    """
    precise = keras.backend.result_type(query.dtype, "float32")
    scale = ops.cast(ops.shape(query)[-1], query.dtype) ** -0.5
    scores = ops.cast(ops.matmul(query * scale, ops.swapaxes(key, -1, -2)), precise)
    if bias is not None:
        scores = scores + ops.cast(bias, precise)
    if mask is not None:
        scores = scores + (1.0 - ops.cast(mask, precise)) * masked_score
    probabilities = ops.cast(ops.softmax(scores, axis=-1), value.dtype)
    dropped = probabilities if drop is None else drop(probabilities)
    return ops.matmul(dropped, value), probabilities


@keras.saving.register_keras_serializable("bertkit")
class SelfAttention(ConfiguredLayer):
    """Multi-head attention over all real tokens (Vaswani et al. 2017, section 3.2.2).

    call(x [B,T,D], context) -> [B,T,D], or (y, probabilities) when traced; `context` holds the batch's other entries
    (see `bertkit.encoder`), `masked_score` is what hides a key. Other kinds of attention have another `mix`.
    `index` is the number of the block that this is in, from 0.
    """

    def __init__(self, config, kind, index=0, **options):
        super().__init__(config, **options)
        config, self.kind, self.index = self.config, from_json(kind), index
        self.num_heads, self.head_dim = config.num_heads, config.head_dim
        self.add_projections(config)
        self.drop = keras.layers.Dropout(config.attention_dropout, dtype=self.dtype_policy,
                                         name="probability_dropout")

    def get_config(self):
        return {**super().get_config(), "kind": to_json(self.kind), "index": self.index}

    def add_projections(self, config):
        """Make the layers from x to queries, keys and values, and from what is mixed to the output."""
        self.query, self.key, self.value = (
            self.dense(config, name, self.num_heads * self.head_dim, config.qkv_bias)
            for name in ("query", "key", "value"))
        self.output_dense = self.dense(config, "output", config.block_dim)

    def dense(self, config, name, units, bias=True):
        """Return a projection under this layer's policy."""
        return keras.layers.Dense(units, use_bias=bias, kernel_initializer=truncated_normal(config),
                                  dtype=self.dtype_policy, name=name)

    def build(self, shape):
        for projection in (self.query, self.key, self.value):
            projection.build(shape)
        self.output_dense.build((*shape[:-1], self.num_heads * self.head_dim))

    def call(self, x, context=None, trace=False, training=None, masked_score=EXACT):
        context = context or {}
        attention = partial(attend, drop=lambda p: self.drop(p, training=training), masked_score=masked_score)
        mixed, probabilities = self.mix(*self.project(x, context), context, trace, attention)
        y = self.output_dense(self.merge(mixed))
        return (y, probabilities) if trace else y

    def project(self, x, context):
        """Return query [B,N,F,H], key and value [B,N,T,H]; F is T, or the context's "places" alone."""
        asking = gather_positions(x, context.get("places"))
        return [self.split(self.query(asking)), self.split(self.key(x)), self.split(self.value(x))]

    def mix(self, query, key, value, context, trace, attention):
        """Return (values mixed [B,N,T,H], probabilities [B,N,T,T], None where they are not wanted)."""
        return attention(query, key, value, mask=attention_mask(self.kind, context, ops.shape(key)[2]))

    def split(self, x):
        """[B,T,N·H] -> [B,N,T,H]."""
        length = ops.shape(x)[1]
        return ops.transpose(ops.reshape(x, (-1, length, self.num_heads, self.head_dim)), (0, 2, 1, 3))

    def merge(self, x):
        """[B,N,T,H] -> [B,T,N·H]."""
        length = ops.shape(x)[2]
        return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, length, self.num_heads * self.head_dim))


def attention_mask(kind, context, length):
    """Return the mask of `Full` attention, 1 where a key may be seen: [B,1,1,T] or [B|1,1,F,T]; None for all.

    Causal: token i sees key j where j ≤ i (Vaswani et al. 2017, section 3.2.3) and j is real. With "packed_ids" [B,T]
    in the batch a row holds several texts, and a token sees those of its number alone (Krell et al. 2021, arXiv
    2107.02027, section 3.2). F is T, or those of the context's "places" [B,F].
    """
    mask, packed, places = (context.get(name) for name in ("padding_mask", "packed_ids", "places"))
    masks = [] if mask is None else [ops.cast(mask, "bool")[:, None, None, :]]
    if packed is not None:
        asking = gather_positions(packed[:, :, None], places)[:, :, 0]
        masks.append(ops.equal(asking[:, None, :, None], packed[:, None, None, :]))
    if kind.causal:
        keys = ops.arange(length, dtype="int32")[None]
        given = places is not None and len(places.shape)
        asking = places if given else gather_positions(keys[:, :, None], places)[:, :, 0]
        masks.append(keys[:, None, None, :] <= asking[:, None, :, None])
    return reduce(ops.logical_and, masks) if masks else None

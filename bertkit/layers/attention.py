"""Attention: the equation once, and the layer that projects into and out of it.

Shapes: B batch, T tokens (F when "from"), D hidden, N heads, H per head; D = N·H.
"""

import warnings

import keras
from keras import ops

from bertkit.config import Full
from bertkit.layers.initializer import truncated_normal

# Adding the most negative float32 makes a masked probability exactly 0, as in the reference
# (family-spec 1.2); a row that may see nothing at all becomes uniform. Export replaces it by a small
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
        scores = scores + bias
    if mask is not None:
        scores = scores + (1.0 - ops.cast(mask, precise)) * masked_score
    probabilities = ops.cast(ops.softmax(scores, axis=-1), value.dtype)
    dropped = probabilities if drop is None else drop(probabilities)
    return ops.matmul(dropped, value), probabilities


class SelfAttention(keras.layers.Layer):
    """Multi-head attention over all real tokens (Vaswani et al. 2017, section 3.2.2).

    call(x [B,T,D], padding_mask [B,T]) -> [B,T,D], or (y, probabilities [B,N,T,T]) when traced.
    """

    def __init__(self, config, **options):
        super().__init__(**options)
        self.num_heads, self.head_dim = config.num_heads, config.head_dim
        self.query, self.key, self.value, self.output_dense = (
            keras.layers.Dense(config.hidden_dim, kernel_initializer=truncated_normal(config),
                               dtype=self.dtype_policy, name=name)
            for name in ("query", "key", "value", "output"))
        self.drop = keras.layers.Dropout(config.attention_dropout, dtype=self.dtype_policy,
                                         name="probability_dropout")

    def build(self, shape):
        for dense in (self.query, self.key, self.value, self.output_dense):
            dense.build(shape)

    def call(self, x, padding_mask=None, trace=False, masked_score=EXACT, training=None):
        heads = [self._split(project(x)) for project in (self.query, self.key, self.value)]
        mask = None if padding_mask is None else padding_mask[:, None, None, :]
        merged, probabilities = attend(*heads, mask=mask, masked_score=masked_score,
                                       drop=lambda p: self.drop(p, training=training))
        y = self.output_dense(self._merge(merged))
        return (y, probabilities) if trace else y

    def _split(self, x):
        """[B,T,N·H] -> [B,N,T,H]."""
        length = ops.shape(x)[1]
        return ops.transpose(ops.reshape(x, (-1, length, self.num_heads, self.head_dim)),
                             (0, 2, 1, 3))

    def _merge(self, x):
        """[B,N,T,H] -> [B,T,N·H]."""
        length = ops.shape(x)[2]
        return ops.reshape(ops.transpose(x, (0, 2, 1, 3)),
                           (-1, length, self.num_heads * self.head_dim))


LAYERS = {Full: SelfAttention}

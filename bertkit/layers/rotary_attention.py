"""Attention whose queries and keys are turned by where they stand (Su et al. 2021; Warner et al. 2024, ModernBERT).

Shapes: B batch, T tokens, D hidden, N heads, H per head.
"""

import keras
import numpy as np
from keras import ops

from bertkit.errors import Error
from bertkit.kinds import Full
from bertkit.layers.attention import SelfAttention, attention_mask
from bertkit.layers.window_attention import LEAST, allows, nearby


@keras.saving.register_keras_serializable("bertkit")
class RotaryAttention(SelfAttention):
    """softmax(R(p) Q (R(p) K)ᵀ / √H) V, over all real tokens or those of a window; [q | k | v] = x W + b.

    Su et al. 2021, equation 16; Warner et al. 2024, sections 2.1.1 and 2.1.2. The positions p are "position_ids" of the
    batch [B,T], or 0 to T − 1; a window counts places in the row, whatever their positions. The config's `qkv_bias`
    holds for the output too. A window takes time and memory linear in T, unless the row is short or traced. Raises
    `Error` where a head has an odd number of features.
    """

    def __init__(self, config, kind, **options):
        super().__init__(config, kind, **options)
        if self.head_dim % 2:
            raise Error(f"Rotary attention turns pairs of features, and a head has {self.head_dim} of them; give an "
                        "even number.")

    def add_projections(self, config):
        self.qkv = self.dense(config, "qkv", 3 * self.num_heads * self.head_dim, config.qkv_bias)
        self.output_dense = self.dense(config, "output", config.hidden_dim, config.qkv_bias)

    def build(self, shape):
        self.qkv.build(shape)
        self.output_dense.build((*shape[:-1], self.num_heads * self.head_dim))

    def project(self, x, context):
        query, key, value = (self.split(part) for part in ops.split(self.qkv(x), 3, axis=-1))
        angles = rotations(context.get("position_ids"), ops.shape(x)[1], self.head_dim, self.kind.base)
        return turned(query, angles), turned(key, angles), value

    def mix(self, query, key, value, context, trace, attention):
        length, window = ops.shape(query)[2], self.kind.window
        mask = attention_mask(Full(), context, length)
        if window is None:
            return attention(query, key, value, mask=mask)
        if not (trace or isinstance(length, int) and length <= 3 * max(window, LEAST)):
            seen = ops.ones((1, length), "bool") if mask is None else mask[:, 0, 0]
            return nearby(query, key, value, seen, window, attention), None
        near = allows(ops.arange(length)[:, None], ops.arange(length), window)
        return attention(query, key, value, mask=near if mask is None else ops.logical_and(near, mask))


def rotations(position_ids, length, features, base):
    """Return the angles p · base^(−2k/H), k < H/2, of positions [B,T] or of 0 to T − 1: float32 [B|1,1,T,H/2]."""
    frequencies = (float(base) ** -(np.arange(0, features, 2) / features)).astype("float32")
    positions = ops.arange(length)[None] if position_ids is None else position_ids
    return ops.cast(positions, "float32")[:, None, :, None] * frequencies


def turned(x, angles):
    """Return x [B,N,T,H] with each pair of features turned by its angle (Su et al. 2021, equation 34).

    A pair is (k, k + H/2), as in the code of ModernBERT, not (2k, 2k + 1). Angles stay at least float32, since bfloat16
    cannot tell the positions of a long text apart.
    """
    precise = keras.backend.result_type(x.dtype, "float32")
    first, second = ops.split(ops.cast(x, precise), 2, axis=-1)
    cos, sin = ops.cast(ops.cos(angles), precise), ops.cast(ops.sin(angles), precise)
    return ops.cast(ops.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1), x.dtype)

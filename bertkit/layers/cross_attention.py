"""Attention from a text that is being written to the one that is read, and the block that has it."""

import keras
from keras import ops

from bertkit.kinds import Full
from bertkit.layers.attention import SelfAttention, attend
from bertkit.layers.block import Block


@keras.saving.register_keras_serializable("bertkit")
class CrossAttention(SelfAttention):
    """Multi-head attention whose keys and values are another text's (Vaswani et al. 2017, section 3.2.3).

    call(x [B,U,D], context {"memory": (key, value) [B,N,T,H] each, of `remember`, "padding_mask" [B,T] of that text}).
    """

    def project(self, x, context):
        return [self.split(self.query(x)), *context["memory"]]

    def remember(self, x):
        """Return key and value of the text that is read, [B,T,D] -> [B,N,T,H] each."""
        return tuple(self.split(dense(x)) for dense in (self.key, self.value))


@keras.saving.register_keras_serializable("bertkit")
class DecoderBlock(Block):
    """a = LayerNorm(x + attention(x));  c = LayerNorm(a + attention(a, memory));  y = LayerNorm(c + feed-forward(c)).

    Vaswani et al. 2017, figure 1 right, dropout as in `Block`. `context` is that of the attention to itself,
    `memory` that of the attention to the other text.
    """

    def __init__(self, config, index=0, **options):
        super().__init__(config, index, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.cross = CrossAttention(config, Full(), index, name="cross", **policy)
        self.cross_norm = keras.layers.LayerNormalization(
            epsilon=config.layer_norm_epsilon, name="cross_norm", **policy)

    def build(self, shape):
        super().build(shape)
        self.cross.build(shape)
        self.cross_norm.build(shape)

    def call(self, x, context, memory, training=None):
        return self.above(x, self.attention(x, context=context, training=training), memory, training)

    def step(self, x, place, past, memory):
        """Return (y [B,1,D], past) of the token at `place`, the earlier ones' keys and values `past` [B,N,U,H] each."""
        query, *new = self.attention.project(x, {})
        here = ops.arange(ops.shape(past[0])[2])
        past = tuple(ops.where((here == place)[None, None, :, None], part, old)
                     for part, old in zip(new, past, strict=True))
        mixed, _ = attend(query, *past, mask=(here <= place)[None, None, None, :])
        return self.above(x, self.attention.output_dense(self.attention.merge(mixed)), memory), past

    def above(self, x, attended, memory, training=None):
        """Return y of what the attention to itself gave."""
        a = self.attention_norm(x + self.drop(attended, training=training))
        crossed = self.cross(a, context=memory, training=training)
        c = self.cross_norm(a + self.drop(crossed, training=training))
        return self.output_norm(c + self.drop(self.feed(c, training), training=training))

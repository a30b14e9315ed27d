"""A block that normalises before, not after, and whose feed-forward is gated (Warner et al. 2024, ModernBERT)."""

import keras
from keras import ops

from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.attention import EXACT
from bertkit.layers.attentions import attention_layer
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import truncated_normal
from bertkit.layers.norm import norm


@keras.saving.register_keras_serializable("bertkit")
class GatedBlock(ConfiguredLayer):
    """a = x + attention(LayerNorm(x));  y = a + W₂ (act(s) · t),  [s | t] = W₁ LayerNorm(a).

    Warner et al. 2024, section 2.1.1; the feed-forward is GeGLU of Shazeer 2020, equation 6. Block 0 attends to x as it
    is, which the embeddings have normalised. x, y [B,T,D]; `context` as in `bertkit.encoder`. Returns y, or (y,
    probabilities) when traced.
    """

    def __init__(self, config, index=0, **options):
        super().__init__(config, **options)
        config, self.index = self.config, index
        policy, bias = {"dtype": self.dtype_policy}, config.block.feed_bias
        self.attention_norm = norm(config, "attention_norm", **policy) if index else None
        self.attention = attention_layer(config, index, **policy)
        self.attention_drop = keras.layers.Dropout(config.attention_dropout, name="attention_dropout", **policy)
        self.feed_norm = norm(config, "feed_norm", **policy)
        self.inner = keras.layers.Dense(2 * config.intermediate_dim, use_bias=bias, name="inner", **policy,
                                        kernel_initializer=truncated_normal(config))
        self.activation = FUNCTIONS[config.activation]
        self.drop = keras.layers.Dropout(config.block.feed_dropout, name="dropout", **policy)
        self.outer = keras.layers.Dense(config.hidden_dim, use_bias=bias, name="outer", **policy,
                                        kernel_initializer=truncated_normal(config))

    def get_config(self):
        return {**super().get_config(), "index": self.index}

    def build(self, shape):
        for layer in (self.attention_norm, self.attention, self.feed_norm, self.inner):
            if layer is not None:
                layer.build(shape)
        self.outer.build((*shape[:-1], self.inner.units // 2))

    def call(self, x, context=None, trace=False, training=None, masked_score=EXACT):
        normed = x if self.attention_norm is None else self.attention_norm(x)
        attended = self.attention(normed, context=context, trace=trace, training=training, masked_score=masked_score)
        attended, probabilities = attended if trace else (attended, None)
        a = x + self.attention_drop(attended, training=training)
        gated, gate = ops.split(self.inner(self.feed_norm(a)), 2, axis=-1)
        y = a + self.outer(self.drop(self.activation(gated) * gate, training=training))
        return (y, probabilities) if trace else y

"""One Transformer block, normalised after each residual sum (post-LN)."""

import keras

from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.attention import EXACT
from bertkit.layers.attentions import attention_layer
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal


@keras.saving.register_keras_serializable("bertkit")
class Block(ConfiguredLayer):
    """a = LayerNorm(x + dropout(attention(x)));  y = LayerNorm(a + dropout(W₂ act(W₁ a + b₁) + b₂)).

    Vaswani et al. 2017, figure 1 left; Devlin et al. 2018, section 3. x, y [B,T,D]; `context` as in
    `bertkit.encoder`; `index` counts blocks from 0. Returns y, or (y, probabilities [B,N,T,T]) when traced. With
    "places" [B,K] in the context of a block whose attention is `Full`, y [B,K,D] is of those tokens alone.
    """

    def __init__(self, config, index=0, **options):
        super().__init__(config, **options)
        config, self.index, policy = self.config, index, {"dtype": self.dtype_policy}
        self.attention = attention_layer(config, index, **policy)
        self.attention_norm = keras.layers.LayerNormalization(
            epsilon=config.layer_norm_epsilon, name="attention_norm", **policy)
        self.inner = keras.layers.Dense(config.intermediate_dim, name="inner", **policy,
                                        kernel_initializer=truncated_normal(config))
        self.activation = FUNCTIONS[config.activation]
        self.outer = keras.layers.Dense(config.hidden_dim, name="outer", **policy,
                                        kernel_initializer=truncated_normal(config))
        self.output_norm = keras.layers.LayerNormalization(
            epsilon=config.layer_norm_epsilon, name="output_norm", **policy)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", **policy)

    def get_config(self):
        return {**super().get_config(), "index": self.index}

    def build(self, shape):
        for layer in (self.attention, self.attention_norm, self.inner, self.output_norm):
            layer.build(shape)
        self.outer.build((*shape[:-1], self.inner.units))

    def call(self, x, context=None, trace=False, training=None, masked_score=EXACT):
        context = context or {}
        attended = self.attention(x, context=context, trace=trace, training=training, masked_score=masked_score)
        attended, probabilities = attended if trace else (attended, None)
        x = gather_positions(x, context.get("places"))
        a = self.attention_norm(x + self.drop(attended, training=training))
        y = self.output_norm(a + self.drop(self.feed(a, training), training=training))
        return (y, probabilities) if trace else y

    def feed(self, a, training=None):
        """Return W₂ act(W₁ a + b₁) + b₂."""
        return self.outer(self.activation(self.inner(a)))

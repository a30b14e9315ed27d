"""One Transformer block, normalised after each residual sum (post-LN)."""

from typing import Any

import keras

from bertkit.config import EncoderConfig
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.attention import EXACT
from bertkit.layers.attentions import attention_layer
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal


@keras.saving.register_keras_serializable("bertkit")
class Block(ConfiguredLayer):
    """A Transformer block, normalised after each residual sum (post-LN).

    a = LayerNorm(x + dropout(attention(x))); y = LayerNorm(a + dropout(W₂ act(W₁ a + b₁) + b₂)).

    Vaswani et al. 2017, figure 1 left; Devlin et al. 2018, section 3. call(x [B,T,D], context) -> y [B,T,D], or (y,
    probabilities [B,N,T,T]) when traced.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], index: int = 0, **options: Any) -> None:
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

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "index": self.index}

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        for layer in (self.attention, self.attention_norm, self.inner, self.output_norm):
            layer.build(shape)
        self.outer.build((*shape[:-1], self.inner.units))

    def call(self, x: Any, context: dict[str, Any] | None = None, trace: bool = False, training: bool | None = None,
             masked_score: float = EXACT) -> Any:
        """Compute the block.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            training: Whether dropout is applied; None leaves it to Keras.
            masked_score: The number that is added to the score of a hidden key.

        Returns:
            y [B,T,D], or (y, probabilities [B,N,T,T]) where `trace`. With "query_positions" [B,K] in the context of
            a block whose attention is `Full`, y [B,K,D] is of those tokens alone.
        """
        context = context or {}
        attended = self.attention(x, context=context, trace=trace, training=training, masked_score=masked_score)
        attended, probabilities = attended if trace else (attended, None)
        x = gather_positions(x, context.get("query_positions"))
        a = self.attention_norm(x + self.drop(attended, training=training))
        y = self.output_norm(a + self.drop(self.feed(a, training), training=training))
        return (y, probabilities) if trace else y

    def feed(self, a: Any, training: bool | None = None) -> Any:
        """Compute the feed-forward network, W₂ act(W₁ a + b₁) + b₂.

        Args:
            a: Token vectors [B,T,D].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            Token vectors [B,T,D].
        """
        return self.outer(self.activation(self.inner(a)))

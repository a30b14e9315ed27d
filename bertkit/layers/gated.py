"""Blocks whose feed-forward is gated: normalised before (Warner et al. 2024, ModernBERT), or after each sum."""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.attention import EXACT
from bertkit.layers.attentions import attention_layer
from bertkit.layers.block import Block
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal
from bertkit.layers.norm import norm


@keras.saving.register_keras_serializable("bertkit")
class GatedBlock(ConfiguredLayer):
    """A block that normalises before attention and before a gated feed-forward.

    a = x + attention(LayerNorm(x)); y = a + W₂ (act(s) · t), [s | t] = W₁ LayerNorm(a).

    Warner et al. 2024, section 2.1.1; the feed-forward is GeGLU of Shazeer 2020, equation 6. Block 0 attends to x as it
    is, which the embeddings have normalised. call(x [B,T,D], context) -> y [B,T,D], or (y, probabilities) when traced.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], index: int = 0, **options: Any) -> None:
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
        for layer in (self.attention_norm, self.attention, self.feed_norm, self.inner):
            if layer is not None:
                layer.build(shape)
        self.outer.build((*shape[:-1], self.inner.units // 2))

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
            y [B,T,D], or (y, probabilities) where `trace`. With "query_positions" [B,K] in the context of a block
            whose attention has no window, y [B,K,D] is of those tokens alone.
        """
        normed = x if self.attention_norm is None else self.attention_norm(x)
        attended = self.attention(normed, context=context, trace=trace, training=training, masked_score=masked_score)
        attended, probabilities = attended if trace else (attended, None)
        x = gather_positions(x, (context or {}).get("query_positions"))
        a = x + self.attention_drop(attended, training=training)
        gated, gate = ops.split(self.inner(self.feed_norm(a)), 2, axis=-1)
        y = a + self.outer(self.drop(self.activation(gated) * gate, training=training))
        return (y, probabilities) if trace else y


@keras.saving.register_keras_serializable("bertkit")
class GatedPostBlock(Block):
    """A block that normalises after each residual sum, with a gated feed-forward.

    a = LayerNorm(x + dropout(attention(x))); y = LayerNorm(a + dropout(W₂ (act(W_g a) · W₁ a))).

    The code of Nussbaum et al. 2024 (Nomic Embed); the feed-forward is SwiGLU of Shazeer 2020, equation 6. call(x
    [B,T,D], context) -> y [B,T,D], or (y, probabilities) when traced.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], index: int = 0, **options: Any) -> None:
        super().__init__(config, index, **options)
        config, bias = self.config, self.config.block.feed_bias
        self.inner, self.gate, self.outer = (
            keras.layers.Dense(units, use_bias=bias, kernel_initializer=truncated_normal(config), name=name,
                               dtype=self.dtype_policy)
            for name, units in (("inner", config.intermediate_dim), ("gate", config.intermediate_dim),
                                ("outer", config.hidden_dim)))

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        super().build(shape)
        self.gate.build(shape)

    def feed(self, a: Any, training: bool | None = None) -> Any:
        """Compute the feed-forward network, W₂ (act(W_g a) · W₁ a).

        Args:
            a: Token vectors [B,T,D].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            Token vectors [B,T,D].
        """
        return self.outer(self.activation(self.gate(a)) * self.inner(a))

"""Blocks whose feed-forward is gated: normalised before (ModernBERT, LLaMA), or after each sum (Nomic BERT)."""

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
        config, self.index, policy = self.config, index, {"dtype": self.dtype_policy}
        after_attention, inside_feed = self.rates(config)
        self.attention_norm = norm(config, "attention_norm", **policy) if self.norms_input(index) else None
        self.attention = attention_layer(config, index, **policy)
        self.attention_drop = keras.layers.Dropout(after_attention, name="attention_dropout", **policy)
        self.feed_norm = norm(config, "feed_norm", **policy)
        self.activation = FUNCTIONS[config.activation]
        self.drop = keras.layers.Dropout(inside_feed, name="dropout", **policy)
        self.add_feed(config)

    def rates(self, config: EncoderConfig) -> tuple[float, float]:
        """Return the rates of dropout after attention and inside the feed-forward.

        Args:
            config: The encoder's `EncoderConfig`.

        Returns:
            Two probabilities.
        """
        return config.attention_dropout, config.block.feed_dropout

    def norms_input(self, index: int) -> bool:
        """Return whether a block normalises what its attention reads.

        Args:
            index: The number of the block, from 0.

        Returns:
            True or False.
        """
        return index > 0

    def add_feed(self, config: EncoderConfig) -> None:
        """Make the layers of the feed-forward network.

        Args:
            config: The encoder's `EncoderConfig`.
        """
        self.inner = self.dense("inner", 2 * config.intermediate_dim)
        self.outer = self.dense("outer", config.hidden_dim)

    def dense(self, name: str, units: int) -> keras.layers.Dense:
        """Make a matrix of the feed-forward network.

        Args:
            name: The name of the layer.
            units: The number of its outputs.

        Returns:
            A Dense layer.
        """
        return keras.layers.Dense(units, use_bias=self.config.block.feed_bias, name=name, dtype=self.dtype_policy,
                                  kernel_initializer=truncated_normal(self.config))

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
        self.outer.build((*shape[:-1], self.config.intermediate_dim))

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
        y = a + self.outer(self.drop(self.gated(self.feed_norm(a)), training=training))
        return (y, probabilities) if trace else y

    def gated(self, x: Any) -> Any:
        """Compute act(s) · t, [s | t] = W₁ x.

        Args:
            x: Token vectors [B,T,D].

        Returns:
            A tensor [B,T,I].
        """
        gated, gate = ops.split(self.inner(x), 2, axis=-1)
        return self.activation(gated) * gate


@keras.saving.register_keras_serializable("bertkit")
class RootGatedBlock(GatedBlock):
    """A block with an RMSNorm before attention and before a gated feed-forward of three matrices.

    a = x + dropout(attention(RMSNorm(x))); y = a + W₂ dropout(act(W_g h) · W₁ h), h = RMSNorm(a).

    Touvron et al. 2023 (LLaMA, arXiv 2302.13971), section 2.2; the feed-forward is SwiGLU of Shazeer 2020, equation 6.
    The config's `dropout` holds for both places. call(x [B,T,D], context) -> y [B,T,D], or (y, probabilities) when
    traced.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def rates(self, config: EncoderConfig) -> tuple[float, float]:
        """Return the rates of dropout after attention and inside the feed-forward, which are the config's.

        Args:
            config: The encoder's `EncoderConfig`.

        Returns:
            Two probabilities.
        """
        return config.dropout, config.dropout

    def norms_input(self, index: int) -> bool:
        """Return whether a block normalises what its attention reads: each does.

        Args:
            index: The number of the block, from 0.

        Returns:
            True.
        """
        return True

    def add_feed(self, config: EncoderConfig) -> None:
        """Make the layers of the feed-forward network.

        Args:
            config: The encoder's `EncoderConfig`.
        """
        self.inner, self.gate, self.outer = (self.dense(name, units) for name, units in (
            ("inner", config.intermediate_dim), ("gate", config.intermediate_dim), ("outer", config.hidden_dim)))

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        super().build(shape)
        self.gate.build(shape)

    def gated(self, x: Any) -> Any:
        """Compute act(W_g x) · W₁ x.

        Args:
            x: Token vectors [B,T,D].

        Returns:
            A tensor [B,T,I].
        """
        return self.activation(self.gate(x)) * self.inner(x)


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

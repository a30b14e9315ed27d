"""Blocks whose inputs follow from the outputs (Gomez et al. 2017, arXiv 1707.04585; Kitaev et al. 2020, section 3)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.attention import EXACT
from bertkit.layers.attentions import attention_layer
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.hash_attention import HashAttention
from bertkit.layers.initializer import truncated_normal
from bertkit.layers.norm import norm


@keras.saving.register_keras_serializable("bertkit")
class CopyStream(ConfiguredLayer):
    """The layer that makes the first state of reversible blocks, x₁ = x₂ = the embeddings.

    call(x [B,T,D], inputs) -> {"first" [B,T,D], "hidden" [B,T,D]}.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def call(self, x: Any, inputs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make the first state.

        Args:
            x: The embeddings [B,T,D].
            inputs: The batch, which is not read.

        Returns:
            {"first" [B,T,D], "hidden" [B,T,D]}.
        """
        return {"first": x, "hidden": x}


@keras.saving.register_keras_serializable("bertkit")
class ReversibleBlock(ConfiguredLayer):
    """A block whose inputs can be computed from its outputs.

    y₁ = x₁ + attention(LayerNorm(x₂)); y₂ = x₂ + W₂ act(W₁ LayerNorm(y₁) + b₁) + b₂, dropout before each sum.

    Kitaev et al. 2020, section 3. call(state {"first": x₁, "hidden": x₂} [B,T,D] each, context) -> the new state, or
    (state, probabilities [B,N,T,T]) when traced.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], index: int = 0, **options: Any) -> None:
        super().__init__(config, **options)
        config, self.index, policy = self.config, index, {"dtype": self.dtype_policy}
        self.attention_norm, self.feed_norm = (norm(config, name, **policy) for name in ("attention_norm", "feed_norm"))
        self.attention = attention_layer(config, index, **policy)
        self.inner = keras.layers.Dense(config.intermediate_dim, name="inner", **policy,
                                        kernel_initializer=truncated_normal(config))
        self.activation = FUNCTIONS[config.activation]
        self.outer = keras.layers.Dense(config.hidden_dim, name="outer", **policy,
                                        kernel_initializer=truncated_normal(config))
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
        for layer in (self.attention_norm, self.attention, self.feed_norm, self.inner):
            layer.build(shape)
        self.outer.build((*shape[:-1], self.inner.units))

    def call(self, x: dict[str, Any], context: dict[str, Any] | None = None, trace: bool = False,
             training: bool | None = None, masked_score: float = EXACT) -> Any:
        """Compute the block.

        Args:
            x: The state {"first" [B,T,D], "hidden" [B,T,D]}.
            context: The batch's other entries, by name (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            training: Whether dropout is applied; None leaves it to Keras.
            masked_score: The number that is added to the score of a hidden key.

        Returns:
            The new state, or (state, probabilities [B,N,T,T]) where `trace`.
        """
        found = self.attend(x["hidden"], context or {}, trace, training, masked_score)
        attended, probabilities = found if trace else (found, None)
        first = x["first"] + attended
        state = {"first": first, "hidden": x["hidden"] + self.feed(first, training)}
        return (state, probabilities) if trace else state

    def attend(self, x: Any, context: dict[str, Any], trace: bool = False, training: bool | None = None,
               masked_score: float = EXACT) -> Any:
        """Compute what is added to x₁.

        Args:
            x: x₂, [B,T,D].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            training: Whether dropout is applied; None leaves it to Keras.
            masked_score: The number that is added to the score of a hidden key.

        Returns:
            A tensor [B,T,D], or (it, probabilities) where `trace`.
        """
        found = self.attention(self.attention_norm(x), context=context, trace=trace, training=training,
                               masked_score=masked_score)
        attended, probabilities = found if trace else (found, None)
        attended = self.drop(attended, training=training)
        return (attended, probabilities) if trace else attended

    def feed(self, y: Any, training: bool | None = None) -> Any:
        """Compute what is added to x₂.

        Args:
            y: y₁, [B,T,D].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            A tensor [B,T,D].
        """
        inner = self.activation(self.drop(self.inner(self.feed_norm(y)), training=training))
        return self.drop(self.outer(inner), training=training)

    def with_repeatable_draws(self, x: Any, context: dict[str, Any]) -> dict[str, Any]:
        """Return the context in training with what attention draws for x in it, so that `attend` can be repeated.

        Args:
            x: x₂, [B,T,D].
            context: The batch's other entries, by name (see `bertkit.encoder`).

        Returns:
            The context.
        """
        if isinstance(self.attention, HashAttention):
            return self.attention.with_repeatable_draws(self.attention_norm(x), context)
        return context


@keras.saving.register_keras_serializable("bertkit")
class JoinStreams(ConfiguredLayer):
    """The output of the last state, dropout(LayerNorm([x₁; x₂])): call(state) -> [B,T,2D].

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], **options: Any) -> None:
        super().__init__(config, **options)
        self.norm = norm(self.config, "norm", dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(self.config.dropout, name="dropout", dtype=self.dtype_policy)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        self.norm.build((*shape[:-1], self.config.output_dim))

    def call(self, state: dict[str, Any], training: bool | None = None) -> Any:
        """Join the two streams.

        Args:
            state: {"first" [B,T,D], "hidden" [B,T,D]}.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,T,2D].
        """
        x = ops.concatenate([state["first"], state["hidden"]], axis=-1)
        return self.drop(self.norm(x), training=training)


def run_reversible(steps: Sequence[tuple[Any, dict[str, Any]]], state: dict[str, Any],
                   masked_score: float) -> dict[str, Any]:
    """Compute all blocks in training.

    Where the backward pass can find a block's inputs from its outputs (TensorFlow; float32 or better, since half
    precision loses too much in y − f(x)), none of the activations inside the blocks are kept for it.

    Args:
        steps: The pairs (block, context), in their order.
        state: The state {"first" [B,T,D], "hidden" [B,T,D]} before the first block.
        masked_score: The number that is added to the score of a hidden key.

    Returns:
        The state after the last block.
    """
    if keras.backend.backend() == "tensorflow" and keras.backend.standardize_dtype(state["hidden"].dtype) in (
            "float32", "float64"):
        from bertkit.layers.accelerated import reversible_tensorflow
        return reversible_tensorflow.run_reversible(steps, state, masked_score)
    for block, context in steps:
        state = block(state, context=context, training=True, masked_score=masked_score)
    return state

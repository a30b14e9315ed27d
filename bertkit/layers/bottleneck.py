"""Narrow blocks between wide residuals (Sun et al. 2020, MobileBERT).

Shapes: B batch, T tokens, D hidden (wide), W the width inside, N heads, H per head, N·H = W.
"""

from typing import Any

import keras

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Full
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.attention import EXACT, SelfAttention
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import truncated_normal
from bertkit.layers.norm import norm

# Where blocks have LayerNorms, these have torch's own epsilon in the released code, whatever the config says.
TORCH_EPSILON = 1e-5


@keras.saving.register_keras_serializable("bertkit")
class Projection(ConfiguredLayer):
    """A projection, with a norm and an optional residual.

    Norm(dropout(x W + b) + r), with the residual r where one is given; [B,T,·] -> [B,T,units].

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        units: The number of output features.
        rate: The rate of dropout, a probability.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], units: int, rate: float = 0.0, **options: Any) -> None:
        super().__init__(config, **options)
        config, self.rate, policy = self.config, rate, {"dtype": self.dtype_policy}
        self.dense = keras.layers.Dense(units, name="dense", kernel_initializer=truncated_normal(config), **policy)
        self.drop = keras.layers.Dropout(rate, name="dropout", **policy)
        self.norm = norm(config, "norm", **policy)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "units": self.dense.units, "rate": self.rate}

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        self.dense.build(shape)
        self.norm.build((*shape[:-1], self.dense.units))

    def call(self, x: Any, residual: Any = None, training: bool | None = None) -> Any:
        """Compute the projection.

        Args:
            x: Vectors [B,T,·].
            residual: r, [B,T,units], or None.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            Vectors [B,T,units].
        """
        y = self.drop(self.dense(x), training=training)
        return self.norm(y if residual is None else y + residual)


@keras.saving.register_keras_serializable("bertkit")
class Feed(ConfiguredLayer):
    """A feed-forward network with a residual sum: Norm(dropout(W₂ act(W₁ x + b₁) + b₂) + x); [B,T,W] -> [B,T,W].

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        rate: The rate of dropout, a probability.
        epsilon: ε of the LayerNorm; None takes that of the config.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], rate: float = 0.0, epsilon: float | None = None,
                 **options: Any) -> None:
        super().__init__(config, **options)
        config, self.rate, self.epsilon = self.config, rate, epsilon
        policy, initializer = {"dtype": self.dtype_policy}, truncated_normal(config)
        self.inner = keras.layers.Dense(config.intermediate_dim, name="inner", kernel_initializer=initializer, **policy)
        self.activation = FUNCTIONS[config.activation]
        self.outer = keras.layers.Dense(config.block_dim, name="outer", kernel_initializer=initializer, **policy)
        self.drop = keras.layers.Dropout(rate, name="dropout", **policy)
        self.norm = norm(config, "norm", epsilon, **policy)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "rate": self.rate, "epsilon": self.epsilon}

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        self.inner.build(shape)
        self.outer.build((*shape[:-1], self.inner.units))
        self.norm.build(shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the network.

        Args:
            x: Vectors [B,T,W].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            Vectors [B,T,W].
        """
        fed = self.outer(self.activation(self.inner(x)))
        return self.norm(self.drop(fed, training=training) + x)


@keras.saving.register_keras_serializable("bertkit")
class NarrowAttention(SelfAttention):
    """Attention whose queries and keys read one sequence, and its values another (Sun et al. 2020, section 3.1).

    call(x {"keys" [B,T,·], "values" [B,T,·]}, context) -> [B,T,W], or (y, probabilities [B,N,T,T]) when traced.
    """

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: {"keys": shape, "values": shape} of the two sequences.
        """
        for dense, part in ((self.query, "keys"), (self.key, "keys"), (self.value, "values")):
            dense.build(shape[part])
        self.output_dense.build((*shape["keys"][:-1], self.num_heads * self.head_dim))

    def project(self, x: Any, context: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Compute the queries, keys and values.

        Args:
            x: {"keys" [B,T,·], "values" [B,T,·]}.
            context: The batch's other entries, by name (see `bertkit.encoder`).

        Returns:
            The query, the key and the value, [B,N,T,H] each.
        """
        return (self.split(self.query(x["keys"])), self.split(self.key(x["keys"])),
                self.split(self.value(x["values"])))


@keras.saving.register_keras_serializable("bertkit")
class BottleneckBlock(ConfiguredLayer):
    """A narrow block: n = Norm(W x); a = Norm(attention + n); a = feed(a), again and again; y = Norm(W' a + x).

    Sun et al. 2020, sections 3.1 and 3.2, figure 1; `kinds.Bottleneck` says what attention reads and how many feeds
    there are. Without a bottleneck n is x, and y is the last a. call(x [B,T,D], context) -> y [B,T,D], or (y,
    probabilities [B,N,T,T]) when traced.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when the attention is another than `Full`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], index: int = 0, **options: Any) -> None:
        super().__init__(config, **options)
        config, self.index, policy = self.config, index, {"dtype": self.dtype_policy}
        kind, attention = config.block, config.attention_of(index)
        if not isinstance(attention, Full):
            raise Error(f"A block with a bottleneck attends to all tokens, not by {attention}; give Full().")
        self.kind, rate = kind, config.dropout if kind.width is None else 0.0
        self.entry = self.key_entry = self.exit = None
        if kind.width is not None:
            self.entry = Projection(config, kind.width, name="entry", **policy)
            self.exit = Projection(config, config.hidden_dim, config.dropout, name="exit", **policy)
        if kind.width is not None and kind.shared:
            self.key_entry = Projection(config, kind.width, name="key_entry", **policy)
        self.attention = NarrowAttention(config, attention, index, name="attention", **policy)
        self.drop = keras.layers.Dropout(rate, name="dropout", **policy)
        self.attention_norm = norm(config, "attention_norm", **policy)
        self.feeds = [Feed(config, name=f"feed_{i}", **policy) for i in range(kind.feeds - 1)]
        self.feeds.append(Feed(config, rate, TORCH_EPSILON, name="last_feed", **policy))

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
        narrow = (*shape[:-1], self.kind.width or shape[-1])
        for layer, inputs in ((self.entry, shape), (self.key_entry, shape), (self.attention_norm, narrow),
                              *((feed, narrow) for feed in self.feeds), (self.exit, narrow)):
            if layer is not None:
                layer.build(inputs)
        if self.key_entry is not None and self.kind.narrow:
            # The released code has it even where attention reads the narrow input alone, and leaves it as it began.
            self.key_entry.trainable = False
        self.attention.build({"keys": narrow if self.kind.narrow or self.key_entry else shape,
                              "values": narrow if self.kind.narrow else shape})

    def sources(self, x: Any, narrow: Any) -> dict[str, Any]:
        """Return what queries and keys read, and what values read.

        Args:
            x: The wide vectors [B,T,D].
            narrow: The narrow vectors [B,T,W].

        Returns:
            {"keys" [B,T,W], or [B,T,D] of the wide vectors, "values" likewise}.
        """
        if self.kind.narrow:
            return {"keys": narrow, "values": narrow}
        return {"keys": x if self.key_entry is None else self.key_entry(x), "values": x}

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
            y [B,T,D], or (y, probabilities [B,N,T,T]) where `trace`.
        """
        narrow = x if self.entry is None else self.entry(x)
        attended = self.attention(self.sources(x, narrow), context=context, trace=trace, training=training,
                                  masked_score=masked_score)
        attended, probabilities = attended if trace else (attended, None)
        a = self.attention_norm(self.drop(attended, training=training) + narrow)
        for feed in self.feeds:
            a = feed(a, training=training)
        y = a if self.exit is None else self.exit(a, x, training=training)
        return (y, probabilities) if trace else y

"""Attention: the equation once, and the layer that projects into and out of it.

Shapes: B batch, T tokens (F when "from"), D hidden, N heads, H per head.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Full
from bertkit.kinds.values import from_json, to_json
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal

# Adding the most negative float32 makes a masked probability exactly 0, as in the reference
# (transformers); a row that may see nothing at all becomes uniform. Export replaces it by a small
# constant, because an int8 scale cannot hold it.
EXACT = -3.4028235e38

FULL = Full()

# A text of one token is no mistake, though its softmax is over one key.
warnings.filterwarnings("ignore", message="You are using a softmax over axis -1")


def attend(query: Any, key: Any, value: Any, mask: Any = None, bias: Any = None,
           drop: Callable[[Any], Any] | None = None, masked_score: float = EXACT) -> tuple[Any, Any]:
    """Compute softmax(Q Kᵀ / √H + bias) V; this is the only place in the package that computes attention.

    Source: Vaswani et al. 2017, equation 1. The scores and the softmax are at least float32, whatever the inputs are.

    Args:
        query: Queries [B,N,F,H].
        key: Keys [B,N,T,H].
        value: Values [B,N,T,H].
        mask: [B,1,1|F,T], 1 where a query may see a key and 0 elsewhere; None hides nothing.
        bias: What is added to the scores, of a shape that broadcasts to [B,N,F,T].
        drop: A function that is applied to the probabilities, such as dropout (section 5.4).
        masked_score: The number that is added to the score of a hidden key.

    Returns:
        The values mixed [B,N,F,H], and the probabilities [B,N,F,T] before dropout.

    Example:
        >>> ones = keras.ops.ones((1, 1, 2, 4))
        >>> mixed, probabilities = attend(ones, ones, ones)
        >>> [round(float(each), 2) for each in probabilities[0, 0, 0]]
        [0.5, 0.5]
    """
    precise = keras.backend.result_type(query.dtype, "float32")
    scale = ops.cast(ops.shape(query)[-1], query.dtype) ** -0.5
    scores = ops.cast(ops.matmul(query * scale, ops.swapaxes(key, -1, -2)), precise)
    if bias is not None:
        scores = scores + ops.cast(bias, precise)
    if mask is not None:
        scores = scores + (1.0 - ops.cast(mask, precise)) * masked_score
    probabilities = ops.cast(ops.softmax(scores, axis=-1), value.dtype)
    dropped = probabilities if drop is None else drop(probabilities)
    return ops.matmul(dropped, value), probabilities


@dataclass(frozen=True)
class Attend:
    """The function `attend` with the dropout and the masked score of one call of a layer.

    Args:
        drop: The dropout of the probabilities; None drops nothing.
        masked_score: The number that is added to the score of a hidden key.
    """

    drop: Callable[[Any], Any] | None = None
    masked_score: float = EXACT

    def __call__(self, query: Any, key: Any, value: Any, mask: Any = None, bias: Any = None) -> tuple[Any, Any]:
        """Return what `attend` returns."""
        return attend(query, key, value, mask, bias, self.drop, self.masked_score)


@keras.saving.register_keras_serializable("bertkit")
class SelfAttention(ConfiguredLayer):
    """Multi-head attention over all real tokens (Vaswani et al. 2017, section 3.2.2).

    call(x [B,T,D], context) -> [B,T,D], or (y, probabilities) when traced. Layers of other kinds of attention have
    another `mix`.

    Args:
        config: The `EncoderConfig` of the encoder that the layer is in, or its JSON; None for a layer alone.
        kind: The kind of attention, or its JSON.
        index: The number of the block that the layer is in, from 0.
        num_heads: N, the number of heads, for a layer alone.
        head_dim: H, the features of a head, for a layer alone; the output has N · H features.
        dropout: The rate of dropout of the probabilities, for a layer alone.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when neither a config, nor both `num_heads` and `head_dim` are given.

    Example:
        >>> layer = SelfAttention(num_heads=2, head_dim=4)
        >>> tuple(layer(keras.ops.ones((1, 3, 8))).shape)
        (1, 3, 8)
    """

    def __init__(self, config: EncoderConfig | dict[str, Any] | None = None, kind: Any = FULL, index: int = 0, *,
                 num_heads: int | None = None, head_dim: int | None = None, dropout: float = 0.0,
                 **options: Any) -> None:
        super().__init__(_alone(num_heads, head_dim, dropout) if config is None else config, **options)
        config, self.kind, self.index = self.config, from_json(kind), index
        self.num_heads, self.head_dim = config.num_heads, config.head_dim
        self.add_projections(config)
        self.drop = keras.layers.Dropout(config.attention_dropout, dtype=self.dtype_policy,
                                         name="probability_dropout")

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "kind": to_json(self.kind), "index": self.index}

    def add_projections(self, config: EncoderConfig) -> None:
        """Make the layers from x to queries, keys and values, and from the mixed values to the output.

        Args:
            config: The encoder's `EncoderConfig`.
        """
        self.query, self.key, self.value = (
            self.dense(config, name, self.num_heads * self.head_dim, config.qkv_bias)
            for name in ("query", "key", "value"))
        self.output_dense = self.dense(config, "output", config.block_dim)

    def dense(self, config: EncoderConfig, name: str, units: int, bias: bool = True) -> keras.layers.Dense:
        """Make a projection that computes in the dtype of this layer.

        Args:
            config: The encoder's `EncoderConfig`.
            name: The name of the projection.
            units: The number of its outputs.
            bias: Whether it has a bias.

        Returns:
            A Dense layer.
        """
        return keras.layers.Dense(units, use_bias=bias, kernel_initializer=truncated_normal(config),
                                  dtype=self.dtype_policy, name=name)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        for projection in (self.query, self.key, self.value):
            projection.build(shape)
        self.output_dense.build((*shape[:-1], self.num_heads * self.head_dim))

    def call(self, x: Any, context: dict[str, Any] | None = None, trace: bool = False, training: bool | None = None,
             masked_score: float = EXACT) -> Any:
        """Attend from each token to the tokens that it may see.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries by name, such as "padding_mask" [B,T] (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            training: Whether dropout is applied; None leaves it to Keras.
            masked_score: The number that is added to the score of a hidden key.

        Returns:
            y [B,T,D], or (y, probabilities [B,N,T,T]) where `trace`. With "query_positions" [B,F] in the
            context y is [B,F,D].
        """
        context = context or {}
        query, key, value = self.project(x, context)
        context = self.with_draws(query, context, training)
        attention = Attend(lambda p: self.drop(p, training=training), masked_score)
        mixed, probabilities = self.mix(query, key, value, context, trace, attention)
        y = self.output_dense(self.merge(mixed))
        return (y, probabilities) if trace else y

    def project(self, x: Any, context: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Compute the queries, keys and values.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries, by name (see `bertkit.encoder`).

        Returns:
            The query [B,N,F,H], the key and the value [B,N,T,H]; F is T, or the number of the context's
            "query_positions".
        """
        queried = gather_positions(x, context.get("query_positions"))
        return self.split(self.query(queried)), self.split(self.key(x)), self.split(self.value(x))

    def with_draws(self, query: Any, context: dict[str, Any], training: bool | None) -> dict[str, Any]:
        """Return the context with everything in it that this kind of attention draws at random; here nothing is drawn.

        Args:
            query: Queries [B,N,F,H].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            training: Whether the call is one of training.

        Returns:
            The context that `mix` gets.
        """
        return context

    def mix(self, query: Any, key: Any, value: Any, context: dict[str, Any], trace: bool,
            attention: Attend) -> tuple[Any, Any]:
        """Mix the values by the attention of this kind: what a layer of another kind overrides.

        Usually it makes a mask and returns `attention(query, key, value, mask=mask)`; here the mask is that of `Full`.

        Args:
            query: Queries [B,N,F,H], as `project` returns them; F is T but where only some positions are computed.
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            context: The batch's other entries by name, such as "padding_mask" [B,T] (see `bertkit.encoder`), and what
                `with_draws` added.
            trace: Whether the attention probabilities are wanted.
            attention: `attend` with this call's dropout and masked score: call it as
                `attention(query, key, value, mask=None, bias=None)`.

        Returns:
            The values mixed [B,N,F,H], and the probabilities before dropout [B,N,F,T], which may be None where `trace`
            is False.
        """
        return attention(query, key, value, mask=attention_mask(self.kind, context, ops.shape(key)[2]))

    def split(self, x: Any) -> Any:
        """Split features into heads: [B,T,N·H] -> [B,N,T,H].

        Args:
            x: A tensor [B,T,N·H].

        Returns:
            A tensor [B,N,T,H].
        """
        length = ops.shape(x)[1]
        return ops.transpose(ops.reshape(x, (-1, length, self.num_heads, self.head_dim)), (0, 2, 1, 3))

    def merge(self, x: Any) -> Any:
        """Join the heads' features: [B,N,T,H] -> [B,T,N·H].

        Args:
            x: A tensor [B,N,T,H].

        Returns:
            A tensor [B,T,N·H].
        """
        length = ops.shape(x)[2]
        return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, length, self.num_heads * self.head_dim))


def _alone(num_heads, head_dim, dropout):
    """Return the config of a layer that is in no encoder."""
    if not num_heads or not head_dim:
        raise Error(f"num_heads={num_heads} and head_dim={head_dim}; give both, or the config of an encoder.")
    return EncoderConfig(1, 1, num_heads, num_heads * head_dim, 1, head_size=head_dim, attention_dropout=dropout)


def attention_mask(kind: Any, context: dict[str, Any], length: Any) -> Any:
    """Make the mask of `Full` attention, 1 where a query may see a key.

    Causal: token i sees key j where j ≤ i (Vaswani et al. 2017, section 3.2.3) and j is real. With "packed_ids" [B,T]
    in the batch a row holds several texts, and a token sees only those of its own number (Krell et al. 2021, arXiv
    2107.02027, section 3.2).

    Args:
        kind: A kind of attention with `causal`, such as `Full`.
        context: The batch's other entries; "padding_mask", "packed_ids" [B,T] and "query_positions" [B,F] are
            read.
        length: T, the number of keys.

    Returns:
        The mask [B,1,1,T] or [B|1,1,F,T], bool; F is T, or the number of "query_positions". None where
        every token sees all.
    """
    mask, packed, positions = (context.get(name) for name in ("padding_mask", "packed_ids", "query_positions"))
    masks = [] if mask is None else [ops.cast(mask, "bool")[:, None, None, :]]
    if packed is not None:
        querying = gather_positions(packed[:, :, None], positions)[:, :, 0]
        masks.append(ops.equal(querying[:, None, :, None], packed[:, None, None, :]))
    if kind.causal:
        keys = ops.arange(length, dtype="int32")[None]
        by_row = positions is not None and len(positions.shape)
        queries = positions if by_row else gather_positions(keys[:, :, None], positions)[:, :, 0]
        masks.append(keys[:, None, None, :] <= queries[:, None, :, None])  # type: ignore[index]
    return reduce(ops.logical_and, masks) if masks else None

"""Attention by content, by distance and by segment (Dai et al. 2019, section 3.3; Yang et al. 2019, section 2.4).

Shapes: B batch, T tokens, S remembered tokens before them, K = S + T keys, M targets, D hidden, N heads, H per head.
"""

from functools import reduce
from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds.values import from_json, to_json
from bertkit.layers.attention import EXACT, attend
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import truncated_normal


@keras.saving.register_keras_serializable("bertkit")
class RelativeAttention(ConfiguredLayer):
    """Attention whose scores depend on content, on distance and on segment.

    scoreᵢⱼ = ((qᵢ + u)·kⱼ + (qᵢ + v)·W_r R(S + i − j) + (qᵢ + w)·s[segmentᵢ ≠ segmentⱼ]) / √H.

    Dai et al. 2019, section 3.3; the third term, absent where the batch has no segments: Yang et al. 2019, section 2.5.
    call(x [B,T,D], context) -> [B,T,D], or (y, probabilities [B,N,T,K]) when traced. No array is larger than
    [B,N,T,K+T].

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Relative`, or its JSON.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when D is odd.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, index: int = 0, **options: Any) -> None:
        super().__init__(config, **options)
        config = self.config
        if config.hidden_dim % 2:
            raise Error(f"hidden_dim={config.hidden_dim} is odd; give an even number, for as many sines as cosines.")
        self.kind, self.index, self.shape = from_json(kind), index, (config.num_heads, config.head_dim)
        self.query, self.key, self.value, self.place = (
            self.projection(config, "btd,dnh->bnth", (config.num_heads, None, config.head_dim), name)
            for name in ("query", "key", "value", "place"))
        self.output_dense = self.projection(config, "bnth,dnh->btd", (None, config.hidden_dim), "output")
        self.drop = keras.layers.Dropout(config.attention_dropout, dtype=self.dtype_policy, name="probability_dropout")
        self.initializer = truncated_normal(config)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "kind": to_json(self.kind), "index": self.index}

    def projection(self, config: EncoderConfig, equation: str, shape: tuple[int | None, ...],
                   name: str) -> keras.layers.EinsumDense:
        """Make a projection without bias whose kernel is [D,N,H].

        Args:
            config: The encoder's `EncoderConfig`.
            equation: The einsum equation of the projection.
            shape: The shape of the output without the batch.
            name: The name of the projection.

        Returns:
            An EinsumDense layer.
        """
        return keras.layers.EinsumDense(equation, shape, kernel_initializer=truncated_normal(config), name=name,
                                        dtype=self.dtype_policy)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        for projection in (self.query, self.key, self.value, self.place):
            projection.build(shape)
        self.output_dense.build((None, self.shape[0], None, self.shape[1]))
        self.content_bias, self.place_bias, self.segment_bias = (
            self.add_weight(name=name, shape=self.shape, initializer=self.initializer)
            for name in ("content_bias", "place_bias", "segment_bias"))
        self.segments = self.add_weight(name="segments", shape=(2, *self.shape), initializer=self.initializer)

    def call(self, x: Any, context: dict[str, Any] | None = None, trace: bool = False, training: bool | None = None,
             masked_score: float = EXACT) -> Any:
        """Attend from each token to the tokens and memories that it may see.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries, by name. "mems" [B,S,D] come before the tokens, are of segment 0 and are
                never hidden by padding. "content" [B,T,D] is there where x is a query stream: keys and values are the
                content's, "target_mapping" [B,M,T] says where the M rows of x stand, and a token sees itself only where
                the masks let it.
            trace: Whether the attention probabilities are returned too.
            training: Whether dropout is applied; None leaves it to Keras.
            masked_score: The number that is added to the score of a hidden key.

        Returns:
            y [B,T,D], or (y, probabilities [B,N,T,K]) where `trace`.
        """
        context = context or {}
        content = context.get("content", x)
        targets = context["target_mapping"] if "content" in context else None
        keys = content if "mems" not in context else ops.concatenate([context["mems"], content], axis=1)
        before, query = ops.shape(keys)[1] - ops.shape(content)[1], self.query(x)
        if targets is not None:
            query = ops.einsum("bnmh,bmt->bnth", query, targets)
        bias = self.position_scores(query, before, training) + self.segment_scores(query, before, context)
        mixed, probabilities = attend(
            query + broadcast_bias(self.content_bias, query), self.key(keys), self.value(keys),
            bias=bias * self.shape[1] ** -0.5,
            mask=relative_attention_mask(self.kind, context, ops.shape(query)[2], before, itself=targets is None),
            drop=lambda p: self.drop(p, training=training), masked_score=masked_score)
        if targets is not None:
            mixed = ops.einsum("bnth,bmt->bnmh", mixed, targets)
        y = self.output_dense(mixed)
        return (y, probabilities) if trace else y

    def position_scores(self, query: Any, before: Any, training: bool | None) -> Any:
        """Compute (qᵢ + v)·W_r R(S + i − j), the scores by distance.

        Args:
            query: Queries [B,N,T,H].
            before: S, the number of remembered tokens.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The scores [B,N,T,K].
        """
        rows, length = ops.shape(query)[0], ops.shape(query)[2]
        distances = ops.arange(before + length, -length, -1, dtype="float32")
        if self.kind.clamp > 0:
            distances = ops.clip(distances, -self.kind.clamp, self.kind.clamp)
        distances = distances[None]
        if self.kind.mirrored:
            distances = distances * ops.where(ops.arange(rows) < rows // 2, 1.0, -1.0)[:, None]
        R = ops.cast(relative_sinusoids(distances, self.query.kernel.shape[0]), query.dtype)
        places = self.place(self.drop(R, training=training))
        return relative_shift(content_scores(query + broadcast_bias(self.place_bias, query), places))

    def segment_scores(self, query: Any, before: Any, context: dict[str, Any]) -> Any:
        """Compute (qᵢ + w)·s[segmentᵢ ≠ segmentⱼ], the scores by segment.

        Args:
            query: Queries [B,N,T,H].
            before: S, the number of remembered tokens.
            context: The batch's other entries; "segment_ids" [B,T] are read.

        Returns:
            The scores [B,N,T,K], or 0 where there are no segments.
        """
        segments = context.get("segment_ids")
        if segments is None:
            return 0
        vectors = ops.cast(ops.swapaxes(self.segments, 0, 1)[None], query.dtype)
        scores = content_scores(query + broadcast_bias(self.segment_bias, query), vectors)
        keys = ops.concatenate([ops.zeros((ops.shape(segments)[0], before), segments.dtype), segments], axis=1)
        other = ops.not_equal(segments[:, None, :, None], keys[:, None, None, :])
        return ops.where(other, scores[..., 1:], scores[..., :1])


def broadcast_bias(bias: Any, query: Any) -> Any:
    """Return a bias in the form in which it can be added to each token of a query, in its dtype.

    Args:
        bias: [N,H].
        query: Queries [B,N,T,H].

    Returns:
        [N,1,H].
    """
    return ops.cast(bias, query.dtype)[:, None]


def content_scores(query: Any, keys: Any) -> Any:
    """Compute qᵢ·kⱼ.

    Keys for all rows are repeated, because TensorFlow 2.21 on oneDNN writes out of bounds where it broadcasts one
    matrix against [B,1,T,H]; it is also a quarter faster so.

    Args:
        query: Queries [B,N,T,H].
        keys: Keys [B|1,N,P,H].

    Returns:
        The products [B,N,T,P].
    """
    keys = ops.broadcast_to(keys, (ops.shape(query)[0], *ops.shape(keys)[1:]))
    return ops.matmul(query, ops.swapaxes(keys, -1, -2))


def relative_sinusoids(distances: Any, width: int) -> Any:
    """Compute R(δ) = [sin(δ ω₀) … , cos(δ ω₀) …], ω_k = 10000^(−2k/D).

    Vaswani et al. 2017, section 3.5, with the sines before the cosines (Dai et al. 2019's code).

    Args:
        distances: float [...].
        width: D, the number of features, even.

    Returns:
        float32 [...,D].

    Example:
        >>> [round(float(y), 4) for y in relative_sinusoids(ops.array([1.0]), 4)[0]]
        [0.8415, 0.01, 0.5403, 0.9999]
    """
    frequencies = 10000.0 ** (-ops.arange(0, width, 2, dtype="float32") / width)
    angles = distances[..., None] * frequencies
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)


def relative_shift(x: Any) -> Any:
    """Turn scores by distance K … 1 − T into scores by key: y[i, j] = x[i, T − i + j] for j < K.

    Without its first row and read in rows that are one shorter, x slides by one place a row (Dai et al. 2019, appendix
    B).

    Args:
        x: Scores [B,N,T,K+T].

    Returns:
        Scores [B,N,T,K].

    Example:
        >>> x = ops.reshape(ops.arange(8), (1, 1, 2, 4))        # T = 2, K = 2: the distances 2, 1, 0, -1 of each query
        >>> [[int(y) for y in row] for row in relative_shift(x)[0, 0]]
        [[2, 3], [5, 6]]
    """
    rows, heads, length, both = ops.shape(x)
    flat = ops.reshape(x, (rows, heads, both, length))[:, :, 1:]
    return ops.reshape(flat, (rows, heads, length, both - 1))[..., :both - length]


def relative_attention_mask(kind: Any, context: dict[str, Any], length: Any, before: Any, itself: bool) -> Any:
    """Make the mask, 1 where token i may see key j.

    Padding and the batch's "permutation_mask" [B,T,T] (1: hidden) never hide memories, nor a token from itself where
    `itself`. A causal kind hides later keys, and one with `same_length` the first i.

    Args:
        kind: The kind, a `Relative`.
        context: The batch's other entries; "padding_mask" and "permutation_mask" are read.
        length: T, the number of tokens.
        before: S, the number of remembered tokens.
        itself: Whether a token always sees itself.

    Returns:
        The mask bool [B|1,1,T,K], or None where every token sees all.
    """
    places, keys = ops.arange(length)[:, None], ops.arange(before + length)[None] - before
    masks = []
    if context.get("padding_mask") is not None:
        masks.append(ops.cast(context["padding_mask"], "bool")[:, None, :])
    if context.get("permutation_mask") is not None:
        masks.append(ops.equal(context["permutation_mask"], 0))
    masks = [ops.concatenate([ops.ones((*ops.shape(mask)[:2], before), "bool"), mask], axis=2) for mask in masks]
    if masks and itself:
        masks = [ops.logical_or(reduce(ops.logical_and, masks), places == keys)]
    if kind.causal:
        masks.append((keys <= places)[None])
    if kind.causal and kind.same_length:
        masks.append((keys + before >= places)[None])
    return reduce(ops.logical_and, masks)[:, None] if masks else None

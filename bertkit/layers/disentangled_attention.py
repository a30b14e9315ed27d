"""Attention in which content and distance score each other (He et al. 2020, DeBERTa; He et al. 2021, DeBERTa-v3).

Shapes: B batch, T tokens, F tokens that ask, R vectors of distances, D hidden, N heads, H per head.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Full
from bertkit.kinds.values import from_json, to_json
from bertkit.layers.attention import Attend, SelfAttention, attention_mask
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import truncated_normal
from bertkit.layers.relative_attention import relative_shift


@keras.saving.register_keras_serializable("bertkit")
class DistanceVectors(ConfiguredLayer):
    """The vectors of distances, normalised, and which of them each distance has; call(token_ids [B,T]) -> a dict.

    P = LayerNorm(table); the distance d has row k + bucket(d) of P, within 0 and 2k − 1, where k is the kind's `span`.

    He et al. 2020, section 3.1, equation 3; the norm and the buckets are those of the code of DeBERTa-v2. It is
    computed once for all blocks.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Disentangled`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, **options)
        config, self.kind = self.config, from_json(kind)
        self.norm = None
        if self.kind.norm:
            self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="norm",
                                                        dtype=self.dtype_policy)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "kind": to_json(self.kind)}

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        shape = (2 * self.kind.span, self.config.hidden_dim)
        self.table = self.add_weight(name="embeddings", shape=shape, initializer=truncated_normal(self.config))
        if self.norm is not None:
            self.norm.build(shape)

    def call(self, token_ids: Any) -> dict[str, Any]:
        """Return the vectors of distances and their rows.

        Args:
            token_ids: int [B,T], of which only T is read.

        Returns:
            {"vectors": P [R,D], "rows": the row int32 [2T + 1] of each distance from −T to T}.
        """
        vectors = ops.cast(self.table, self.compute_dtype)
        length, span = ops.shape(token_ids)[1], self.kind.span
        buckets = log_buckets(self.kind.buckets, self.kind.farthest)
        farthest = len(buckets) // 2
        distances = ops.clip(ops.arange(-length, length + 1), -farthest, farthest)
        rows = ops.take(ops.convert_to_tensor(buckets), distances + farthest, axis=0)
        return {"vectors": vectors if self.norm is None else self.norm(vectors),
                "rows": ops.clip(rows + span, 0, 2 * span - 1)}


@keras.saving.register_keras_serializable("bertkit")
class DisentangledAttention(SelfAttention):
    """Attention whose scores are of content with content, of content with distance, and of distance with content.

    scoreᵢⱼ = (qᵢ·kⱼ + qᵢ·K P[i − j] + kⱼ·Q P[i − j]) / √(3H), over all real tokens.

    He et al. 2020, equation 4; Q and K project the vectors of distances P as they do content (He et al. 2021), or are
    matrices of their own. With one of the two other terms alone the root is of 2H. No array is larger than [B,N,T,2T].

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Disentangled`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, kind, **options)
        self.place_drop = keras.layers.Dropout(self.config.dropout, dtype=self.dtype_policy, name="place_dropout")

    def add_projections(self, config: EncoderConfig) -> None:
        """Make the layers from x to queries, keys and values, from the mixed values to the output, and from distances.

        Args:
            config: The encoder's `EncoderConfig`.
        """
        super().add_projections(config)
        own, units = not self.kind.shared, self.num_heads * self.head_dim
        self.place_key = self.dense(config, "place_key", units) if own and self.kind.to_places else None
        self.place_query = self.dense(config, "place_query", units) if own and self.kind.from_places else None

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        super().build(shape)
        for projection in (self.place_key, self.place_query):
            if projection is not None:
                projection.build(shape)

    def with_draws(self, query: Any, context: dict[str, Any], training: bool | None) -> dict[str, Any]:
        """Return the context with dropout on the vectors of distances.

        Args:
            query: Queries [B,N,F,H].
            context: The batch's other entries, by name, and "distances" of `DistanceVectors`.
            training: Whether the call is one of training.

        Returns:
            The context that `mix` gets.

        Raises:
            Error: when the context has no distances, which an encoder gives its blocks.
        """
        if "distances" not in context:
            raise Error(f"{self.name} got no distances in its context; an encoder gives them to its blocks, so call "
                        "the layer with context={\"distances\": DistanceVectors(config, kind)(token_ids)}.")
        distances = context["distances"]
        return {**context, "distances": {**distances, "vectors": self.place_drop(distances["vectors"],
                                                                                 training=training)}}

    def mix(self, query: Any, key: Any, value: Any, context: dict[str, Any], trace: bool,
            attention: Attend) -> tuple[Any, Any]:
        """Mix the values of all real tokens.

        Args:
            query: Queries [B,N,F,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`), and "distances".
            trace: Whether the attention probabilities are returned too.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,F,H], and the probabilities [B,N,F,T].
        """
        positions = context.get("query_positions")
        if positions is not None and len(positions.shape) == 0:
            positions = ops.zeros((1, 1), "int32")
        terms = []
        if self.kind.to_places:                 # columns: the distances T … 1 − T
            places = self.of_distances(self.place_key or self.key, context["distances"])[:, :, :0:-1]
            terms.append(by_distance(query, places, positions))
        if self.kind.from_places:               # columns: the distances −T … T − 1, of a query from a key
            places = self.of_distances(self.place_query or self.query, context["distances"])[:, :, :-1]
            terms.append(from_keys(key, places, positions))
        count = 1 + len(terms)
        bias = sum(terms) * (count * self.head_dim) ** -0.5 if terms else None
        mask = attention_mask(Full(), context, ops.shape(key)[2])
        return attention(query * count ** -0.5, key, value, mask=mask, bias=bias)

    def of_distances(self, projection: Any, distances: dict[str, Any]) -> Any:
        """Project the vectors of distances: [1,N,2T + 1,H], from −T to T.

        Distances that share a vector are projected once, unless there are fewer distances than vectors.

        Args:
            projection: A Dense layer.
            distances: What `DistanceVectors` gives.

        Returns:
            Their keys or queries.
        """
        vectors, rows = distances["vectors"], distances["rows"]
        count = ops.shape(rows)[0]
        if isinstance(count, int) and count < vectors.shape[0]:
            return self.split(projection(ops.take(vectors, rows, axis=0)[None]))
        return ops.take(self.split(projection(vectors[None])), rows, axis=2)


def by_distance(query: Any, places: Any, positions: Any = None) -> Any:
    """Compute qᵢ·place[i − j] for each key j.

    Args:
        query: Queries [B,N,F,H].
        places: The keys of the distances T … 1 − T [1,N,2T,H].
        positions: Positions of the queries int [B|1,F]; None for all of 0 … T − 1.

    Returns:
        The scores [B,N,F,T].
    """
    scores = ops.matmul(query, ops.swapaxes(places, -1, -2))
    if positions is None:
        return relative_shift(scores)
    length = ops.shape(places)[2] // 2
    columns = length - positions[:, None, :, None] + ops.arange(length, dtype="int32")
    return _picked(scores, columns)


def from_keys(key: Any, places: Any, positions: Any = None) -> Any:
    """Compute kⱼ·place[i − j] for each query i.

    Args:
        key: Keys [B,N,T,H].
        places: The queries of the distances −T … T − 1 [1,N,2T,H].
        positions: Positions of the queries int [B|1,F]; None for all of 0 … T − 1.

    Returns:
        The scores [B,N,F,T].
    """
    scores = ops.matmul(key, ops.swapaxes(places, -1, -2))
    if positions is None:
        return ops.swapaxes(relative_shift(scores), -1, -2)
    length = ops.shape(key)[2]
    columns = length - ops.arange(length, dtype="int32")[:, None] + positions[:, None, None, :]
    return ops.swapaxes(_picked(scores, columns), -1, -2)


def _picked(scores, columns):
    """Return the scores [B,N,F,K] of columns int [B|1,1,F,K]."""
    shape = (*ops.shape(scores)[:3], ops.shape(columns)[3])
    return ops.take_along_axis(scores, ops.broadcast_to(ops.cast(columns, "int32"), shape), axis=-1)


def log_buckets(buckets: int | None, farthest: int) -> np.ndarray:
    """Return the bucket of each distance, as far as buckets go on.

    With m = buckets / 2: d where |d| ≤ m, else sign(d) · (m + ⌈ln(|d| / m) / ln((farthest − 1) / m) · (m − 1)⌉).

    Args:
        buckets: The number of buckets of one side; None for d itself.
        farthest: The number of tokens of a row in which the last distance has the last bucket.

    Returns:
        int32 [2n + 1], for the distances −n … n; larger ones have the bucket of n, or are beyond all vectors.

    Raises:
        Error: when `farthest` is so small that there is nothing to share.

    Example:
        >>> log_buckets(4, 9).tolist()
        [-4, -3, -3, -3, -3, -3, -3, -2, -1, 0, 1, 2, 3, 3, 3, 3, 3, 3, 4]
    """
    if buckets is None:
        return np.arange(-farthest, farthest + 1, dtype="int32")
    half = buckets // 2
    if farthest - 1 <= half:
        raise Error(f"Disentangled(buckets={buckets}, farthest={farthest}): distances up to {half} have buckets of "
                    "their own; give a larger farthest, or buckets=None.")
    # float32 as in the reference: a distance on the edge of a bucket must fall on the same side
    most = max(farthest, buckets)
    ratio = np.log(np.maximum(np.arange(2 * most), half).astype("float32") / np.float32(half))
    shared = np.ceil(ratio / np.log(np.float32((farthest - 1) / half)) * np.float32(half - 1)).astype("int32") + half
    ahead = np.where(np.arange(2 * most) <= half, np.arange(2 * most), shared)
    last = int(np.argmax(ahead >= buckets)) if (ahead >= buckets).any() else len(ahead) - 1
    return np.concatenate([-ahead[last:0:-1], ahead[:last + 1]]).astype("int32")

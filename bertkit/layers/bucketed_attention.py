"""Attention whose scores have a learned bias by distance (Raffel et al. 2020, T5; Song et al. 2020, MPNet).

Shapes: B batch, T tokens, F tokens that ask, N heads, H per head.
"""

import math
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


@keras.saving.register_keras_serializable("bertkit")
class DistanceBias(ConfiguredLayer):
    """The bias of each pair of places, by the bucket of their distance; call(token_ids [B,T]) -> [1,N,T,T].

    biasₙᵢⱼ = table[bucket(j − i), n] (Raffel et al. 2020, section 2.1). It is computed once for all blocks.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Bucketed`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when the farthest distance is so near that distances with buckets of their own reach it.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, **options)
        self.kind = from_json(kind)
        self.places = distance_buckets(self.kind.buckets, self.kind.farthest)

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
        self.table = self.add_weight(name="embeddings", shape=(self.kind.buckets, self.config.num_heads),
                                     initializer=truncated_normal(self.config))

    def call(self, token_ids: Any) -> Any:
        """Return the bias of each pair of places.

        Args:
            token_ids: int [B,T], of which only T is read.

        Returns:
            The biases [1,N,T,T], for queries and keys.
        """
        farthest, places = self.kind.farthest, ops.arange(ops.shape(token_ids)[1])
        by_distance = ops.take(ops.cast(self.table, self.compute_dtype), self.places, axis=0)
        distances = ops.clip(places[None] - places[:, None], -farthest, farthest) + farthest
        return ops.transpose(ops.take(by_distance, distances, axis=0), (2, 0, 1))[None]


@keras.saving.register_keras_serializable("bertkit")
class BucketedAttention(SelfAttention):
    """Attention with a bias by distance, which the context of the block holds as "distances".

    softmax(Q Kᵀ / √H + bias) V, over all real tokens (Song et al. 2020, MPNet, section 2.3 and its code).

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Bucketed`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def mix(self, query: Any, key: Any, value: Any, context: dict[str, Any], trace: bool,
            attention: Attend) -> tuple[Any, Any]:
        """Mix the values of all real tokens.

        Args:
            query: Queries [B,N,F,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`), and "distances" [1,N,T,T].
            trace: Whether the attention probabilities are returned too.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,F,H], and the probabilities [B,N,F,T].

        Raises:
            Error: when the context has no distances, which an encoder gives its blocks.
        """
        if "distances" not in context:
            raise Error(f"{self.name} got no distances in its context; an encoder gives them to its blocks, so call "
                        "the layer with context={\"distances\": DistanceBias(config, kind)(token_ids)}.")
        bias = rows_of(context["distances"], context.get("query_positions"))
        return attention(query, key, value, mask=attention_mask(Full(), context, ops.shape(key)[2]), bias=bias)


def rows_of(bias: Any, positions: Any) -> Any:
    """Pick the rows of a bias that belong to some queries.

    Args:
        bias: The bias of all queries [1,N,T,T].
        positions: Positions of queries int [B,F]; a scalar for the first token; None for all.

    Returns:
        The bias [B|1,N,F,T].
    """
    if positions is None:
        return bias
    if len(positions.shape) == 0:
        return bias[:, :, :1]
    return ops.transpose(ops.take(bias[0], positions, axis=1), (1, 0, 2, 3))


def distance_buckets(buckets: int, farthest: int) -> np.ndarray:
    """Return the bucket of each distance from a query to a key, from −farthest to farthest.

    With b = buckets / 2 and e = b / 2, n tokens back are in bucket n where n < e, and otherwise in bucket
    min(b − 1, e + ⌊ln(n / e) / ln(farthest / e) · (b − e)⌋); n tokens ahead are b buckets later.

    Args:
        buckets: The number of buckets.
        farthest: The largest distance.

    Returns:
        int32 [2 · farthest + 1].

    Raises:
        Error: when `farthest` is not above e.

    Example:
        >>> distance_buckets(8, 5)
        array([3, 3, 2, 2, 1, 0, 5, 6, 6, 7, 7], dtype=int32)
    """
    half = buckets // 2
    exact = half // 2
    if exact < 1 or farthest <= exact:
        raise Error(f"Bucketed(buckets={buckets}, farthest={farthest}): distances below {exact} have buckets of their "
                    "own; give 4 buckets or more and a farthest distance above that.")
    distances = np.arange(-farthest, farthest + 1)
    # float32 as in the reference: a distance on the edge of a bucket must fall on the same side
    ratio = np.log(np.maximum(np.abs(distances), 1).astype("float32") / np.float32(exact))
    shared = exact + (ratio / np.float32(math.log(farthest / exact)) * np.float32(half - exact)).astype("int32")
    own = np.where(np.abs(distances) < exact, np.abs(distances), np.minimum(shared, half - 1))
    return (own + half * (distances > 0)).astype("int32")

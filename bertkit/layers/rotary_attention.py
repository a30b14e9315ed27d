"""Attention whose queries and keys are turned by where they stand (Su et al. 2021; Warner et al. 2024, ModernBERT).

Shapes: B batch, T tokens, D hidden, N heads, H per head.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Full
from bertkit.layers.attention import Attend, SelfAttention, attention_mask
from bertkit.layers.gather import gather_positions
from bertkit.layers.window_attention import LEAST, attend_nearby, can_see, has_near


@keras.saving.register_keras_serializable("bertkit")
class RotaryAttention(SelfAttention):
    """Attention whose queries and keys are rotated by their positions.

    softmax(R(p) Q (R(p) K)ᵀ / √H) V, over all real tokens or those of a window; [q | k | v] = x W + b.

    Su et al. 2021, equation 16; Warner et al. 2024, sections 2.1.1 and 2.1.2. The positions p are "position_ids" of the
    batch [B,T], or 0 to T − 1; a window counts places in the row, whatever their positions. The config's `qkv_bias`
    holds for the output too. A window takes time and memory linear in T, unless the row is short or traced.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Rotary`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when a head has an odd number of features.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, kind, **options)
        if self.head_dim % 2:
            raise Error(f"Rotary attention turns pairs of features, and a head has {self.head_dim} of them; give an "
                        "even number.")

    def add_projections(self, config: EncoderConfig) -> None:
        """Make the layer from x to queries, keys and values, and the one from the mixed values to the output.

        Args:
            config: The encoder's `EncoderConfig`.
        """
        self.qkv = self.dense(config, "qkv", 3 * self.num_heads * self.head_dim, config.qkv_bias)
        self.output_dense = self.dense(config, "output", config.hidden_dim, config.qkv_bias)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        self.qkv.build(shape)
        self.output_dense.build((*shape[:-1], self.num_heads * self.head_dim))

    def project(self, x: Any, context: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Compute the queries, keys and values, with queries and keys rotated by their positions.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries; "position_ids" [B,T] and "query_positions" [B,F] are read.

        Returns:
            The query [B,N,F,H], the key and the value [B,N,T,H]; F is T, or the number of "query_positions".
        """
        query, key, value = (self.split(part) for part in ops.split(self.qkv(x), 3, axis=-1))
        angles = rotary_angles(context.get("position_ids"), ops.shape(x)[1], self.head_dim, self.kind.base)
        query, positions = rotate(query, angles), context.get("query_positions")
        if positions is not None:
            query = self.split(gather_positions(self.merge(query), positions))
        return query, rotate(key, angles), value

    def mix(self, query: Any, key: Any, value: Any, context: dict[str, Any], trace: bool,
            attention: Attend) -> tuple[Any, Any]:
        """Mix the values of all real tokens, or of those in the window.

        Args:
            query: Queries [B,N,F,H]; F is T where there is a window.
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,F,H], and the probabilities [B,N,F,T], or None where a window was computed in blocks.
        """
        length, window = ops.shape(key)[2], self.kind.window
        mask = attention_mask(Full(), context, length)
        if window is None:
            return attention(query, key, value, mask=mask)
        if not (trace or isinstance(length, int) and length <= 3 * max(window, LEAST)):
            seen = ops.ones((1, length), "bool") if mask is None else mask[:, 0, 0]
            mixed = attend_nearby(query, key, value, seen, window, attention)
            # Padding far from every real token weighs all values alike, as a softmax of equal scores does.
            lost = ops.logical_not(has_near(seen, window))[:, None, :, None]
            return ops.where(lost, ops.mean(value, axis=2, keepdims=True), mixed), None
        near = can_see(ops.arange(length)[:, None], ops.arange(length), window)
        return attention(query, key, value, mask=near if mask is None else ops.logical_and(near, mask))


def rotary_angles(position_ids: Any, length: Any, features: int, base: float) -> Any:
    """Compute the angles p · base^(−2k/H), k < H/2, of positions.

    Args:
        position_ids: [B,T], or None for 0 to T − 1.
        length: T, the number of tokens.
        features: H, the features of a head.
        base: The base of the angles.

    Returns:
        The angles in radians, float32 [B|1,1,T,H/2].

    Example:
        >>> [[round(float(y), 2) for y in row] for row in rotary_angles(None, length=3, features=4, base=100.0)[0, 0]]
        [[0.0, 0.0], [1.0, 0.1], [2.0, 0.2]]
    """
    frequencies = (float(base) ** -(np.arange(0, features, 2) / features)).astype("float32")
    positions = ops.arange(length)[None] if position_ids is None else position_ids
    return ops.cast(positions, "float32")[:, None, :, None] * frequencies


def rotate(x: Any, angles: Any) -> Any:
    """Rotate each pair of features by its angle (Su et al. 2021, equation 34).

    A pair is (k, k + H/2), as in the code of ModernBERT, not (2k, 2k + 1). Angles stay at least float32, since bfloat16
    cannot tell the positions of a long text apart.

    Args:
        x: Queries or keys [B,N,T,H].
        angles: The angles in radians, float32 [B|1,1,T,H/2].

    Returns:
        A tensor [B,N,T,H].

    Example:
        >>> angle = ops.full((1, 1, 1, 1), np.pi / 4)
        >>> [round(float(y), 4) for y in rotate(ops.array([[[[1.0, 0.0]]]]), angle)[0, 0, 0]]
        [0.7071, 0.7071]
    """
    precise = keras.backend.result_type(x.dtype, "float32")
    first, second = ops.split(ops.cast(x, precise), 2, axis=-1)
    cos, sin = ops.cast(ops.cos(angles), precise), ops.cast(ops.sin(angles), precise)
    return ops.cast(ops.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1), x.dtype)

"""Rotary attention in which several heads of queries share a head of keys and values (Ainslie et al. 2023).

Shapes: B batch, T tokens, D hidden, N heads of queries, K heads of keys and values, H per head.
"""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.kinds import Full
from bertkit.layers.attention import Attend, SelfAttention, attention_mask
from bertkit.layers.gather import gather_positions
from bertkit.layers.rotary_attention import rotary_angles, rotate


@keras.saving.register_keras_serializable("bertkit")
class GroupedAttention(SelfAttention):
    """Attention whose heads share keys and values in groups, with queries and keys rotated by their positions.

    Head n: softmax(R(p) Qₙ (R(p) Kₘ)ᵀ / √H) Vₘ, m = ⌊n · K / N⌋, over all real tokens.

    Ainslie et al. 2023 (arXiv 2305.13245), section 2.2; Su et al. 2021, equation 16. The positions p are "position_ids"
    of the batch [B,T], or 0 to T − 1. The config's `qkv_bias` holds for the output too.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind, a `Grouped`, or its JSON.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when a head has an odd number of features, or the heads cannot share keys and values evenly.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, **options: Any) -> None:
        super().__init__(config, kind, **options)
        if self.head_dim % 2:
            raise Error(f"Rotary attention turns pairs of features, and a head has {self.head_dim} of them; give an "
                        "even number.")

    def add_projections(self, config: EncoderConfig) -> None:
        """Make the layers from x to queries, keys and values, and from the mixed values to the output.

        Args:
            config: The encoder's `EncoderConfig`.

        Raises:
            Error: when the number of heads is not a multiple of the number of heads of keys.
        """
        self.key_heads = self.kind.key_heads or self.num_heads
        if self.num_heads % self.key_heads:
            raise Error(f"num_heads={self.num_heads} is not a multiple of key_heads={self.key_heads}; give heads that "
                        "share keys and values evenly.")
        self.query, self.key, self.value = (
            self.dense(config, name, heads * self.head_dim, config.qkv_bias)
            for name, heads in (("query", self.num_heads), ("key", self.key_heads), ("value", self.key_heads)))
        self.output_dense = self.dense(config, "output", config.hidden_dim, config.qkv_bias)

    def project(self, x: Any, context: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Compute the queries, and for each of them the keys and values of its group; queries and keys are rotated.

        Args:
            x: Token vectors [B,T,D].
            context: The batch's other entries; "position_ids" [B,T] and "query_positions" [B,F] are read.

        Returns:
            The query [B,N,F,H], the key and the value [B,N,T,H]; F is T, or the number of "query_positions".
        """
        angles = rotary_angles(context.get("position_ids"), ops.shape(x)[1], self.head_dim, self.kind.base)
        query, positions = rotate(self.split(self.query(x)), angles), context.get("query_positions")
        if positions is not None:
            query = self.split(gather_positions(self.merge(query), positions))
        return query, self.shared(rotate(self.split(self.key(x)), angles)), self.shared(self.split(self.value(x)))

    def split(self, x: Any) -> Any:
        """Split features into heads: [B,T,N·H] -> [B,N,T,H], and [B,T,K·H] -> [B,K,T,H].

        Args:
            x: Queries [B,T,N·H], or keys or values [B,T,K·H].

        Returns:
            A tensor [B,N|K,T,H].
        """
        heads = x.shape[-1] // self.head_dim
        return ops.transpose(ops.reshape(x, (-1, ops.shape(x)[1], heads, self.head_dim)), (0, 2, 1, 3))

    def shared(self, x: Any) -> Any:
        """Give each head of queries the keys or values of its group: [B,K,T,H] -> [B,N,T,H].

        Args:
            x: Keys or values [B,K,T,H].

        Returns:
            A tensor [B,N,T,H].
        """
        times = self.num_heads // self.key_heads
        return x if times == 1 else ops.repeat(x, times, axis=1)

    def mix(self, query: Any, key: Any, value: Any, context: dict[str, Any], trace: bool,
            attention: Attend) -> tuple[Any, Any]:
        """Mix the values of all real tokens.

        Args:
            query: Queries [B,N,F,H].
            key: Keys [B,N,T,H].
            value: Values [B,N,T,H].
            context: The batch's other entries, by name (see `bertkit.encoder`).
            trace: Whether the attention probabilities are returned too.
            attention: `attend` with this call's dropout and masked score.

        Returns:
            The values mixed [B,N,F,H], and the probabilities [B,N,F,T].
        """
        return attention(query, key, value, mask=attention_mask(Full(), context, ops.shape(key)[2]))

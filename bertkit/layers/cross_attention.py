"""Attention from a text that is written to the text that was read, and the block with this attention."""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.kinds import Full
from bertkit.layers.attention import SelfAttention, attend
from bertkit.layers.block import Block


@keras.saving.register_keras_serializable("bertkit")
class CrossAttention(SelfAttention):
    """Multi-head attention whose keys and values are another text's (Vaswani et al. 2017, section 3.2.3).

    call(x [B,U,D], context {"memory": (key, value) [B,N,T,H] each, of `source_keys_values`, "padding_mask" [B,T] of
    that text}) -> [B,U,D].

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind of attention, or its JSON.
        index: The number of the block, from 0.
    """

    def project(self, x: Any, context: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Compute the queries, and take the keys and values from the context.

        Args:
            x: Vectors of the text that is written, [B,U,D].
            context: "memory": (key, value) [B,N,T,H] each.

        Returns:
            The query [B,N,U,H], the key and the value.
        """
        key, value = context["memory"]
        return self.split(self.query(x)), key, value

    def source_keys_values(self, x: Any) -> tuple[Any, ...]:
        """Compute the key and the value of the text that is read.

        Args:
            x: Its vectors [B,T,D].

        Returns:
            The key and the value, [B,N,T,H] each.
        """
        return tuple(self.split(dense(x)) for dense in (self.key, self.value))


@keras.saving.register_keras_serializable("bertkit")
class DecoderBlock(Block):
    """A decoder block, with attention to the text itself and then to the text that was read.

    a = LayerNorm(x + attention(x)); c = LayerNorm(a + attention(a, memory)); y = LayerNorm(c + feed-forward(c));
    Vaswani et al. 2017, figure 1 right, dropout as in `Block`.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        index: The number of the block, from 0.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], index: int = 0, **options: Any) -> None:
        super().__init__(config, index, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.cross = CrossAttention(config, Full(), index, name="cross", **policy)
        self.cross_norm = keras.layers.LayerNormalization(
            epsilon=config.layer_norm_epsilon, name="cross_norm", **policy)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        super().build(shape)
        self.cross.build(shape)
        self.cross_norm.build(shape)

    def call(self, x: Any, context: dict[str, Any], memory: dict[str, Any],  # type: ignore[override]
             training: bool | None = None) -> Any:
        """Compute the block.

        Args:
            x: Vectors of the text that is written, [B,U,D].
            context: The context of the attention to the text itself.
            memory: The context of the attention to the other text.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            y [B,U,D].
        """
        return self.feed_forward(x, self.attention(x, context=context, training=training), memory, training)

    def step(self, x: Any, place: Any, past: Any, memory: dict[str, Any]) -> tuple[Any, Any]:
        """Compute the block for one more token.

        Args:
            x: The token's vector [B,1,D].
            place: Its position, a number.
            past: The keys and the values of the earlier tokens, [B,N,U,H] each.
            memory: The context of the attention to the other text.

        Returns:
            y [B,1,D], and the past with this token.
        """
        query, *new = self.attention.project(x, {})
        here = ops.arange(ops.shape(past[0])[2])
        past = tuple(ops.where((here == place)[None, None, :, None], part, old)
                     for part, old in zip(new, past, strict=True))
        mixed, _ = attend(query, *past, mask=(here <= place)[None, None, None, :])  # type: ignore[misc]
        return self.feed_forward(x, self.attention.output_dense(self.attention.merge(mixed)), memory), past

    def feed_forward(self, x: Any, attended: Any, memory: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the block above its attention to the text itself.

        Args:
            x: The block's input [B,U,D].
            attended: What that attention gave, [B,U,D].
            memory: The context of the attention to the other text.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            y [B,U,D].
        """
        a = self.attention_norm(x + self.drop(attended, training=training))
        crossed = self.cross(a, context=memory, training=training)
        c = self.cross_norm(a + self.drop(crossed, training=training))
        return self.output_norm(c + self.drop(self.feed(c, training), training=training))

"""Input whose token table is narrower than the encoder (Sun et al. 2020, MobileBERT, section 3.4)."""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.layers.bottleneck import TORCH_EPSILON
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.embeddings import add_segments_and_positions, embedding_table, position_layer
from bertkit.layers.initializer import truncated_normal
from bertkit.layers.norm import norm


@keras.saving.register_keras_serializable("bertkit")
class TrigramEmbeddings(ConfiguredLayer):
    """The vectors that enter the first block: each token beside its two neighbours, projected (MobileBERT).

    dropout(Norm(W [wᵢ₊₁; wᵢ; wᵢ₋₁] + b + W_segment[segments] + W_position[positions])), w = W_token[ids].

    Beyond the row's ends w is 0, and padding is a token like others. Without the kind's `neighbours` it is W wᵢ + b, or
    wᵢ as it is where E is D.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], **options: Any) -> None:
        super().__init__(config, **options)
        config = self.config
        policy, width = {"dtype": self.dtype_policy}, config.hidden_dim
        self.width = config.embedding_dim or width
        self.neighbours = config.inputs.neighbours
        self.projected = self.neighbours or self.width != width
        self.token = embedding_table(config, config.vocabulary_size, self.width, "token", **policy)
        self.projection = keras.layers.Dense(width, name="projection", kernel_initializer=truncated_normal(config),
                                             **policy)
        self.segment = (embedding_table(config, config.num_segments, width, "segment", **policy)
                        if config.num_segments else None)
        self.position = position_layer(config, width, **policy)
        self.norm = norm(config, "norm", TORCH_EPSILON, **policy)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", **policy)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of token_ids, (B, T).
        """
        for rows in (self.token, self.segment, self.position):
            if rows is not None:
                rows.build(shape)
        self.projection.build((*shape, (3 if self.neighbours else 1) * self.width))
        # The released code has it even where it is not used, and then leaves it as it began.
        self.projection.trainable = self.projected
        self.norm.build((*shape, self.projection.units))

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the vectors that enter the first block.

        Args:
            inputs: {"token_ids" int [B,T], "segment_ids" and "position_ids" [B,T] or none}.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,T,D].
        """
        x = self.token(inputs["token_ids"])
        if self.neighbours:
            padded = ops.pad(x, ((0, 0), (1, 1), (0, 0)))
            x = ops.concatenate([padded[:, 2:], x, padded[:, :-2]], axis=-1)
        x = self.projection(x) if self.projected else x
        x = add_segments_and_positions(x, inputs, self.segment, self.position)
        return self.drop(self.norm(x), training=training)

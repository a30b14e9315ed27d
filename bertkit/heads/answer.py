"""A head with a block of its own, whose answers are never in the question (Zaheer et al. 2020, BigBird)."""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.heads.defaults import question_mask
from bertkit.heads.head_layer import HeadLayer
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.initializer import truncated_normal

# The code of Zaheer et al. 2020 subtracts this from the logits of the question's tokens.
BARRED = 1e6


@keras.saving.register_keras_serializable("bertkit")
class AnswerHead(HeadLayer):
    """The head of BigBird: logits = W LayerNorm(x + dropout(W₂ act(W₁ dropout(x)))), [B,T,2]; see `kinds.Answer`.

    The logits of the question's tokens are lowered, except at the first token, which stands for no answer (Zaheer et
    al. 2020).

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind of head (see `bertkit.kinds`), or its JSON.
        outputs: The number of logits; None where the kind determines it.
        dropout: The rate of dropout, a probability.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, outputs: int | None, dropout: float | None,
                 **options: Any) -> None:
        super().__init__(config, kind, outputs, dropout, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.activation = FUNCTIONS[config.activation]
        self.inner, self.outer = (
            keras.layers.Dense(width, kernel_initializer=truncated_normal(config), name=name, **policy)
            for name, width in (("inner", config.intermediate_dim), ("outer", config.hidden_dim)))
        self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="norm", **policy)
        self.drop = keras.layers.Dropout(dropout, name="dropout", **policy)
        self.logits = keras.layers.Dense(outputs, kernel_initializer=truncated_normal(config), name="logits", **policy)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        self.inner.build(shape)
        self.outer.build((*shape[:-1], self.inner.units))
        for layer in (self.norm, self.logits):
            layer.build((*shape[:-1], self.outer.units))

    def call(self, outputs: dict[str, Any], inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits of each token as the start and as the end of the answer.

        Args:
            outputs: The encoder's outputs; "sequence" [B,T,D] is read.
            inputs: The batch; "token_ids" int [B,T] are read.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,T,2].
        """
        x = outputs["sequence"]
        fed = self.outer(self.activation(self.inner(self.drop(x, training=training))))
        logits = self.logits(self.norm(x + self.drop(fed, training=training)))
        barred = question_mask(inputs["token_ids"], self.config)
        first = ops.arange(ops.shape(barred)[1]) == 0
        lowered = ops.logical_and(barred, ops.logical_not(first))[:, :, None]
        return ops.where(lowered, ops.cast(ops.cast(logits, "float32") - BARRED, logits.dtype), logits)

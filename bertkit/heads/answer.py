"""Answers read off a block of the head's own, and never in the question (Zaheer et al. 2020, BigBird)."""

import keras
from keras import ops

from bertkit.heads.defaults import question
from bertkit.heads.head_layer import HeadLayer
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.initializer import truncated_normal

# What the code of Zaheer et al. 2020 takes off the logits of the question's tokens.
BARRED = 1e6


@keras.saving.register_keras_serializable("bertkit")
class AnswerHead(HeadLayer):
    """logits = W LayerNorm(x + dropout(W₂ act(W₁ dropout(x)))), see `kinds.Answer`; [B,T,2].

    Those of the question are lowered, save at the first token, which stands for no answer.
    """

    def __init__(self, config, kind, outputs, dropout, **options):
        super().__init__(config, kind, outputs, dropout, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.activation = FUNCTIONS[config.activation]
        self.inner, self.outer = (
            keras.layers.Dense(width, kernel_initializer=truncated_normal(config), name=name, **policy)
            for name, width in (("inner", config.intermediate_dim), ("outer", config.hidden_dim)))
        self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="norm", **policy)
        self.drop = keras.layers.Dropout(dropout, name="dropout", **policy)
        self.logits = keras.layers.Dense(outputs, kernel_initializer=truncated_normal(config), name="logits", **policy)

    def build(self, shape):
        self.inner.build(shape)
        self.outer.build((*shape[:-1], self.inner.units))
        for layer in (self.norm, self.logits):
            layer.build((*shape[:-1], self.outer.units))

    def call(self, found, inputs, training=None):
        x = found["sequence"]
        fed = self.outer(self.activation(self.inner(self.drop(x, training=training))))
        logits = self.logits(self.norm(x + self.drop(fed, training=training)))
        barred = question(inputs["token_ids"], self.config)
        first = ops.arange(ops.shape(barred)[1]) == 0
        lowered = ops.logical_and(barred, ops.logical_not(first))[:, :, None]
        return ops.where(lowered, ops.cast(ops.cast(logits, "float32") - BARRED, logits.dtype), logits)

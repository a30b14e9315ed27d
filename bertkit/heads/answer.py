"""Answers read off a block of the head's own, and never in the question (Zaheer et al. 2020, BigBird)."""

import keras
from keras import ops

from bertkit.heads.defaults import question
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.initializer import truncated_normal

# What the code of Zaheer et al. 2020 takes off the logits of the question's tokens.
BARRED = 1e6


class AnswerHead(keras.layers.Layer):
    """logits = W LayerNorm(x + dropout(W₂ act(W₁ dropout(x)))), see `kinds.Answer`; [B,T,2].

    Those of the question are lowered, save at the first token, which stands for no answer.
    """

    def __init__(self, encoder, kind, outputs, dropout, **options):
        super().__init__(**options)
        config, policy = encoder.config, {"dtype": self.dtype_policy}
        self.config, self.activation = config, FUNCTIONS[config.activation]
        self.inner, self.outer = (
            keras.layers.Dense(width, kernel_initializer=truncated_normal(config), name=name, **policy)
            for name, width in (("inner", config.intermediate_dim), ("outer", config.hidden_dim)))
        self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="norm", **policy)
        self.drop = keras.layers.Dropout(dropout, name="dropout", **policy)
        self.logits = keras.layers.Dense(outputs, kernel_initializer=truncated_normal(config), dtype="float32",
                                         name="logits")

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
        return logits - BARRED * ops.cast(ops.logical_and(barred, ops.logical_not(first)), logits.dtype)[:, :, None]

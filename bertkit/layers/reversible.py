"""Blocks whose inputs follow from the outputs (Gomez et al. 2017, arXiv 1707.04585; Kitaev et al. 2020, section 3)."""

import keras
from keras import ops

from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.attention import EXACT
from bertkit.layers.attentions import attention_layer
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.hash_attention import HashAttention
from bertkit.layers.initializer import truncated_normal
from bertkit.layers.norm import norm


@keras.saving.register_keras_serializable("bertkit")
class Twins(ConfiguredLayer):
    """The first state, x₁ = x₂ = the embeddings: call(x [B,T,D], inputs) -> {"first" [B,T,D], "hidden" [B,T,D]}."""

    def call(self, x, inputs=None):
        return {"first": x, "hidden": x}


@keras.saving.register_keras_serializable("bertkit")
class ReversibleBlock(ConfiguredLayer):
    """y₁ = x₁ + attention(LayerNorm(x₂));  y₂ = x₂ + W₂ act(W₁ LayerNorm(y₁) + b₁) + b₂, dropout before each sum.

    Kitaev et al. 2020, section 3. The state {"first": x₁, "hidden": x₂} [B,T,D] each; `context` as in
    `bertkit.encoder`, `index` counts blocks from 0. Returns the state, or (state, probabilities [B,N,T,T]) when traced.
    """

    def __init__(self, config, index=0, **options):
        super().__init__(config, **options)
        config, self.index, policy = self.config, index, {"dtype": self.dtype_policy}
        self.attention_norm, self.feed_norm = (norm(config, name, **policy) for name in ("attention_norm", "feed_norm"))
        self.attention = attention_layer(config, index, **policy)
        self.inner = keras.layers.Dense(config.intermediate_dim, name="inner", **policy,
                                        kernel_initializer=truncated_normal(config))
        self.activation = FUNCTIONS[config.activation]
        self.outer = keras.layers.Dense(config.hidden_dim, name="outer", **policy,
                                        kernel_initializer=truncated_normal(config))
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", **policy)

    def get_config(self):
        return {**super().get_config(), "index": self.index}

    def build(self, shape):
        for layer in (self.attention_norm, self.attention, self.feed_norm, self.inner):
            layer.build(shape)
        self.outer.build((*shape[:-1], self.inner.units))

    def call(self, x, context=None, trace=False, training=None, masked_score=EXACT):
        found = self.attend(x["hidden"], context or {}, trace, training, masked_score)
        attended, probabilities = found if trace else (found, None)
        first = x["first"] + attended
        state = {"first": first, "hidden": x["hidden"] + self.feed(first, training)}
        return (state, probabilities) if trace else state

    def attend(self, x, context, trace=False, training=None, masked_score=EXACT):
        """Return what is added to x₁, [B,T,D], or (it, probabilities) when traced."""
        found = self.attention(self.attention_norm(x), context=context, trace=trace, training=training,
                               masked_score=masked_score)
        attended, probabilities = found if trace else (found, None)
        attended = self.drop(attended, training=training)
        return (attended, probabilities) if trace else attended

    def feed(self, y, training=None):
        """Return what is added to x₂, [B,T,D]."""
        inner = self.activation(self.drop(self.inner(self.feed_norm(y)), training=training))
        return self.drop(self.outer(inner), training=training)

    def settle(self, x, context):
        """Return the context in training with what attention draws for x in it, so that `attend` can be repeated."""
        if isinstance(self.attention, HashAttention):
            return self.attention.settle(self.attention_norm(x), context)
        return context


@keras.saving.register_keras_serializable("bertkit")
class Joined(ConfiguredLayer):
    """dropout(LayerNorm([x₁; x₂])): call(state) -> [B,T,2D]."""

    def __init__(self, config, **options):
        super().__init__(config, **options)
        self.norm = norm(self.config, "norm", dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(self.config.dropout, name="dropout", dtype=self.dtype_policy)

    def build(self, shape):
        self.norm.build((*shape[:-1], self.config.output_dim))

    def call(self, state, training=None):
        x = ops.concatenate([state["first"], state["hidden"]], axis=-1)
        return self.drop(self.norm(x), training=training)


def together(steps, state, masked_score):
    """Return the state after all steps (block, context) in training.

    Where the backward pass can find a block's inputs from its outputs (TensorFlow; float32 or better, since half
    precision loses too much in y − f(x)), none of the activations inside the blocks are kept for it.
    """
    if keras.backend.backend() == "tensorflow" and keras.backend.standardize_dtype(state["hidden"].dtype) in (
            "float32", "float64"):
        from bertkit.layers.accelerated import reversible_tensorflow
        return reversible_tensorflow.together(steps, state, masked_score)
    for block, context in steps:
        state = block(state, context=context, training=True, masked_score=masked_score)
    return state

"""What heads read of an encoder's outputs, and how it becomes logits: one layer for each kind.

A head is made from (config, kind, outputs, dropout), and `token`, the encoder's table of tokens, where it reads words
off it; call({"sequence" [B,T,D], "pooled" [B,D]}, inputs=batch).
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.heads.answer import AnswerHead
from bertkit.heads.beam import BeamHead
from bertkit.heads.defaults import WATCHED
from bertkit.heads.head_layer import HeadLayer, WordHead
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal


def activation(config: EncoderConfig, name: str) -> Callable[[Any], Any]:
    """Return the function of an activation's name.

    Args:
        config: The encoder's `EncoderConfig`.
        name: The name of the activation; "encoder" takes that of the encoder.

    Returns:
        A function from a tensor to one of the same shape.
    """
    return FUNCTIONS[config.activation if name == "encoder" else name]


@keras.saving.register_keras_serializable("bertkit")
class PredictionHead(HeadLayer):
    """A head with logits = W dropout(norm(act(W' dropout(reduce(tokens))))) + b; see `kinds.HeadConfig`.

    With the kind's `beside_first` reduce(tokens) is LayerNorm(tokens + first token); with `reduce` "late" the logits
    are the mean of those of the real tokens.

    It returns [B,C], or [B,T,C] where `reduce` is "each".

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind of head (see `bertkit.kinds`), or its JSON.
        outputs: C, the number of logits.
        dropout: The rate of dropout, a probability.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when the kind's `reduce` or `watch` is unknown.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, outputs: int | None, dropout: float | None,
                 **options: Any) -> None:
        super().__init__(config, kind, outputs, dropout, **options)
        config, kind, policy = self.config, self.kind, {"dtype": self.dtype_policy}
        if kind.reduce not in REDUCTIONS:
            raise Error(f"A readout reduces by {kind.reduce!r}; bertkit has {', '.join(REDUCTIONS)}.")
        if kind.watch is not None and kind.watch not in WATCHED:
            raise Error(f"A readout watches {kind.watch!r}; bertkit has {', '.join(WATCHED)}.")
        self.width = config.hidden_dim
        self.reduce = REDUCTIONS[kind.reduce]
        self.drop = keras.layers.Dropout(dropout, name="dropout", **policy)
        self.dense = self.norm = self.sum_norm = None
        if kind.beside_first:
            self.sum_norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, center=config.norm_bias,
                                                            name="sum_norm", **policy)
        if kind.activation is not None:
            self.activation = activation(config, kind.activation)
            if kind.dense:
                self.dense = keras.layers.Dense(config.hidden_dim, use_bias=kind.bias, name="dense", **policy,
                                                kernel_initializer=truncated_normal(config))
        if kind.norm:
            self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, center=config.norm_bias,
                                                        name="norm", **policy)
        self.logits = keras.layers.Dense(outputs, kernel_initializer=truncated_normal(config), name="logits", **policy)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        width = shape[-1] if self.dense is None else self.width
        for layer, size in ((self.sum_norm, shape[-1]), (self.dense, shape[-1]), (self.norm, width),
                            (self.logits, width)):
            if layer is not None:
                layer.build((None, size))

    def call(self, outputs: dict[str, Any], inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits.

        Args:
            outputs: The encoder's outputs, "sequence" [B,T,D] and "pooled" [B,D].
            inputs: The batch; "padding_mask" [B,T] is read.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,C] or [B,T,C].
        """
        return self.logits(self.vectors(outputs, inputs, training))

    def vectors(self, outputs: dict[str, Any], inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute what the last, linear layer reads.

        Args:
            outputs: The encoder's outputs, "sequence" [B,T,D] and "pooled" [B,D].
            inputs: The batch; "padding_mask" [B,T] is read.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,D] or [B,T,D].
        """
        x = self.reduce(outputs, inputs.get("padding_mask"))
        if self.sum_norm is not None:
            first = outputs["sequence"][:, :1]
            x = self.sum_norm(x + (first if len(x.shape) == 3 else first[:, 0]))
        if self.kind.activation is not None:
            x = self.drop(x, training=training) if self.kind.drop_first else x
            x = self.activation(x if self.dense is None else self.dense(x))
        x = x if self.norm is None else self.norm(x)
        x = self.drop(x, training=training)
        # The logits of a mean are the mean of logits.
        return _mean_of_real({"sequence": x}, inputs.get("padding_mask")) if self.kind.reduce == "late" else x


@keras.saving.register_keras_serializable("bertkit")
class LanguageHead(WordHead):
    """A head with logits = E LayerNorm(act(W h + b)) + c over the vocabulary, [B,T,V]; see `kinds.Language`.

    With "masked_positions" [B,K] in the batch it computes only those: [B,K,V] (Devlin et al. 2018, section 3.1).

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind of head (see `bertkit.kinds`), or its JSON.
        outputs: The number of logits; None where the kind determines it.
        dropout: The rate of dropout, a probability.
        token: The encoder's `keras.layers.Embedding` of tokens, by whose table [V,E] the head multiplies.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    own_entries = ("masked_positions",)

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, outputs: int | None = None,
                 dropout: float | None = None, token: Any = None, **options: Any) -> None:
        super().__init__(config, kind, outputs, dropout, token, **options)
        config, kind, policy = self.config, self.kind, {"dtype": self.dtype_policy}
        self.rows = config.vocabulary_size
        self.activation = activation(config, kind.activation)
        self.width = config.hidden_dim if kind.split else config.embedding_dim or config.hidden_dim
        self.below = self.width - (config.embedding_dim or config.hidden_dim)
        self.dense = self.norm = self.decoder = None
        if kind.transform:
            self.dense = keras.layers.Dense(self.width, use_bias=kind.dense_bias, name="dense", **policy,
                                            kernel_initializer=truncated_normal(config))
            self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, center=config.norm_bias,
                                                        name="norm", **policy)
        if not kind.tied:
            self.decoder = keras.layers.Dense(self.rows, use_bias=kind.bias, name="decoder", **policy,
                                              kernel_initializer=truncated_normal(config))
        self.initializer = truncated_normal(config)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        width = self.width if self.kind.transform else shape[-1]
        for layer, size in ((self.dense, shape[-1]), (self.norm, width), (self.decoder, width - self.below)):
            if layer is not None:
                layer.build((None, None, size))
        if self.kind.tied and self.kind.bias:
            self.bias = self.add_weight(shape=(self.rows,), initializer="zeros", name="bias")
        if self.kind.split:
            self.more = self.add_weight(shape=(self.below, self.rows), initializer=self.initializer, name="more")

    def call(self, outputs: dict[str, Any], inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits over the vocabulary.

        Args:
            outputs: The encoder's outputs; "sequence" [B,T,D] is read.
            inputs: The batch; "masked_positions" int [B,K] are read where it holds them.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,T,V] or [B,K,V].
        """
        x = gather_positions(outputs["sequence"], inputs.get("masked_positions"))
        if self.kind.transform:
            x = self.norm(self.activation(self.dense(x)))  # type: ignore[misc]
        if not self.kind.split:
            return self.token_logits(x)
        x, rest = ops.split(x, [self.width - self.below], axis=-1)
        logits = self.token_logits(x)
        return logits + ops.cast(ops.matmul(rest, ops.cast(self.more, x.dtype)), logits.dtype)

    def token_logits(self, x: Any) -> Any:
        """Multiply by the token table, or by a matrix of the head's own: [B,T,E] -> [B,T,V].

        Args:
            x: Vectors [B,T,E].

        Returns:
            The logits [B,T,V].
        """
        if not self.kind.tied:
            return self.decoder(x)  # type: ignore[misc]
        logits = ops.matmul(x, ops.transpose(ops.cast(self.token.embeddings, x.dtype)))
        return logits + ops.cast(self.bias, x.dtype) if self.kind.bias else logits


@keras.saving.register_keras_serializable("bertkit")
class BoundaryHead(WordHead):
    """A head that predicts each token of a span from the two tokens beside it, [B,S,N,V].

    h = LayerNorm(act(W₂ LayerNorm(act(W₁ [x_left; x_right; p_i])))), logits = E h + c, where i counts the span's tokens
    (Joshi et al. 2019, SpanBERT, section 3.2). "pairs" [B,S,2] in the batch are the positions left and right of each
    span; without them there are no logits.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind of head (see `bertkit.kinds`), or its JSON.
        outputs: The number of logits; None where the kind determines it.
        dropout: The rate of dropout, a probability.
        token: The encoder's `keras.layers.Embedding` of tokens, by whose table [V,E] the head multiplies.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    own_entries = ("pairs",)

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, outputs: int | None = None,
                 dropout: float | None = None, token: Any = None, **options: Any) -> None:
        super().__init__(config, kind, outputs, dropout, token, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.width, self.rows = config.hidden_dim, config.vocabulary_size
        self.activation, self.initializer = FUNCTIONS[config.activation], truncated_normal(config)
        self.denses = [keras.layers.Dense(self.width, name=f"dense_{i}", kernel_initializer=self.initializer, **policy)
                       for i in (1, 2)]
        self.norms = [keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name=f"norm_{i}", **policy)
                      for i in (1, 2)]

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        for dense, inputs in zip(self.denses, (2 * shape[-1] + self.kind.width, self.width), strict=True):
            dense.build((None, inputs))
        for norm in self.norms:
            norm.build((None, self.width))
        self.positions = self.add_weight(shape=(self.kind.targets, self.kind.width), initializer=self.initializer,
                                         name="positions")
        self.bias = self.add_weight(shape=(self.rows,), initializer="zeros", name="bias")

    def call(self, outputs: dict[str, Any], inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the logits of each token of each span.

        Args:
            outputs: The encoder's outputs; "sequence" [B,T,D] is read.
            inputs: The batch; "pairs" int [B,S,2] are read.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The logits [B,S,N,V], or None where the batch has no pairs.
        """
        if inputs.get("pairs") is None:
            return None
        x, pairs = outputs["sequence"], ops.cast(inputs["pairs"], "int32")
        spans = ops.shape(pairs)[1]
        sides = ops.take_along_axis(x, ops.reshape(pairs, (-1, 2 * spans))[:, :, None], axis=1)
        sides = ops.reshape(sides, (-1, spans, 1, 2 * self.width))
        each = ops.broadcast_to(sides, (ops.shape(x)[0], spans, self.kind.targets, 2 * self.width))
        places = ops.broadcast_to(ops.cast(self.positions, x.dtype),
                                  (ops.shape(x)[0], spans, self.kind.targets, self.kind.width))
        h = ops.concatenate([each, places], axis=-1)
        for dense, norm in zip(self.denses, self.norms, strict=True):
            h = norm(self.activation(dense(h)))
        return ops.matmul(h, ops.transpose(ops.cast(self.token.embeddings, h.dtype))) + ops.cast(self.bias, h.dtype)


def _real(x, mask):
    return ops.ones_like(x[..., 0]) if mask is None else ops.cast(mask, x.dtype)


def _mean_of_real(outputs, mask):
    x = outputs["sequence"]
    weights = _real(x, mask)[:, :, None]
    return ops.sum(x * weights, axis=1) / ops.sum(weights, axis=1)


def _first_real(outputs, mask):
    x = outputs["sequence"]
    place = ops.argmax(ops.cast(_real(x, mask), "int32"), axis=1)
    return ops.take_along_axis(x, ops.cast(place, "int32")[:, None, None], axis=1)[:, 0]


REDUCTIONS = {
    "each": lambda found, mask: found["sequence"],
    "pooled": lambda found, mask: found["pooled"],
    "first": lambda found, mask: found["sequence"][:, 0],
    "last": lambda found, mask: found["sequence"][:, -1],
    "mean": lambda found, mask: ops.mean(found["sequence"], axis=1),
    "real": _mean_of_real,
    "start": _first_real,
    "late": lambda found, mask: found["sequence"],           # and the mean of the logits
}
HEAD_LAYERS = {kinds.HeadConfig: PredictionHead, kinds.Language: LanguageHead, kinds.Boundary: BoundaryHead,
            kinds.Beam: BeamHead, kinds.Answer: AnswerHead}

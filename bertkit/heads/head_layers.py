"""What heads read of an encoder's outputs, and how it becomes logits: one layer for each kind.

A head is made from (config, kind, outputs, dropout), and `token`, the encoder's table of tokens, where it reads words
off it; call({"sequence" [B,T,D], "pooled" [B,D]}, inputs=batch).
"""

import keras
from keras import ops

from bertkit import kinds
from bertkit.errors import Error
from bertkit.heads.answer import AnswerHead
from bertkit.heads.beam import BeamHead
from bertkit.heads.defaults import WATCHED
from bertkit.heads.head_layer import HeadLayer, WordHead
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.gather import gather_positions
from bertkit.layers.initializer import truncated_normal


def activation(config, name):
    """Return the function of an activation's name; "encoder" is the encoder's own."""
    return FUNCTIONS[config.activation if name == "encoder" else name]


@keras.saving.register_keras_serializable("bertkit")
class PredictionHead(HeadLayer):
    """logits = W dropout(norm(act(W' dropout(reduce(tokens))))) + b, see `kinds.HeadConfig`.

    [B,C]; of "each" token [B,T,C].
    """

    def __init__(self, config, kind, outputs, dropout, **options):
        super().__init__(config, kind, outputs, dropout, **options)
        config, kind, policy = self.config, self.kind, {"dtype": self.dtype_policy}
        if kind.reduce not in REDUCTIONS:
            raise Error(f"A readout reduces by {kind.reduce!r}; bertkit has {', '.join(REDUCTIONS)}.")
        if kind.watch is not None and kind.watch not in WATCHED:
            raise Error(f"A readout watches {kind.watch!r}; bertkit has {', '.join(WATCHED)}.")
        self.width = config.hidden_dim
        self.reduce = REDUCTIONS[kind.reduce]
        self.drop = keras.layers.Dropout(dropout, name="dropout", **policy)
        self.dense = self.norm = None
        if kind.activation is not None:
            self.activation = activation(config, kind.activation)
            if kind.dense:
                self.dense = keras.layers.Dense(config.hidden_dim, use_bias=kind.bias, name="dense", **policy,
                                                kernel_initializer=truncated_normal(config))
        if kind.norm:
            self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, center=config.norm_bias,
                                                        name="norm", **policy)
        self.logits = keras.layers.Dense(outputs, kernel_initializer=truncated_normal(config), name="logits", **policy)

    def build(self, shape):
        width = shape[-1] if self.dense is None else self.width
        for layer, size in ((self.dense, shape[-1]), (self.norm, width), (self.logits, width)):
            if layer is not None:
                layer.build((None, size))

    def call(self, found, inputs, training=None):
        x = self.reduce(found, inputs.get("padding_mask"))
        if self.kind.activation is not None:
            x = self.drop(x, training=training) if self.kind.drop_first else x
            x = self.activation(x if self.dense is None else self.dense(x))
        x = x if self.norm is None else self.norm(x)
        return self.logits(self.drop(x, training=training))


@keras.saving.register_keras_serializable("bertkit")
class LanguageHead(WordHead):
    """logits = E LayerNorm(act(W h + b)) + c over the vocabulary, see `kinds.Language`; [B,T,V].

    With "masked_positions" [B,K] in the batch only those: [B,K,V] (Devlin et al. 2018, section 3.1).
    """

    own_entries = ("masked_positions",)

    def __init__(self, config, kind, outputs=None, dropout=None, token=None, **options):
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

    def build(self, shape):
        width = self.width if self.kind.transform else shape[-1]
        for layer, size in ((self.dense, shape[-1]), (self.norm, width), (self.decoder, width - self.below)):
            if layer is not None:
                layer.build((None, None, size))
        if self.kind.tied and self.kind.bias:
            self.bias = self.add_weight(shape=(self.rows,), initializer="zeros", name="bias")
        if self.kind.split:
            self.more = self.add_weight(shape=(self.below, self.rows), initializer=self.initializer, name="more")

    def call(self, found, inputs, training=None):
        x = gather_positions(found["sequence"], inputs.get("masked_positions"))
        if self.kind.transform:
            x = self.norm(self.activation(self.dense(x)))
        if not self.kind.split:
            return self.decoded(x)
        x, rest = ops.split(x, [self.width - self.below], axis=-1)
        logits = self.decoded(x)
        return logits + ops.cast(ops.matmul(rest, ops.cast(self.more, x.dtype)), logits.dtype)

    def decoded(self, x):
        """[B,T,E] -> [B,T,V], by the token table or by a matrix of its own."""
        if not self.kind.tied:
            return self.decoder(x)
        logits = ops.matmul(x, ops.transpose(ops.cast(self.token.embeddings, x.dtype)))
        return logits + ops.cast(self.bias, x.dtype) if self.kind.bias else logits


@keras.saving.register_keras_serializable("bertkit")
class BoundaryHead(WordHead):
    """Each token of a span from the tokens beside it (Joshi et al. 2019, SpanBERT, section 3.2): [B,S,N,V].

    h = LayerNorm(act(W₂ LayerNorm(act(W₁ [x_left; x_right; p_i])))), logits = E h + c, i counts the span's tokens.
    "pairs" [B,S,2] in the batch are the places left and right of each span; without it there are no logits.
    """

    own_entries = ("pairs",)

    def __init__(self, config, kind, outputs=None, dropout=None, token=None, **options):
        super().__init__(config, kind, outputs, dropout, token, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.width, self.rows = config.hidden_dim, config.vocabulary_size
        self.activation, self.initializer = FUNCTIONS[config.activation], truncated_normal(config)
        self.denses = [keras.layers.Dense(self.width, name=f"dense_{i}", kernel_initializer=self.initializer, **policy)
                       for i in (1, 2)]
        self.norms = [keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name=f"norm_{i}", **policy)
                      for i in (1, 2)]

    def build(self, shape):
        for dense, inputs in zip(self.denses, (2 * shape[-1] + self.kind.width, self.width), strict=True):
            dense.build((None, inputs))
        for norm in self.norms:
            norm.build((None, self.width))
        self.positions = self.add_weight(shape=(self.kind.targets, self.kind.width), initializer=self.initializer,
                                         name="positions")
        self.bias = self.add_weight(shape=(self.rows,), initializer="zeros", name="bias")

    def call(self, found, inputs, training=None):
        if inputs.get("pairs") is None:
            return None
        x, pairs = found["sequence"], ops.cast(inputs["pairs"], "int32")
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


def _mean_of_real(found, mask):
    x = found["sequence"]
    weights = _real(x, mask)[:, :, None]
    return ops.sum(x * weights, axis=1) / ops.sum(weights, axis=1)


def _first_real(found, mask):
    x = found["sequence"]
    place = ops.argmax(_real(x, mask), axis=1)
    return ops.take_along_axis(x, ops.cast(place, "int32")[:, None, None], axis=1)[:, 0]


REDUCTIONS = {
    "each": lambda found, mask: found["sequence"],
    "pooled": lambda found, mask: found["pooled"],
    "first": lambda found, mask: found["sequence"][:, 0],
    "last": lambda found, mask: found["sequence"][:, -1],
    "mean": lambda found, mask: ops.mean(found["sequence"], axis=1),
    "real": _mean_of_real,
    "start": _first_real,
}
HEAD_LAYERS = {kinds.HeadConfig: PredictionHead, kinds.Language: LanguageHead, kinds.Boundary: BoundaryHead,
            kinds.Beam: BeamHead, kinds.Answer: AnswerHead}

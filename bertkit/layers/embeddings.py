"""Input representation: token + segment + position, normalised, dropped (Devlin et al. 2018, figure 2)."""

import keras
from keras import ops

from bertkit import kinds
from bertkit.layers.initializer import truncated_normal


class AbsolutePosition(keras.layers.Layer):
    """One learned vector for each position; call(token_ids [B,T]) -> [1|B,T,E].

    Counted from 0; with a `pad_id`, p_i = pad_id + m_i · Σ_{j≤i} m_j, m_i = 1 where token i is not padding
    (Liu et al. 2019's code): padding on any side, or inside, is not counted.
    """

    def __init__(self, config, width, **options):
        super().__init__(**options)
        self.shape = (config.max_sequence_length, width)
        self.pad_id = config.positions.pad_id
        self.initializer = truncated_normal(config)

    def build(self, _=None):
        self.table = self.add_weight(name="embeddings", shape=self.shape, initializer=self.initializer)

    def call(self, token_ids, position_ids=None):
        table = ops.cast(self.table, self.compute_dtype)
        if position_ids is None and self.pad_id is None:
            return table[None, :ops.shape(token_ids)[1]]
        if position_ids is None:
            real = ops.cast(ops.not_equal(token_ids, self.pad_id), "int32")
            position_ids = self.pad_id + real * ops.cumsum(real, axis=1)
        return ops.take(table, position_ids, axis=0)


class Embeddings(keras.layers.Layer):
    """dropout(LayerNorm(W_token[ids] + W_segment[segments] + W_position[positions])), projected where E is not D.

    call(inputs {"token_ids" [B,T], "segment_ids" [B,T] or none for all 0, "position_ids" [B,T] or none})
    -> [B,T,D]. The kind `Summed` of the config may scale tokens by √E or drop before the norm.
    """

    def __init__(self, config, **options):
        super().__init__(**options)
        policy, width = {"dtype": self.dtype_policy}, config.embedding_dim or config.hidden_dim
        self.token = table(config, config.vocabulary_size, width, "token", **policy)
        self.segment = table(config, config.num_segments, width, "segment", **policy) if config.num_segments else None
        self.position = position_layer(config, width, **policy)
        self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="norm", **policy)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", **policy)
        self.projection = None
        if config.embedding_dim is not None:
            self.projection = keras.layers.Dense(config.hidden_dim, name="projection", **policy,
                                                 kernel_initializer=truncated_normal(config))
        self.width, self.kind = width, config.inputs

    def build(self, shape):
        for rows in (self.token, self.segment, self.position):
            if rows is not None:
                rows.build(shape)
        for layer in (self.norm, self.projection):
            if layer is not None:
                layer.build((*shape, self.width))

    def call(self, inputs, training=None):
        token_ids = inputs["token_ids"]
        total = self.token(token_ids) * (self.width ** 0.5 if self.kind.scaled else 1)
        if self.segment is not None:
            segments = inputs.get("segment_ids")
            total = total + self.segment(ops.zeros((1, 1), "int32") if segments is None else segments)
        if self.position is not None:
            total = total + self.position(token_ids, inputs.get("position_ids"))
        if self.kind.early_dropout:
            x = self.norm(self.drop(total, training=training))
        else:
            x = self.drop(self.norm(total), training=training)
        return x if self.projection is None else self.projection(x)


def table(config, rows, width, name, **options):
    """Return a table of learned vectors, call(ids [B,T]) -> [B,T,width]."""
    return keras.layers.Embedding(rows, width, embeddings_initializer=truncated_normal(config), name=name, **options)


def position_layer(config, width, **options):
    """Return the layer of the config's positions, or None where it has none."""
    if config.positions is None:
        return None
    return POSITIONS[type(config.positions)](config, width, name="position", **options)


POSITIONS = {kinds.Absolute: AbsolutePosition}
INPUTS = {kinds.Summed: Embeddings}

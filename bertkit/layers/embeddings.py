"""Input representation: token + segment + position, normalised, dropped (Devlin et al. 2018, figure 2)."""

import keras
from keras import ops

from bertkit.config import Absolute
from bertkit.layers.initializer import truncated_normal


class AbsolutePosition(keras.layers.Layer):
    """One learned vector for each position; call(token_ids [B,T]) -> [1,T,D]."""

    def __init__(self, config, **options):
        super().__init__(**options)
        self.shape = (config.max_sequence_length, config.hidden_dim)
        self.initializer = truncated_normal(config)

    def build(self, _=None):
        self.table = self.add_weight(name="embeddings", shape=self.shape,
                                     initializer=self.initializer)

    def call(self, token_ids, position_ids=None):
        table = ops.cast(self.table, self.compute_dtype)
        if position_ids is None:
            return table[None, :ops.shape(token_ids)[1]]
        return ops.take(table, position_ids, axis=0)


class Embeddings(keras.layers.Layer):
    """dropout(LayerNorm(W_token[ids] + W_segment[segments] + W_position[positions])).

    call(token_ids [B,T], segment_ids [B,T] or None for all 0, position_ids [B,T] or None for 0..T−1)
    -> [B,T,D].
    """

    def __init__(self, config, **options):
        super().__init__(**options)
        policy = {"dtype": self.dtype_policy}
        self.token = keras.layers.Embedding(config.vocabulary_size, config.hidden_dim, **policy,
                                            embeddings_initializer=truncated_normal(config), name="token")
        self.segment = keras.layers.Embedding(config.num_segments, config.hidden_dim, **policy,
                                              embeddings_initializer=truncated_normal(config),
                                              name="segment")
        self.position = POSITIONS[type(config.positions)](config, name="position", **policy)
        self.norm = keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="norm",
                                                    **policy)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", **policy)
        self.hidden_dim = config.hidden_dim

    def build(self, shape):
        for table in (self.token, self.segment, self.position):
            table.build(shape)
        self.norm.build((*shape, self.hidden_dim))

    def call(self, token_ids, segment_ids=None, position_ids=None, training=None):
        if segment_ids is None:
            segments = self.segment(ops.zeros((1, 1), "int32"))
        else:
            segments = self.segment(segment_ids)
        total = self.token(token_ids) + segments + self.position(token_ids, position_ids)
        return self.drop(self.norm(total), training=training)


POSITIONS = {Absolute: AbsolutePosition}

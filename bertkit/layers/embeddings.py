"""Input representation: token + segment + position, normalised, dropped (Devlin et al. 2018, figure 2)."""

import keras
from keras import ops

from bertkit import kinds
from bertkit.errors import Error
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import sinusoids, truncated_normal
from bertkit.layers.norm import norm


@keras.saving.register_keras_serializable("bertkit")
class AbsolutePosition(ConfiguredLayer):
    """One learned vector for each position; call(token_ids [B,T]) -> [1|B,T,E].

    Counted from 0; with a `pad_id`, p_i = pad_id + m_i · Σ_{j≤i} m_j, m_i = 1 where token i is not padding
    (Liu et al. 2019's code): padding on any side, or inside, is not counted.
    """

    def __init__(self, config, width, **options):
        super().__init__(config, **options)
        config = self.config
        self.shape = (config.max_sequence_length, width)
        self.pad_id = config.positions.pad_id
        self.initializer = sinusoids if config.positions.sinusoidal else truncated_normal(config)

    def get_config(self):
        return {**super().get_config(), "width": self.shape[1]}

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


@keras.saving.register_keras_serializable("bertkit")
class AxialPosition(ConfiguredLayer):
    """[row of ⌊p / columns⌋; column of p mod columns] for position p; call(token_ids [B,T]) -> [1|B,T,E].

    Kitaev et al. 2020, appendix: r + c vectors for r · c positions. Raises `Error` where the widths of a row's vector
    and of a column's do not add up to E.
    """

    def __init__(self, config, width, **options):
        super().__init__(config, **options)
        self.kind = self.config.positions
        if sum(self.kind.widths) != width:
            raise Error(f"{self.kind}: the widths (axial_pos_embds_dim) add up to {sum(self.kind.widths)}, and tokens "
                        f"have {width} features; give widths that add up to these.")
        self.initializer = keras.initializers.RandomNormal(stddev=self.kind.deviation)

    def get_config(self):
        return {**super().get_config(), "width": sum(self.kind.widths)}

    def build(self, _=None):
        (rows, columns), (row, column) = self.kind.shape, self.kind.widths
        self.rows = self.add_weight(name="rows", shape=(rows, 1, row), initializer=self.initializer)
        self.columns = self.add_weight(name="columns", shape=(1, columns, column), initializer=self.initializer)

    def call(self, token_ids, position_ids=None):
        places = ops.arange(ops.shape(token_ids)[1])[None] if position_ids is None else position_ids
        count = self.kind.shape[1]
        parts = [ops.take(self.rows[:, 0], places // count, axis=0), ops.take(self.columns[0], places % count, axis=0)]
        return ops.cast(ops.concatenate(parts, axis=-1), self.compute_dtype)


@keras.saving.register_keras_serializable("bertkit")
class Embeddings(ConfiguredLayer):
    """dropout(LayerNorm(W_token[ids] + W_segment[segments] + W_position[positions])), projected where E is not D.

    call(inputs {"token_ids" [B,T], "segment_ids" [B,T] or none for all 0, "position_ids" [B,T] or none})
    -> [B,T,D]. The kind `Summed` of the config may scale tokens by √E or drop before the norm. `tables` are those of
    another encoder whose E is the same, which then learn from both (Clark et al. 2020, section 3.2).
    """

    def __init__(self, config, tables=None, **options):
        super().__init__(config, **options)
        config, self.borrowed = self.config, tables is not None
        policy, width = {"dtype": self.dtype_policy}, config.embedding_dim or config.hidden_dim
        self.token, self.segment, self.position, self.norm = tables or _tables(config, width, **policy)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", **policy)
        self.projection = None
        if config.embedding_dim is not None:
            self.projection = keras.layers.Dense(config.hidden_dim, name="projection", **policy,
                                                 kernel_initializer=truncated_normal(config))
        self.width, self.kind = width, config.inputs

    def get_config(self):
        tables = keras.saving.serialize_keras_object(list(self.tables)) if self.borrowed else None
        return {**super().get_config(), "tables": tables}

    @classmethod
    def from_config(cls, config):
        return super().from_config({**config, "tables": keras.saving.deserialize_keras_object(config["tables"])})

    @property
    def tables(self):
        """The layers of tokens, of segments (or None), of positions (or None), and the norm."""
        return self.token, self.segment, self.position, self.norm

    def build(self, shape):
        for layer in (*self.tables, self.projection):
            if layer is not None and not layer.built:
                layer.build((*shape, self.width) if layer in (self.norm, self.projection) else shape)

    def call(self, inputs, training=None):
        x = self.token(inputs["token_ids"]) * (self.width ** 0.5 if self.kind.scaled else 1)
        total = placed(x, inputs, self.segment, self.position)
        if self.kind.early_dropout:
            x = self.norm(self.drop(total, training=training))
        else:
            x = self.drop(self.norm(total), training=training)
        return x if self.projection is None else self.projection(x)


@keras.saving.register_keras_serializable("bertkit")
class BareEmbeddings(ConfiguredLayer):
    """dropout(W_token[ids] + W_position[positions]), without positions where the config has none; the kind `Bare`.

    call(inputs {"token_ids" [B,T], "position_ids" [B,T] or none}) -> [B,T,D]; with `norm` a LayerNorm before dropout.
    """

    def __init__(self, config, **options):
        super().__init__(config, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.width = config.hidden_dim
        self.token = table(config, config.vocabulary_size, self.width, "token", **policy)
        self.position = position_layer(config, self.width, **policy)
        self.norm = None
        if config.inputs.norm:
            self.norm = norm(config, "norm", **policy)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", **policy)

    def build(self, shape):
        self.token.build(shape)
        if self.position is not None:
            self.position.build(shape)
        if self.norm is not None:
            self.norm.build((*shape, self.width))

    def call(self, inputs, training=None):
        x = placed(self.token(inputs["token_ids"]), inputs, position=self.position)
        return self.drop(x if self.norm is None else self.norm(x), training=training)


def placed(x, inputs, segment=None, position=None):
    """Return x [B,T,·] plus the vectors of its segments, by default 0, and of its positions, where there are any."""
    if segment is not None:
        segments = inputs.get("segment_ids")
        x = x + segment(ops.zeros((1, 1), "int32") if segments is None else segments)
    return x if position is None else x + position(inputs["token_ids"], inputs.get("position_ids"))


def table(config, rows, width, name, **options):
    """Return a table of learned vectors, call(ids [B,T]) -> [B,T,width]."""
    return keras.layers.Embedding(rows, width, embeddings_initializer=truncated_normal(config), name=name, **options)


def _tables(config, width, **options):
    """Return new layers of tokens, segments and positions, and their norm."""
    return (table(config, config.vocabulary_size, width, "token", **options),
            table(config, config.num_segments, width, "segment", **options) if config.num_segments else None,
            position_layer(config, width, **options),
            keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="norm", **options))


def position_layer(config, width, **options):
    """Return the layer of the config's positions, or None where it has none."""
    if config.positions is None:
        return None
    return POSITIONS[type(config.positions)](config, width, name="position", **options)


POSITIONS = {kinds.Absolute: AbsolutePosition, kinds.Axial: AxialPosition}

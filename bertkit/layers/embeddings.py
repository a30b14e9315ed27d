"""Input representation: token + segment + position, normalised, dropped (Devlin et al. 2018, figure 2)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.initializer import sinusoids, truncated_normal
from bertkit.layers.norm import norm


@keras.saving.register_keras_serializable("bertkit")
class AbsolutePosition(ConfiguredLayer):
    """One learned vector for each position; call(token_ids [B,T]) -> [1|B,T,E].

    Positions are counted from 0; with a `pad_id`, p_i = pad_id + m_i · Σ_{j≤i} m_j, m_i = 1 where token i is not
    padding (Liu et al. 2019's code): padding on any side, or inside, is not counted.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        width: E, the number of features.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], width: int, **options: Any) -> None:
        super().__init__(config, **options)
        config = self.config
        self.shape = (config.max_sequence_length, width)
        self.pad_id = config.positions.pad_id
        self.initializer = sinusoids if config.positions.sinusoidal else truncated_normal(config)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "width": self.shape[1]}

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        self.table = self.add_weight(name="embeddings", shape=self.shape, initializer=self.initializer)

    def call(self, token_ids: Any, position_ids: Any = None) -> Any:
        """Return the vectors of the positions.

        Args:
            token_ids: int [B,T].
            position_ids: Positions int [B,T] to use instead of counted ones, or None.

        Returns:
            The vectors [1|B,T,E].
        """
        table = ops.cast(self.table, self.compute_dtype)
        if position_ids is None and self.pad_id is None:
            return table[None, :ops.shape(token_ids)[1]]
        if position_ids is None:
            real = ops.cast(ops.not_equal(token_ids, self.pad_id), "int32")
            position_ids = self.pad_id + real * ops.cumsum(real, axis=1)
        return ops.take(table, position_ids, axis=0)


@keras.saving.register_keras_serializable("bertkit")
class AxialPosition(ConfiguredLayer):
    """Each position has the vectors of its row and of its column; call(token_ids [B,T]) -> [1|B,T,E].

    Position p: [row of ⌊p / columns⌋; column of p mod columns].

    Kitaev et al. 2020, appendix: r + c vectors for r · c positions.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        width: E, the number of features.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when the widths of a row's vector and of a column's do not add up to E.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], width: int, **options: Any) -> None:
        super().__init__(config, **options)
        self.kind = self.config.positions
        if sum(self.kind.widths) != width:
            raise Error(f"{self.kind}: the widths (axial_pos_embds_dim) add up to {sum(self.kind.widths)}, and tokens "
                        f"have {width} features; give widths that add up to these.")
        self.initializer = keras.initializers.RandomNormal(stddev=self.kind.deviation)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "width": sum(self.kind.widths)}

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        (rows, columns), (row, column) = self.kind.shape, self.kind.widths
        self.rows = self.add_weight(name="rows", shape=(rows, 1, row), initializer=self.initializer)
        self.columns = self.add_weight(name="columns", shape=(1, columns, column), initializer=self.initializer)

    def call(self, token_ids: Any, position_ids: Any = None) -> Any:
        """Return the vectors of the positions.

        Args:
            token_ids: int [B,T].
            position_ids: Positions int [B,T] to use instead of counted ones, or None.

        Returns:
            The vectors [1|B,T,E].
        """
        places = ops.arange(ops.shape(token_ids)[1])[None] if position_ids is None else position_ids
        count = self.kind.shape[1]
        parts = [ops.take(self.rows[:, 0], places // count, axis=0), ops.take(self.columns[0], places % count, axis=0)]
        return ops.cast(ops.concatenate(parts, axis=-1), self.compute_dtype)


@keras.saving.register_keras_serializable("bertkit")
class Embeddings(ConfiguredLayer):
    """The vectors that enter the first block: the sum of tokens, segments and positions, normalised.

    dropout(LayerNorm(W_token[ids] + W_segment[segments] + W_position[positions])), projected where E is not D.

    The kind `Summed` of the config may scale tokens by √E, or drop before the norm.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        tables: The `tables` of another encoder whose E is the same; both then learn them (Clark et al. 2020, section
            3.2). None makes new ones.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], tables: Sequence[Any] | None = None,
                 **options: Any) -> None:
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

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        tables = keras.saving.serialize_keras_object(list(self.tables)) if self.borrowed else None
        return {**super().get_config(), "tables": tables}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Embeddings":
        """Make a layer from the values of `get_config`.

        Args:
            config: The dict that `get_config` gives.

        Returns:
            A new `Embeddings`, without the weights.
        """
        return super().from_config({**config, "tables": keras.saving.deserialize_keras_object(config["tables"])})

    @property
    def tables(self) -> tuple[Any, ...]:
        """The layers of tokens, of segments (or None), of positions (or None), and the norm."""
        return self.token, self.segment, self.position, self.norm

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of token_ids, (B, T).
        """
        for layer in (*self.tables, self.projection):
            if layer is not None and not layer.built:
                layer.build((*shape, self.width) if layer in (self.norm, self.projection) else shape)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the vectors that enter the first block.

        Args:
            inputs: {"token_ids" int [B,T], "segment_ids" [B,T] or none for all 0, "position_ids" [B,T] or none}.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,T,D].
        """
        x = self.token(inputs["token_ids"]) * (self.width ** 0.5 if self.kind.scaled else 1)
        total = add_segments_and_positions(x, inputs, self.segment, self.position)
        if self.kind.early_dropout:
            x = self.norm(self.drop(total, training=training))
        else:
            x = self.drop(self.norm(total), training=training)
        return x if self.projection is None else self.projection(x)


@keras.saving.register_keras_serializable("bertkit")
class BareEmbeddings(ConfiguredLayer):
    """The vectors that enter the first block: tokens and positions, without segments.

    dropout(W_token[ids] + W_position[positions]), without positions where the config has none; the kind `Bare`.

    With the kind's `norm` there is a LayerNorm before dropout.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], **options: Any) -> None:
        super().__init__(config, **options)
        config, policy = self.config, {"dtype": self.dtype_policy}
        self.width = config.hidden_dim
        self.token = embedding_table(config, config.vocabulary_size, self.width, "token", **policy)
        self.position = position_layer(config, self.width, **policy)
        self.norm = None
        if config.inputs.norm:
            self.norm = norm(config, "norm", **policy)
        self.drop = keras.layers.Dropout(config.dropout, name="dropout", **policy)

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of token_ids, (B, T).
        """
        self.token.build(shape)
        if self.position is not None:
            self.position.build(shape)
        if self.norm is not None:
            self.norm.build((*shape, self.width))

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the vectors that enter the first block.

        Args:
            inputs: {"token_ids" int [B,T], "position_ids" [B,T] or none}.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,T,D].
        """
        x = add_segments_and_positions(self.token(inputs["token_ids"]), inputs, position=self.position)
        return self.drop(x if self.norm is None else self.norm(x), training=training)


def add_segments_and_positions(x: Any, inputs: dict[str, Any], segment: Any = None, position: Any = None) -> Any:
    """Add the vectors of segments and of positions, where there are any.

    An encoder with one segment takes every token for one of segment 0, whatever the batch says.

    Args:
        x: Token vectors [B,T,·].
        inputs: The batch; without "segment_ids" all tokens are of segment 0.
        segment: The layer of segments, or None.
        position: The layer of positions, or None.

    Returns:
        The sum [B,T,·].
    """
    if segment is not None:
        segments = inputs.get("segment_ids")
        segments = ops.zeros((1, 1), "int32") if segments is None else segments
        x = x + segment(ops.minimum(segments, 0) if segment.input_dim == 1 else segments)
    return x if position is None else x + position(inputs["token_ids"], inputs.get("position_ids"))


def embedding_table(config: EncoderConfig, rows: int, width: int, name: str, **options: Any) -> keras.layers.Embedding:
    """Make a table of learned vectors, call(ids [B,T]) -> [B,T,width].

    Args:
        config: The encoder's `EncoderConfig`.
        rows: The number of vectors.
        width: The number of features.
        name: The name of the layer.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        An Embedding layer.
    """
    return keras.layers.Embedding(rows, width, embeddings_initializer=truncated_normal(config), name=name, **options)


def _tables(config, width, **options):
    """Return new layers of tokens, segments and positions, and their norm."""
    return (embedding_table(config, config.vocabulary_size, width, "token", **options),
            embedding_table(config, config.num_segments, width, "segment", **options) if config.num_segments else None,
            position_layer(config, width, **options),
            keras.layers.LayerNormalization(epsilon=config.layer_norm_epsilon, name="norm", **options))


def position_layer(config: EncoderConfig, width: int, **options: Any) -> Any:
    """Make the layer of the config's positions.

    Args:
        config: The encoder's `EncoderConfig`.
        width: The number of features.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A layer, or None where the config has no positions.
    """
    if config.positions is None:
        return None
    return POSITIONS[type(config.positions)](config, width, name="position", **options)


POSITIONS = {kinds.Absolute: AbsolutePosition, kinds.Axial: AxialPosition}

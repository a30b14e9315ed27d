"""The decoder: an encoder that sees no later token, and in each block the text that another encoder read."""

from typing import Any

import keras
from keras import ops

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.layers import trunk
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.cross_attention import DecoderBlock


@keras.saving.register_keras_serializable("bertkit")
class Decoder(ConfiguredLayer):
    """A Transformer decoder in the shape of an encoder (Rothe, Narayan and Severyn 2020, arXiv 1907.12461, section 2).

    call(token_ids [B,U], memory) -> [B,U,D]; `memory` is what `source_keys_values` made of the sequence that was read.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        name: The name of the layer.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Raises:
        Error: when the encoder's blocks are not those of BERT: post-LN, full attention, not shared.

    Example:
        >>> from bertkit.config import EncoderConfig
        >>> decoder = Decoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> decoder.build()
        >>> tuple(decoder(ops.ones((1, 3), "int32"), decoder.source_keys_values(ops.ones((1, 5, 8)))).shape)
        (1, 3, 8)
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], name: str = "decoder", **options: Any) -> None:
        super().__init__(config, name=name, **options)
        config = self.config
        _check(config)
        self.config = config.but(attention=kinds.Full(causal=True), pooler=None)
        policy = {"dtype": self.dtype_policy}
        self.embeddings = trunk.embeddings(self.config, **policy)
        self.blocks = [DecoderBlock(self.config, index=i, name=f"block_{i}", **policy)
                       for i in range(config.num_layers)]
        self.first = 0 if config.positions.pad_id is None else config.positions.pad_id + 1

    def build(self, _: Any = None) -> None:
        """Create the weights.

        Args:
            _: Not used; the sizes are those of the config.
        """
        self.embeddings.build((None, None))
        for block in self.blocks:
            block.build((None, None, self.config.hidden_dim))

    def call(self, token_ids: Any, memory: list[dict[str, Any]], training: bool | None = None) -> Any:
        """Compute the vectors of the tokens of texts that are written.

        Args:
            token_ids: int [B,U].
            memory: What `source_keys_values` returned for the texts that were read.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,U,D].
        """
        places = ops.arange(ops.shape(token_ids)[1])[None]
        x = self.embed(token_ids, places, training)
        for block, remembered in zip(self.blocks, memory, strict=True):
            x = block(x, {}, remembered, training=training)
        return x

    def embed(self, token_ids: Any, places: Any, training: bool | None = None) -> Any:
        """Compute the embeddings of tokens.

        Args:
            token_ids: int [B,U].
            places: Their positions counted from 0, [1,U].
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            The vectors [B,U,D].
        """
        return self.embeddings({"token_ids": token_ids, "position_ids": places + self.first}, training=training)

    def source_keys_values(self, sequence: Any, padding_mask: Any = None) -> list[dict[str, Any]]:
        """Compute what each block attends to of the text that was read.

        Args:
            sequence: The encoder's vectors [B,T,D].
            padding_mask: [B,T], 1 for real tokens; None where all are real.

        Returns:
            For each block {"memory": its keys and values [B,N,T,H], "padding_mask"}.
        """
        return [{"memory": block.cross.source_keys_values(sequence), "padding_mask": padding_mask}
                for block in self.blocks]

    def empty_cache(self, rows: Any, longest: int, dtype: str) -> tuple[tuple[Any, Any], ...]:
        """Make the empty past of texts before their first token.

        Args:
            rows: The number of texts.
            longest: The number of tokens that the past has room for.
            dtype: The dtype of the keys and values, such as "float32".

        Returns:
            (keys, values) for each block, zeros [rows,N,longest,H].
        """
        shape = (rows, self.config.num_heads, longest, self.config.head_dim)
        return tuple((ops.zeros(shape, dtype), ops.zeros(shape, dtype)) for _ in self.blocks)

    def step(self, token_ids: Any, place: Any, past: Any, memory: list[dict[str, Any]]) -> tuple[Any, tuple[Any, ...]]:
        """Compute one more token of each text.

        Args:
            token_ids: The tokens int [B,1].
            place: Their position, counted from 0, a scalar.
            past: The keys and values of the earlier tokens, (keys, values) [B,N,longest,H] for each
                block, as `empty_cache` or the last step returned them.
            memory: What `source_keys_values` returned.

        Returns:
            The vectors [B,1,D], and the past with these tokens.
        """
        x, grown = self.embed(token_ids, ops.reshape(place, (1, 1))), []
        for block, each, remembered in zip(self.blocks, past, memory, strict=True):
            x, each = block.step(x, place, each, remembered)
            grown.append(each)
        return x, tuple(grown)

    def start_from(self, encoder: Any) -> None:
        """Copy the weights of an encoder; only the attention to the other text keeps its random weights.

        Args:
            encoder: A built `Encoder` of the same config.
        """
        weights = {weight.path.partition(encoder.name + "/")[2]: weight for weight in encoder.weights}
        for weight in self.weights:
            path = weight.path.partition(self.name + "/")[2]
            if "/cross" not in path:
                weight.assign(weights[path])


def _check(config):
    fits = (isinstance(config.block, kinds.PostNorm) and isinstance(config.inputs, kinds.Summed)
            and isinstance(config.attention, kinds.Full) and isinstance(config.positions, kinds.Absolute)
            and config.shared is None)
    if not fits:
        raise Error(f"A decoder is made of BERT's blocks (post-LN, full attention, each with its own weights), and "
                    f"this encoder is {config.family}; give a checkpoint of BERT, RoBERTa, ELECTRA or DistilBERT.")

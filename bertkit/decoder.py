"""The decoder: an encoder that sees no later token, and in each block the text that another encoder read."""

import keras
from keras import ops

from bertkit import kinds
from bertkit.errors import Error
from bertkit.layers import trunk
from bertkit.layers.configured import ConfiguredLayer
from bertkit.layers.cross_attention import DecoderBlock


@keras.saving.register_keras_serializable("bertkit")
class Decoder(ConfiguredLayer):
    """A Transformer decoder in the shape of an encoder (Rothe, Narayan and Severyn 2020, arXiv 1907.12461, section 2).

    call(token_ids [B,U], memory) -> [B,U,D]; `memory` is what `remember` made of the sequence that was read. Raises
    `Error` for an encoder's config whose blocks are not BERT's: post-LN, full attention, not shared.

    >>> from bertkit.config import EncoderConfig
    >>> decoder = Decoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
    >>> decoder.build()
    >>> tuple(decoder(ops.ones((1, 3), "int32"), decoder.remember(ops.ones((1, 5, 8)))).shape)
    (1, 3, 8)
    """

    def __init__(self, config, name="decoder", **options):
        super().__init__(config, name=name, **options)
        config = self.config
        _check(config)
        self.config = config.but(attention=kinds.Full(causal=True), pooler=None)
        policy = {"dtype": self.dtype_policy}
        self.embeddings = trunk.embeddings(self.config, **policy)
        self.blocks = [DecoderBlock(self.config, index=i, name=f"block_{i}", **policy)
                       for i in range(config.num_layers)]
        self.first = 0 if config.positions.pad_id is None else config.positions.pad_id + 1

    def build(self, _=None):
        self.embeddings.build((None, None))
        for block in self.blocks:
            block.build((None, None, self.config.hidden_dim))

    def call(self, token_ids, memory, training=None):
        places = ops.arange(ops.shape(token_ids)[1])[None]
        x = self.embedded(token_ids, places, training)
        for block, remembered in zip(self.blocks, memory, strict=True):
            x = block(x, {}, remembered, training=training)
        return x

    def embedded(self, token_ids, places, training=None):
        """Return tokens at places counted from 0, [B,U] and [1,U] -> [B,U,D]."""
        return self.embeddings({"token_ids": token_ids, "position_ids": places + self.first}, training=training)

    def remember(self, sequence, padding_mask=None):
        """Return what each block attends to of the text that was read: its keys, values and mask."""
        return [{"memory": block.cross.remember(sequence), "padding_mask": padding_mask} for block in self.blocks]

    def nothing(self, rows, longest, dtype):
        """Return the past of `rows` texts before their first token, room for `longest`: (key, value) a block."""
        shape = (rows, self.config.num_heads, longest, self.config.head_dim)
        return tuple((ops.zeros(shape, dtype), ops.zeros(shape, dtype)) for _ in self.blocks)

    def step(self, token_ids, place, past, memory):
        """Return (x [B,1,D], past with this token) of the tokens [B,1] at `place`, a number."""
        x, grown = self.embedded(token_ids, ops.reshape(place, (1, 1))), []
        for block, each, remembered in zip(self.blocks, past, memory, strict=True):
            x, each = block.step(x, place, each, remembered)
            grown.append(each)
        return x, tuple(grown)

    def start_from(self, encoder):
        """Take over the weights of an encoder; only the attention to the other text stays as it was drawn."""
        given = {weight.path.partition(encoder.name + "/")[2]: weight for weight in encoder.weights}
        for weight in self.weights:
            path = weight.path.partition(self.name + "/")[2]
            if "/cross" not in path:
                weight.assign(given[path])


def _check(config):
    fits = (isinstance(config.block, kinds.PostNorm) and isinstance(config.inputs, kinds.Summed)
            and isinstance(config.attention, kinds.Full) and isinstance(config.positions, kinds.Absolute)
            and config.shared is None)
    if not fits:
        raise Error(f"A decoder is made of BERT's blocks (post-LN, full attention, each with its own weights), and "
                    f"this encoder is {config.family}; give a checkpoint of BERT, RoBERTa, ELECTRA or DistilBERT.")

"""What the layers of heads have in common: the config of the encoder below, a kind, and how they are saved."""

import keras

from bertkit.kinds.values import from_json, to_json
from bertkit.layers.configured import ConfiguredLayer


class HeadLayer(ConfiguredLayer):
    """A layer that makes logits of an encoder's outputs.

    Args:
        config: The encoder's `EncoderConfig`, or its JSON.
        kind: What the head reads and computes, see `bertkit.kinds`, or its JSON.
        outputs: Logits of a row or a token, None where the kind says how many.
        dropout: Rate of dropout before the logits, a probability.
        **options: What every Keras layer takes.
    """

    own_entries = ()                      # what of a batch only this head reads

    def __init__(self, config, kind, outputs=None, dropout=None, **options):
        super().__init__(config, **options)
        self.kind, self.outputs, self.dropout = from_json(kind), outputs, dropout

    def get_config(self) -> dict:
        return {**super().get_config(), "kind": to_json(self.kind), "outputs": self.outputs, "dropout": self.dropout}


class WordHead(HeadLayer):
    """A head whose logits are over the vocabulary; `token` is the encoder's table of tokens, which it multiplies by."""

    def __init__(self, config, kind, outputs=None, dropout=None, token=None, **options):
        super().__init__(config, kind, outputs, dropout, **options)
        self.token = token

    def get_config(self) -> dict:
        return {**super().get_config(), "token": keras.saving.serialize_keras_object(self.token)}

    @classmethod
    def from_config(cls, config: dict) -> "WordHead":
        return super().from_config({**config, "token": keras.saving.deserialize_keras_object(config["token"])})

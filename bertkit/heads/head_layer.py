"""What the layers of heads have in common: the config of the encoder below, a kind, and how they are saved."""

from typing import Any

import keras

from bertkit.config import EncoderConfig
from bertkit.kinds.values import from_json, to_json
from bertkit.layers.configured import ConfiguredLayer


class HeadLayer(ConfiguredLayer):
    """A layer that makes logits of an encoder's outputs.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: What the head reads and computes (see `bertkit.kinds`), or its JSON.
        outputs: The number of logits of a row or a token; None where the kind determines it.
        dropout: The rate of dropout before the logits, a probability.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    own_entries: tuple[str, ...] = ()                      # what of a batch only this head reads

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, outputs: int | None = None,
                 dropout: float | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        self.kind, self.outputs, self.dropout = from_json(kind), outputs, dropout

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "kind": to_json(self.kind), "outputs": self.outputs, "dropout": self.dropout}


class WordHead(HeadLayer):
    """A head whose logits are over the vocabulary.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        kind: The kind of head (see `bertkit.kinds`), or its JSON.
        outputs: The number of logits; None where the kind determines it.
        dropout: The rate of dropout, a probability.
        token: The encoder's `keras.layers.Embedding` of tokens, by whose table [V,E] the head multiplies.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], kind: Any, outputs: int | None = None,
                 dropout: float | None = None, token: Any = None, **options: Any) -> None:
        super().__init__(config, kind, outputs, dropout, **options)
        self.token = token

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "token": keras.saving.serialize_keras_object(self.token)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WordHead":
        """Make a head from the values of `get_config`.

        Args:
            config: The dict that `get_config` gives.

        Returns:
            A new head, without the weights.
        """
        return super().from_config({**config, "token": keras.saving.deserialize_keras_object(config["token"])})

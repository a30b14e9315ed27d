"""Layers that are made from an encoder's config, and give it back as JSON."""

from typing import Any

import keras

from bertkit.config import EncoderConfig


class ConfiguredLayer(keras.layers.Layer):
    """A layer whose sizes come from an encoder's config.

    Args:
        config: The `EncoderConfig` of the encoder, or the dict that its `to_json` gives.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict[str, Any], **options: Any) -> None:
        super().__init__(**options)
        self.config = EncoderConfig.of(config)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "config": self.config.to_json()}

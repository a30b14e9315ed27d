"""Layers that are made from an encoder's config, and give it back as JSON."""

import keras

from bertkit.config import EncoderConfig


class ConfiguredLayer(keras.layers.Layer):
    """A layer whose sizes come from an encoder's config.

    Args:
        config: `EncoderConfig`, or the dict that its `to_json` gives.
        **options: What every Keras layer takes: `name`, `dtype`, `trainable`.
    """

    def __init__(self, config: EncoderConfig | dict, **options):
        super().__init__(**options)
        self.config = EncoderConfig.of(config)

    def get_config(self) -> dict:
        return {**super().get_config(), "config": self.config.to_json()}

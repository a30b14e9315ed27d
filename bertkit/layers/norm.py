"""The norms of blocks: LayerNorm, or a scale and a shift of each feature alone."""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig


@keras.saving.register_keras_serializable("bertkit")
class NoNorm(keras.layers.Layer):
    """A scale and a shift of each feature, in the place of LayerNorm.

    y = x · γ + β, for each feature (Sun et al. 2020, MobileBERT, section 3.3); [..., D] -> [..., D].

    Args:
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return super().get_config()         # without a method of its own Keras refuses a layer made with a dtype policy

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        self.gamma = self.add_weight(name="gamma", shape=(shape[-1],), initializer="ones")
        self.beta = self.add_weight(name="beta", shape=(shape[-1],), initializer="zeros")

    def call(self, x: Any) -> Any:
        """Scale and shift each feature.

        Args:
            x: A tensor [..., D].

        Returns:
            A tensor [..., D].
        """
        x, gamma, beta = (ops.cast(part, self.compute_dtype) for part in (x, self.gamma, self.beta))
        return x * gamma + beta


def norm(config: EncoderConfig, name: str, epsilon: float | None = None, **options: Any) -> keras.layers.Layer:
    """Make the norm that a config's blocks have: `NoNorm`, or LayerNorm.

    Args:
        config: The encoder's `EncoderConfig`.
        name: The name of the layer.
        epsilon: ε of LayerNorm; None takes that of the config.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A layer.
    """
    if getattr(config.block, "affine", False):
        return NoNorm(name=name, **options)
    return keras.layers.LayerNormalization(epsilon=epsilon or config.layer_norm_epsilon, center=config.norm_bias,
                                           name=name, **options)

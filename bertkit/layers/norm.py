"""The norms of blocks: LayerNorm, RMSNorm, or a scale and a shift of each feature alone."""

from typing import Any

import keras
from keras import ops

from bertkit.config import EncoderConfig
from bertkit.kinds import RootPreNorm


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


@keras.saving.register_keras_serializable("bertkit")
class RMSNorm(keras.layers.Layer):
    """A norm that divides by the root of the mean square, without a mean that is taken away.

    y = γ · x / √(mean(x²) + ε) (Zhang and Sennrich 2019, arXiv 1910.07467, equation 4); [..., D] -> [..., D]. The root
    is computed in float32 at least.

    Args:
        epsilon: ε, what is added to the mean square.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Example:
        >>> [round(float(each), 2) for each in RMSNorm(epsilon=1e-6)(ops.array([3.0, 4.0, 0.0, 0.0]))]
        [1.2, 1.6, 0.0, 0.0]
    """

    def __init__(self, epsilon: float = 1e-5, **options: Any) -> None:
        super().__init__(**options)
        self.epsilon = epsilon

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "epsilon": self.epsilon}

    def build(self, shape: Any) -> None:
        """Create the weights.

        Args:
            shape: The shape of the input, (B, T, D) with None for what is not known.
        """
        self.gamma = self.add_weight(name="gamma", shape=(shape[-1],), initializer="ones")

    def call(self, x: Any) -> Any:
        """Scale each vector to a mean square of 1, and each feature by its weight.

        Args:
            x: A tensor [..., D].

        Returns:
            A tensor [..., D].
        """
        x = ops.cast(x, keras.backend.result_type(self.compute_dtype, "float32"))
        x = x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + self.epsilon)
        return ops.cast(x, self.compute_dtype) * ops.cast(self.gamma, self.compute_dtype)


def norm(config: EncoderConfig, name: str, epsilon: float | None = None, **options: Any) -> keras.layers.Layer:
    """Make the norm that a config's blocks have: `NoNorm`, `RMSNorm`, or LayerNorm.

    Args:
        config: The encoder's `EncoderConfig`.
        name: The name of the layer.
        epsilon: ε of the norm; None takes that of the config.
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.

    Returns:
        A layer.
    """
    if getattr(config.block, "affine", False):
        return NoNorm(name=name, **options)
    if isinstance(config.block, RootPreNorm):
        return RMSNorm(epsilon or config.layer_norm_epsilon, name=name, **options)
    return keras.layers.LayerNormalization(epsilon=epsilon or config.layer_norm_epsilon, center=config.norm_bias,
                                           name=name, **options)

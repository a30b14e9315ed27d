"""What keeps the features of a token in range."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("bertkit")
class NoNorm(keras.layers.Layer):
    """y = x · γ + β, for each feature (Sun et al. 2020, MobileBERT, section 3.3); [..., D] -> [..., D]."""

    def get_config(self):
        return super().get_config()         # without a method of its own Keras refuses a layer made with a dtype policy

    def build(self, shape):
        self.gamma = self.add_weight(name="gamma", shape=(shape[-1],), initializer="ones")
        self.beta = self.add_weight(name="beta", shape=(shape[-1],), initializer="zeros")

    def call(self, x):
        x, gamma, beta = (ops.cast(part, self.compute_dtype) for part in (x, self.gamma, self.beta))
        return x * gamma + beta


def norm(config, name, epsilon=None, **options):
    """Return the norm that a config's blocks have: NoNorm, or LayerNorm with its epsilon unless another is given."""
    if getattr(config.block, "affine", False):
        return NoNorm(name=name, **options)
    return keras.layers.LayerNormalization(epsilon=epsilon or config.layer_norm_epsilon, center=config.norm_bias,
                                           name=name, **options)

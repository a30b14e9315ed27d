"""How weights begin."""

import keras
import numpy as np


def truncated_normal(config):
    """Return N(0, initializer_range²) cut at two deviations (google-research/bert, modeling.py)."""
    return keras.initializers.TruncatedNormal(stddev=config.initializer_range)


def sinusoids(shape, dtype=None):
    """Return [P,E] with sin(p / 10000^(2k/E)) in column 2k, its cosine in 2k + 1 (Vaswani et al. 2017, section 3.5)."""
    positions, columns = np.indices(shape)
    angles = positions / 10000 ** (columns // 2 * 2 / shape[1])
    return keras.ops.convert_to_tensor(np.where(columns % 2, np.cos(angles), np.sin(angles)), dtype)

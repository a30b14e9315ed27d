"""The initial values of weights."""

from typing import Any

import keras
import numpy as np

from bertkit.config import EncoderConfig


def truncated_normal(config: EncoderConfig) -> keras.initializers.Initializer:
    """Make the initializer of weights, N(0, initializer_range²) cut at two deviations.

    Source: google-research/bert, modeling.py.

    Args:
        config: The encoder's `EncoderConfig`.

    Returns:
        A Keras initializer.
    """
    return keras.initializers.TruncatedNormal(stddev=config.initializer_range)


def sinusoids(shape: tuple[int, int], dtype: Any = None) -> Any:
    """Compute sin(p / 10000^(2k/E)) in column 2k and its cosine in column 2k + 1 (Vaswani et al. 2017, section 3.5).

    Args:
        shape: (P, E), the numbers of positions and of features.
        dtype: The dtype of the result; None takes that of Keras.

    Returns:
        A tensor [P,E].

    Example:
        >>> [round(float(each), 4) for each in sinusoids((2, 2))[1]]
        [0.8415, 0.5403]
    """
    positions, columns = np.indices(shape)
    angles = positions / 10000 ** (columns // 2 * 2 / shape[1])
    return keras.ops.convert_to_tensor(np.where(columns % 2, np.cos(angles), np.sin(angles)), dtype)

"""How weights begin."""

import keras


def truncated_normal(config):
    """Return N(0, initializer_range²) cut at two deviations (google-research/bert, modeling.py)."""
    return keras.initializers.TruncatedNormal(stddev=config.initializer_range)

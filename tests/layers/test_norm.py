"""The norms: each against its formula, and which one a config has."""

import keras
import numpy as np

from bertkit.config import EncoderConfig
from bertkit.kinds import Bottleneck, PreNorm, RootPreNorm
from bertkit.layers.norm import NoNorm, RMSNorm, norm
from tests.layers.drawn import drawn, named

CONFIG = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=6, intermediate_dim=4,
                       layer_norm_epsilon=1e-3)
X = np.random.default_rng(1).standard_normal((2, 3, 6))


def test_no_norm_is_a_scale_and_a_shift_of_each_feature():
    layer = drawn(NoNorm(dtype="float64", name="norm"), X.shape)
    np.testing.assert_allclose(layer(X), X * named(layer)["gamma"] + named(layer)["beta"], rtol=1e-15)
    np.testing.assert_array_equal(NoNorm(dtype="float64")(X), X)


def test_it_computes_in_half_precision_where_asked():
    assert keras.backend.standardize_dtype(NoNorm(dtype="mixed_bfloat16")(X).dtype) == "bfloat16"


def test_a_config_says_which_norm_it_has():
    plain, affine, exact = (norm(config, "norm") for config in (
        CONFIG.but(block=PreNorm()), CONFIG.but(block=Bottleneck(width=4)), CONFIG))
    assert isinstance(affine, NoNorm) and not isinstance(plain, NoNorm)
    assert (plain.center, exact.center) == (False, True)
    assert (exact.epsilon, norm(CONFIG, "norm", 1e-5).epsilon) == (1e-3, 1e-5)


def test_rms_norm_divides_by_the_root_of_the_mean_square():
    layer = drawn(RMSNorm(1e-3, dtype="float64", name="norm"), X.shape)
    wanted = X / np.sqrt((X ** 2).mean(-1, keepdims=True) + 1e-3) * named(layer)["gamma"]
    np.testing.assert_allclose(layer(X), wanted, rtol=1e-12)
    assert RMSNorm.from_config(layer.get_config()).epsilon == 1e-3
    assert isinstance(norm(CONFIG.but(block=RootPreNorm()), "norm"), RMSNorm)
    assert norm(CONFIG.but(block=RootPreNorm()), "norm").epsilon == 1e-3


def test_rms_norm_of_half_precision_squares_in_float32():
    """The squares of these numbers are too large for float16."""
    layer = RMSNorm(dtype="float16")
    found = np.asarray(layer(np.full((1, 4), 1000.0, "float16")))
    assert found.dtype == "float16"
    np.testing.assert_allclose(found, 1.0, rtol=1e-3)

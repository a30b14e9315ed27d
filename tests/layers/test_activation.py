"""Every activation against its formula in double precision."""

import math

import numpy as np
import pytest
from scipy.special import erf

from bertkit.config import ACTIVATIONS, EncoderConfig
from bertkit.layers.activation import FUNCTIONS
from bertkit.layers.block import Block

X = np.linspace(-8, 8, 801)
SIGMOID = 1 / (1 + np.exp(-X))
FORMULAS = {
    "gelu_erf": X / 2 * (1 + erf(X / math.sqrt(2))),
    "gelu_tanh": X / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * X**3))),
    "quick_gelu": X / (1 + np.exp(-1.702 * X)),
    "relu": np.maximum(X, 0),
    "silu": X * SIGMOID,
    "tanh": np.tanh(X),
    "mish": X * np.tanh(np.log1p(np.exp(X))),
    "linear": X,
}


def test_there_is_a_formula_for_each():
    assert set(FORMULAS) == set(FUNCTIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_equals_its_formula(name):
    np.testing.assert_allclose(FUNCTIONS[name](X), FORMULAS[name], atol=1e-6)


def test_no_two_are_the_same_function():
    """The closest two, the GELUs, are 4.7e-4 apart: far more than the tolerance above."""
    found = {name: np.asarray(FUNCTIONS[name](X)) for name in ACTIVATIONS}
    apart = {frozenset((a, b)): np.abs(found[a] - found[b]).max() for a in found for b in found if a < b}
    assert min(apart, key=apart.get) == {"gelu_erf", "gelu_tanh"}
    assert 4e-4 < min(apart.values()) < 5e-4


@pytest.mark.parametrize("name", ["relu", "mish"])
def test_a_block_computes_with_the_one_its_config_names(name):
    config = EncoderConfig(vocabulary_size=9, num_layers=1, num_heads=2, hidden_dim=6, intermediate_dim=10,
                           activation=name)
    assert Block(config).activation is FUNCTIONS[name]

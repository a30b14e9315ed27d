"""The activations a checkpoint can name; the two GELUs are different functions and stay apart."""

from keras import ops

from bertkit.config import ACTIVATIONS


def gelu_erf(x):
    """Return x · Φ(x) = x/2 · (1 + erf(x/√2)), elementwise (Hendrycks & Gimpel 2016, section 2)."""
    return ops.gelu(x, approximate=False)


def gelu_tanh(x):
    """Return x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))), the approximation in Google's BERT.

    It differs from `gelu_erf` by up to 5e-4, which grows to 3e-3 through a model.
    """
    return ops.gelu(x, approximate=True)


def quick_gelu(x):
    """Return x · sigmoid(1.702 x) (Hendrycks & Gimpel 2016, section 2)."""
    return x * ops.sigmoid(1.702 * x)


def mish(x):
    """Return x · tanh(log(1 + eˣ)) (Misra 2019)."""
    return x * ops.tanh(ops.softplus(x))


def linear(x):
    """Return x."""
    return x


FUNCTIONS = {"gelu_erf": gelu_erf, "gelu_tanh": gelu_tanh, "quick_gelu": quick_gelu,
             "relu": ops.relu, "silu": ops.silu, "tanh": ops.tanh, "mish": mish, "linear": linear}
assert tuple(FUNCTIONS) == ACTIVATIONS

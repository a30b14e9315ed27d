"""The activations that a checkpoint can name; the two GELUs are different functions."""

from typing import Any

from keras import ops

from bertkit.config import ACTIVATIONS


def gelu_erf(x: Any) -> Any:
    """Compute x · Φ(x) = x/2 · (1 + erf(x/√2)), elementwise (Hendrycks & Gimpel 2016, section 2).

    Args:
        x: A float tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> [round(float(y), 4) for y in gelu_erf(ops.array([-1.0, 0.0, 1.0]))]
        [-0.1587, 0.0, 0.8413]
    """
    return ops.gelu(x, approximate=False)


def gelu_tanh(x: Any) -> Any:
    """Compute x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))), the approximation in Google's BERT.

    It differs from `gelu_erf` by up to 5e-4, which grows to 3e-3 through a model.

    Args:
        x: A float tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> [round(float(y), 4) for y in gelu_tanh(ops.array([-1.0, 0.0, 1.0]))]
        [-0.1588, 0.0, 0.8412]
    """
    return ops.gelu(x, approximate=True)


def quick_gelu(x: Any) -> Any:
    """Compute x · sigmoid(1.702 x) (Hendrycks & Gimpel 2016, section 2).

    Args:
        x: A float tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> [round(float(y), 4) for y in quick_gelu(ops.array([-1.0, 0.0, 1.0]))]
        [-0.1542, 0.0, 0.8458]
    """
    return x * ops.sigmoid(1.702 * x)


def mish(x: Any) -> Any:
    """Compute x · tanh(log(1 + eˣ)) (Misra 2019).

    Args:
        x: A float tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> [round(float(y), 4) for y in mish(ops.array([-1.0, 0.0, 1.0]))]
        [-0.3034, 0.0, 0.8651]
    """
    return x * ops.tanh(ops.softplus(x))


def linear(x: Any) -> Any:
    """Return x as it is.

    Args:
        x: A float tensor of any shape.

    Returns:
        x itself, of the same shape.

    Example:
        >>> [round(float(y), 4) for y in linear(ops.array([-1.0, 0.0, 1.0]))]
        [-1.0, 0.0, 1.0]
    """
    return x


FUNCTIONS = {"gelu_erf": gelu_erf, "gelu_tanh": gelu_tanh, "quick_gelu": quick_gelu,
             "relu": ops.relu, "silu": ops.silu, "tanh": ops.tanh, "mish": mish, "linear": linear}
assert tuple(FUNCTIONS) == ACTIVATIONS

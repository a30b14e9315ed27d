"""The activations of the independent encoder, in numpy, and the error function that GELU needs."""

import math
from collections.abc import Callable

import numpy as np

_STEP = 4096.0
_PLACES = np.arange(-6 * 4096, 6 * 4096 + 1) / _STEP
_NODES = np.array([math.erf(place) for place in _PLACES])
_SLOPES = 2 / math.sqrt(math.pi) * np.exp(-_PLACES * _PLACES)


def erf(x: np.ndarray) -> np.ndarray:
    """Return the error function, to 1e-15: Taylor's series around the nearest of 49153 nodes.

    erf(n + h) = erf(n) + 2/√π · e^(-n²) · (h - n h² + (2n² - 1) h³/3 - ...), |h| ≤ 1/8192

    Args:
        x: Numbers of any shape, float32 or float64.

    Returns:
        Floats of the same shape and dtype.
    """
    clipped = np.clip(np.asarray(x, np.float64), -6, 6)
    node = np.rint(clipped * _STEP).astype(np.int32)
    node += 6 * 4096
    n = _PLACES[node]
    h = clipped - n
    return (_NODES[node] + _SLOPES[node] * h * (1 + h * (h * (2 * n * n - 1) / 3 - n))).astype(x.dtype)


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def gelu(x: np.ndarray) -> np.ndarray:
    """Return x · Φ(x), Φ the normal distribution (Hendrycks and Gimpel 2016, arXiv 1606.08415).

    Args:
        x: Numbers of any shape, float32 or float64.

    Returns:
        Floats of the same shape and dtype.
    """
    return 0.5 * x * (1 + erf(x * x.dtype.type(math.sqrt(0.5))))


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """Return x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), the approximation in section 2 of the same paper.

    Args:
        x: Numbers of any shape, float32 or float64.

    Returns:
        Floats of the same shape and dtype.
    """
    return 0.5 * x * (1 + np.tanh(x.dtype.type(math.sqrt(2 / math.pi)) * (x + x.dtype.type(0.044715) * x ** 3)))


def _softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gelu": gelu, "gelu_new": gelu_tanh, "quick_gelu": lambda x: x * _sigmoid(1.702 * x),
    "relu": lambda x: np.maximum(x, 0), "silu": lambda x: x * _sigmoid(x), "tanh": np.tanh,
    "mish": lambda x: x * np.tanh(_softplus(x)), "linear": lambda x: x, "sigmoid": _sigmoid,
    "relu2": lambda x: np.maximum(x, 0) ** 2, "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x), "softplus": _softplus,
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))}
ALIASES = {"gelu_pytorch_tanh": "gelu_new", "gelu_fast": "gelu_new", "gelu_python_tanh": "gelu_new",
           "gelu_accurate": "gelu_new", "gelu_python": "gelu", "swish": "silu", "gelu_erf": "gelu",
           "gelu_tanh": "gelu_new"}


def curve(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return the activation of a name in config.json.

    Args:
        name: Such as "gelu".

    Returns:
        `function(x)` of an array of any shape, float32 or float64.
    """
    return CURVES[ALIASES.get(name, name)]

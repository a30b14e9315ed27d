"""Entries of a published config.json: each is read as what it should be, or an `Error` names its key."""

from bertkit.errors import Error

# transformers' names of activations (its activations.py); "gelu" is the exact form there.
ACTIVATIONS = {"gelu": "gelu_erf", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh",
               "gelu_fast": "gelu_tanh", "gelu_python_tanh": "gelu_tanh", "gelu_accurate": "gelu_tanh",
               "quick_gelu": "quick_gelu", "relu": "relu", "silu": "silu", "swish": "silu", "tanh": "tanh",
               "mish": "mish", "linear": "linear"}
# Ours -> the name written; of several spellings the first.
NAMES = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}


def activation(values, key, default="gelu"):
    """Return bertkit's name of the activation at `key`, `default` (theirs) where there is none.

    >>> activation({"hidden_act": "gelu_new"}, "hidden_act")
    'gelu_tanh'
    """
    return ACTIVATIONS[choice(values, key, default, ACTIVATIONS)]


def choice(values, key, default, allowed):
    """Return the word at `key`, one of `allowed`."""
    name = _entry(values, key, default)
    if not isinstance(name, str) or name not in allowed:
        raise Error(f"{key}={name!r} is unknown; bertkit has {', '.join(allowed)}.")
    return name


def flag(values, key, default):
    """Return the truth at `key`."""
    value = _entry(values, key, default)
    if not isinstance(value, bool):
        raise Error(f"{key}={value!r}; wanted true or false.")
    return value


def whole(values, key, default, least=0, most=2**31):
    """Return the whole number at `key`, from `least` to `most`."""
    value = _entry(values, key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Error(f"{key}={value!r}; wanted a whole number from {least} to {most}.")
    return value


def number(values, key, default, least=0.0, most=1e38):
    """Return the number at `key` as a float, from `least` to `most`."""
    value = _entry(values, key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Error(f"{key}={value!r}; wanted a number from {least:g} to {most:g}.")
    return float(value)


def rate(values, key, default=0.0):
    """Return the probability below 1 at `key`."""
    if (value := number(values, key, default)) >= 1:
        raise Error(f"{key}={value!r} is no probability below 1; 0 and 0.1 are usual.")
    return value


def _entry(values, key, default):
    """null stands for the default, as in transformers."""
    value = values.get(key)
    return default if value is None else value

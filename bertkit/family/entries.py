"""Entries of a published config.json: each is checked as it is read, and an `Error` names the key of a wrong one."""

from collections.abc import Collection
from typing import Any

from bertkit.errors import Error

# transformers' names of activations (its activations.py); "gelu" is the exact form there.
ACTIVATIONS = {"gelu": "gelu_erf", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh",
               "gelu_fast": "gelu_tanh", "gelu_python_tanh": "gelu_tanh", "gelu_accurate": "gelu_tanh",
               "quick_gelu": "quick_gelu", "relu": "relu", "silu": "silu", "swish": "silu", "tanh": "tanh",
               "mish": "mish", "linear": "linear"}
# bertkit's name -> the name that is written, of several spellings the first.
NAMES = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}


def activation(values: dict[str, Any], key: str, default: str | None = "gelu") -> str:
    """Read the name of an activation.

    Args:
        values: the parsed config.json.
        key: key of the entry.
        default: name in transformers where there is no entry; None where there must be one.

    Returns:
        bertkit's name of the activation.

    Raises:
        Error: when bertkit has no such activation.

    Example:
        >>> activation({"hidden_act": "gelu_new"}, "hidden_act")
        'gelu_tanh'
    """
    return ACTIVATIONS[choice(values, key, default, ACTIVATIONS)]


def choice(values: dict[str, Any], key: str, default: Any, allowed: Collection[str]) -> str:
    """Read a word.

    Args:
        values: the parsed config.json.
        key: key of the entry.
        default: value where there is no entry.
        allowed: the words that it can be.

    Returns:
        The word.

    Raises:
        Error: when it is not among `allowed`.
    """
    name = _entry(values, key, default)
    if not isinstance(name, str) or name not in allowed:
        raise Error(f"{key}={name!r} is unknown; bertkit has {', '.join(allowed)}.")
    return name


def flag(values: dict[str, Any], key: str, default: bool) -> bool:
    """Read true or false. Null is false, whatever the default: transformers asks whether the value is true.

    Args:
        values: the parsed config.json.
        key: key of the entry.
        default: value where there is no entry.

    Returns:
        True or False.

    Raises:
        Error: when the entry is something else.

    Example:
        >>> flag({"use_bias": None}, "use_bias", True), flag({}, "use_bias", True)
        (False, True)
    """
    value = values.get(key, default)
    value = False if value is None else value
    if not isinstance(value, bool):
        raise Error(f"{key}={value!r}; wanted true or false.")
    return value


def whole(values: dict[str, Any], key: str, default: int | None, least: int = 0, most: int = 2**31) -> int:
    """Read a whole number.

    Args:
        values: the parsed config.json.
        key: key of the entry.
        default: value where there is no entry; None where there must be one.
        least: smallest value.
        most: largest value.

    Returns:
        The number, an int.

    Raises:
        Error: when the entry is no whole number from `least` to `most`.
    """
    value = _entry(values, key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Error(f"{key}={value!r}; wanted a whole number from {least} to {most}.")
    return value


def number(values: dict[str, Any], key: str, default: float, least: float = 0.0, most: float = 1e38) -> float:
    """Read a number.

    Args:
        values: the parsed config.json.
        key: key of the entry.
        default: value where there is no entry.
        least: smallest value.
        most: largest value.

    Returns:
        The number, a float.

    Raises:
        Error: when the entry is no number from `least` to `most`.
    """
    value = _entry(values, key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Error(f"{key}={value!r}; wanted a number from {least:g} to {most:g}.")
    return float(value)


def rate(values: dict[str, Any], key: str, default: float = 0.0) -> float:
    """Read a rate of dropout.

    Args:
        values: the parsed config.json.
        key: key of the entry.
        default: value where there is no entry.

    Returns:
        The rate, a float in [0, 1).

    Raises:
        Error: when the entry is no probability below 1.
    """
    if (value := number(values, key, default)) >= 1:
        raise Error(f"{key}={value!r} is no probability below 1; 0 and 0.1 are usual.")
    return value


def _entry(values, key, default):
    """Return an entry; null stands for the default."""
    value = values.get(key)
    return default if value is None else value

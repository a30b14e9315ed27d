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


def rope_theta(values: dict[str, Any], default: float) -> float:
    """Read the base of rotary angles: of rope_parameters, or the rope_theta that it replaced in 2025.

    Args:
        values: the parsed config.json.
        default: value where there is no entry.

    Returns:
        The base, a float.

    Raises:
        Error: when the angles are scaled, or the base is no number of 1 or more.

    Example:
        >>> rope_theta({"rope_theta": 250000}, 10_000.0)
        250000.0
    """
    rope, older = values.get("rope_parameters") or {}, values.get("rope_scaling")
    part = number(values, "partial_rotary_factor", 1.0)
    if part != 1:
        raise Error(f"partial_rotary_factor={part:g}; bertkit turns all features of a head.")
    known = isinstance(rope, dict) and set(rope) <= {"rope_type", "rope_theta"}
    if not known or rope.get("rope_type", "default") != "default" or older:
        raise Error(f"rope_parameters={str(rope)[:80]}, rope_scaling={str(older)[:80]}; bertkit turns by rope_theta, "
                    "in the default rope_type.")
    return number(rope, "rope_theta", number(values, "rope_theta", default, least=1), least=1)


def head_size(values: dict[str, Any], heads: int, width: int) -> int | None:
    """Read the features of a head.

    Args:
        values: the parsed config.json.
        heads: num_attention_heads where there is no entry.
        width: hidden_size where there is no entry.

    Returns:
        The entry head_dim; None where there is none or the heads share hidden_size evenly.

    Raises:
        Error: when the entry is no whole number.
    """
    size = whole(values, "head_dim", 0)
    heads, width = values.get("num_attention_heads", heads), values.get("hidden_size", width)
    return size if size and size * heads != width else None


def _entry(values, key, default):
    """Return an entry; null stands for the default."""
    value = values.get(key)
    return default if value is None else value

"""Kinds as JSON, and which values their fields may hold."""

from collections.abc import Callable
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from bertkit.errors import Error
from bertkit.kinds import KINDS

# The fields that count something and must be 1 or more. Other whole numbers must be 0 or more, except those of SIGNED.
COUNTS = {"size", "chunk", "hashes", "groups", "inner", "feeds", "width", "targets", "starts", "ends", "key_heads"}
SIGNED = {"clamp", "seed"}
# The largest values of fields that take memory or time in proportion; the longest published rows have 2**16 tokens.
MOST = {"chunk": 2**16, "before": 64, "after": 64, "hashes": 64, "buckets": 2**20, "seed": 2**31 - 1, "window": 2**20}
# More rules for the numbers of a field, where it is not None: a test, and what is wanted.
RULES: dict[str, tuple[Callable[..., Any], str]] = {
    "buckets": (lambda numbers: numbers and all(type(n) is int and n % 2 == 0 for n in numbers), "even numbers"),
    **dict.fromkeys(("shape", "widths"), (lambda numbers: [type(n) for n in numbers] == [int, int],
                                          "two whole numbers")),
    **dict.fromkeys(("dropout", "feed_dropout"), (lambda numbers: 0 <= numbers[0] < 1, "a probability below 1")),
}


def to_json(value: Any) -> Any:
    """Return the JSON value of a kind.

    Args:
        value: a kind, a tuple of kinds, or a plain value.

    Returns:
        {"kind": its name, and its fields} for a kind, a list for a tuple, any other value as it is.

    Example:
        >>> from bertkit.kinds import Window
        >>> to_json((Window(size=128), None))
        [{'kind': 'Window', 'size': 128}, None]
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__, **{name: to_json(part) for name, part in asdict(value).items()}}
    return [to_json(part) for part in value] if isinstance(value, tuple) else value


def from_json(value: Any) -> Any:
    """Return what `to_json` was given.

    Args:
        value: a JSON value of `to_json`.

    Returns:
        A kind, a tuple, or the value as it is.

    Raises:
        Error: when bertkit has no such kind, or the kind no such field.

    Example:
        >>> from_json({"kind": "Window", "size": 128})
        Window(size=128)
    """
    if isinstance(value, list):
        return tuple(map(from_json, value))
    if not isinstance(value, dict):
        return value
    name = value.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise Error(f"The config names the kind {name!r}; bertkit has {', '.join(KINDS)}.")
    known = {field.name for field in fields(KINDS[name])} | {"kind"}
    if unknown := sorted(set(value) - known):
        raise Error(f"The config gives {name} the field {', '.join(unknown)}, which this version of bertkit does not "
                    "know.")
    return KINDS[name](**{key: from_json(part) for key, part in value.items() if key != "kind"})


def check(kind: Any) -> None:
    """Check that every field of a kind has its type and an allowed value.

    Args:
        kind: the kind.

    Raises:
        Error: when a field is of another type, a number is too small or too large, or one of `RULES` does not hold.

    Example:
        >>> from bertkit.kinds import Window
        >>> check(Window(size=0))
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: Window(size=0): give 1 or more.
    """
    for field in fields(kind):
        value = getattr(kind, field.name)
        wanted_type: Any = field.type
        bool_for_another = wanted_type is not bool and isinstance(value, bool)
        if bool_for_another or not isinstance(value, wanted_type) and not (
                wanted_type in (float, float | None) and isinstance(value, int)):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): wanted {_named(wanted_type)}.")
        numbers = value if isinstance(value, tuple) else (value,)
        smallest = 1 if field.name in COUNTS or isinstance(value, tuple) else 0
        if field.name not in SIGNED and any(isinstance(n, int) and n < smallest for n in numbers):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): give {smallest} or more.")
        if field.name in MOST and any(isinstance(n, int) and n > MOST[field.name] for n in numbers):
            raise Error(f"{type(kind).__name__}({field.name}={value!r:.40}): give {MOST[field.name]} or less.")
        fits, wanted = RULES.get(field.name, (None, ""))
        if fits is not None and value is not None and not fits(numbers):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): wanted {wanted}.")


def _named(kind):
    return getattr(kind, "__name__", str(kind))

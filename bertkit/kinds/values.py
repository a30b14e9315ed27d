"""Kinds as JSON, and what their fields may hold."""

from dataclasses import asdict, fields, is_dataclass

from bertkit.errors import Error
from bertkit.kinds import KINDS

# Fields that count something there must be at least one of; other whole numbers may be 0, and these may be below it.
COUNTS = {"size", "chunk", "hashes", "groups", "inner", "feeds", "width", "targets", "starts", "ends"}
SIGNED = {"clamp", "seed"}
# What else the numbers of a field must be, where it is not None.
RULES = {"buckets": (lambda numbers: numbers and all(type(n) is int and n % 2 == 0 for n in numbers), "even numbers"),
         **dict.fromkeys(("shape", "widths"), (lambda numbers: [type(n) for n in numbers] == [int, int],
                                               "two whole numbers")),
         **dict.fromkeys(("dropout", "feed_dropout"), (lambda numbers: 0 <= numbers[0] < 1, "a probability below 1"))}


def to_json(value):
    """Return a kind as {"kind": its name, its fields}, a tuple as a list, and anything else as it is."""
    if is_dataclass(value):
        return {"kind": type(value).__name__, **{name: to_json(part) for name, part in asdict(value).items()}}
    return [to_json(part) for part in value] if isinstance(value, tuple) else value


def from_json(value):
    """Return what `to_json` was given; raises `Error` on a kind or a field that bertkit does not have."""
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


def check(kind):
    """Raise `Error` unless every field of a kind is of its type, no count is below what it can be, and `RULES` hold."""
    for field in fields(kind):
        value = getattr(kind, field.name)
        exact = field.type is not bool and isinstance(value, bool)
        if exact or not isinstance(value, field.type) and not (
                field.type in (float, float | None) and isinstance(value, int)):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): wanted {_named(field.type)}.")
        numbers = value if isinstance(value, tuple) else (value,)
        least = 1 if field.name in COUNTS or isinstance(value, tuple) else 0
        if field.name not in SIGNED and any(isinstance(n, int) and n < least for n in numbers):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): give {least} or more.")
        fits, wanted = RULES.get(field.name, (None, ""))
        if fits is not None and value is not None and not fits(numbers):
            raise Error(f"{type(kind).__name__}({field.name}={value!r}): wanted {wanted}.")


def _named(kind):
    return getattr(kind, "__name__", str(kind))

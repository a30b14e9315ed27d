"""What a JSON file may hold: it is parsed within bounds, and compared with a description of its keys.

A description ("shape") is written as the value itself would be:

    str, bool, dict, list, None     any value of this type; None is null
    Whole(1), Number(0, 1)          a number within bounds
    Choice("exact", "faiss")        one of these words
    {"length": Whole(1)}            an object with these keys, and others; one may be absent where its shape is a Maybe
    Only({"length": Whole(1)})      an object with these keys and no others
    Each(Whole())                   an object of any keys, each value of one shape
    [str]                           a list of values of one shape; Several(str, 1) says how many at least
    (str, None)                     one of several shapes
"""

import hashlib
import inspect
import json
import math
import reprlib
import sys
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bertkit.errors import Error

DIGITS = 300                # of a whole number: more do not fit a float, and Python converts 4,300 at most
MOST = 2**53                # the largest whole number that every reader of JSON keeps
SUM = "sum"                 # the key under which a JSON file keeps the checksum of its other keys
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 40


@dataclass(frozen=True)
class Whole:
    """A whole number.

    Args:
        least: smallest value.
        most: largest value.
    """

    least: int = 0
    most: int = MOST

    def fault(self, value: Any) -> str | None:
        """Return what is wanted where a value is something else.

        Args:
            value: JSON value.

        Returns:
            Words, or None where the value is right.
        """
        right = isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most
        return None if right else f"a whole number of {_range(self)}"


@dataclass(frozen=True)
class Number:
    """A finite number.

    Args:
        least: smallest value.
        most: largest value.
    """

    least: float = -sys.float_info.max
    most: float = sys.float_info.max

    def fault(self, value: Any) -> str | None:
        """Return what is wanted where a value is something else.

        Args:
            value: JSON value.

        Returns:
            Words, or None where the value is right.
        """
        right = isinstance(value, int | float) and not isinstance(value, bool) and self.least <= value <= self.most
        return None if right else f"a number of {self.least:g} to {self.most:g}"


class Choice:
    """One of several words.

    Args:
        *words: the words.
    """

    def __init__(self, *words: Any) -> None:
        self.words = words

    def fault(self, value: Any) -> str | None:
        """Return what is wanted where a value is something else.

        Args:
            value: JSON value.

        Returns:
            Words, or None where the value is right.
        """
        right = any(type(value) is type(word) and value == word for word in self.words)
        return None if right else " or ".join(map(json.dumps, self.words))


@dataclass(frozen=True)
class Each:
    """An object of any keys whose values have one shape.

    Args:
        shape: the shape of each value.
    """

    shape: Any


@dataclass(frozen=True)
class Only:
    """An object that has no other keys than these.

    Args:
        keys: {key: its shape}.
    """

    keys: dict[str, Any]


@dataclass(frozen=True)
class Several:
    """A list of values of one shape.

    Args:
        shape: the shape of each value.
        least: smallest length.
        most: largest length.
        different: whether no value may come twice.
    """

    shape: Any
    least: int = 0
    most: int = MOST
    different: bool = False


@dataclass(frozen=True)
class Maybe:
    """What a key holds where it is there.

    Args:
        shape: the shape of the value.
    """

    shape: Any


_PLAIN: dict[Any, Any] = {str: str, bool: bool, int: Whole(most=2**31), float: Number(), type(None): None}
ANY = (dict, list, str, bool, Number(), None)
_NAMES = {str: "a string", bool: "true or false", dict: "an object", list: "a list", None: "null"}


def check(value: Any, shape: Any, source: Any, advice: str = "copy it again") -> None:
    """Compare a value with a shape.

    Args:
        value: JSON value.
        shape: what it should be, see this module's first lines.
        source: the file, as the message names it.
        advice: what the message advises.

    Raises:
        Error: with the first key that holds something else, what it holds and what was wanted.

    Example:
        >>> check({"length": "8"}, {"length": Whole(1, 512)}, "bundle.json")
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: bundle.json: length is '8', wanted a whole number of 1 to 512; copy it again.
    """
    if found := _fault(value, shape, ""):
        raise Error(f"{source}: {found}; {advice}.")


def check_argument(name: str, value: Any, shape: Whole | Number | Choice) -> None:
    """Compare what a caller gave for an argument with what it should be; a number of numpy is a number.

    Args:
        name: the argument.
        value: the value.
        shape: what it should be.

    Raises:
        Error: when it is something else.

    Example:
        >>> check_argument("length", "8", Whole(1))
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: length='8'; give a whole number of 1 or more.
    """
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
    if wanted := shape.fault(value):
        raise Error(f"{name}={value!r:.40}; give {wanted}.")


def _fault(value, shape, place):
    """Return the first fault of a value in words, or None."""
    if isinstance(shape, Maybe):
        shape = shape.shape
    if isinstance(shape, tuple):
        return _fault_of_all([_fault(value, part, place) for part in shape], _said(value, place, ""))
    if isinstance(shape, Only) and isinstance(value, dict) and (others := sorted(set(value) - set(shape.keys))):
        inside = f"{place} > {others[0]:.40}" if place else f"{others[0]:.40}"
        return f"{inside} is unknown, wanted {' or '.join(shape.keys) or 'nothing'}"
    if isinstance(shape, dict | Each | Only):
        return _object_fault(value, shape, place)
    if isinstance(shape, list | Several):
        return _list_fault(value, shape if isinstance(shape, Several) else Several(shape[0]), place)
    if shape in _NAMES:
        right = value is None if shape is None else isinstance(value, shape)
        return None if right else _said(value, place, _NAMES[shape])
    wanted = shape.fault(value)
    return wanted and _said(value, place, wanted)


def _fault_of_all(faults, said):
    """Return the fault of a value that fits none of several shapes: one inside it, else what all of them want."""
    if None in faults:
        return None
    inside = [fault for fault in faults if not fault.startswith(said)]
    return inside[0] if inside else said + " or ".join(fault.removeprefix(said) for fault in faults)


def _said(value, place, wanted):
    return f"{place or 'the whole'} is {_SHOWN.repr(value)}, wanted {wanted}"


def _object_fault(value, shape, place):
    if not isinstance(value, dict):
        return _said(value, place, "an object")
    shape = shape.keys if isinstance(shape, Only) else shape
    parts = shape if isinstance(shape, dict) else dict.fromkeys(value, shape.shape)
    for name, part in parts.items():
        inside = f"{place} > {name:.40}" if place else f"{name:.40}"
        if name not in value:
            if not isinstance(part, Maybe):
                return f"{inside} is missing"
        elif found := _fault(value[name], part, inside):
            return found
    return None


def _range(bounds):
    return f"{bounds.least} or more" if bounds.most == MOST else f"{bounds.least} to {bounds.most}"


def _list_fault(value, shape, place):
    if not isinstance(value, list):
        return _said(value, place, "a list")
    if not shape.least <= len(value) <= shape.most:
        return f"{place or 'the whole'} has {len(value)} entries, wanted {_range(shape)}"
    for number, part in enumerate(value):
        if found := _fault(part, shape.shape, f"{place}[{number}]"):
            return found
    if shape.different and len(set(value)) < len(value):
        return f"{place or 'the whole'} names an entry twice, wanted different ones"
    return None


def arguments(function: Callable[..., Any], besides: Iterable[str] = ()) -> Only:
    """Return the shape of a function's arguments as JSON, by the types in its signature.

    Args:
        function: a function or a class.
        besides: arguments that do not come from JSON.

    Returns:
        A shape; arguments that have a default may be absent, and what is typed as Any is not compared.

    Example:
        >>> def wait(hours: int, why: str = ""): ...
        >>> check({"hours": -1}, arguments(wait), "the wait")
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: the wait: hours is -1, wanted a whole number of 0 to 2147483648; copy it again.
    """
    found = {}
    for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
        if name not in besides and parameter.kind is not parameter.VAR_KEYWORD:
            shape = _of_type(parameter.annotation)
            found[name] = shape if parameter.default is parameter.empty else Maybe(shape)
    return Only(found)


def _of_type(kind):
    """Return the shape of the JSON values that become a value of a type."""
    origin, parts = typing.get_origin(kind) or kind, [part for part in typing.get_args(kind) if part is not Ellipsis]
    if origin in (types.UnionType, typing.Union):
        return tuple(map(_of_type, parts))
    if origin is typing.Literal:
        return Choice(*parts)
    if origin in _PLAIN:
        return _PLAIN[origin]
    if isinstance(origin, type) and issubclass(origin, dict):
        return Each(_of_type(parts[1])) if parts else dict
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return [_of_type(parts[0])] if parts else list
    return ANY


def parse(text: str | bytes, source: Any, shape: Any = dict, advice: str = "copy the file again") -> Any:
    """Parse JSON text and compare it with a shape.

    Args:
        text: the text.
        source: the file, as messages name it.
        shape: what it should hold, see this module's first lines.
        advice: what messages advise.

    Returns:
        The JSON value.

    Raises:
        Error: when the text is not JSON, nested too deep, holds NaN, infinity or a whole number of more than `DIGITS`
            digits, or has another shape.

    Example:
        >>> parse('{"seed": 1}', "run.json", {"seed": Whole()})
        {'seed': 1}
    """
    try:
        value = _DECODER.decode(text.decode("utf-8") if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as error:
        raise Error(f"{source} is not JSON ({error}); {advice}.") from None
    check(value, shape, source, advice)
    return value


def _whole(digits):
    if len(digits) > DIGITS:
        raise ValueError(f"it holds a number of {len(digits)} digits")
    return int(digits)


def _finite(digits):
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"it holds {digits:.40}, which is no finite number")
    return number


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_finite, parse_constant=_finite)


def signed(values: dict[str, Any]) -> dict[str, Any]:
    """Return an object with the checksum of its keys and values.

    Args:
        values: JSON object.

    Returns:
        The object with the key `SUM`.

    Example:
        >>> check_sum(signed({"done": 3}), "state.json")
        {'done': 3}
    """
    return {**values, SUM: _checksum(values)}


def check_sum(values: dict[str, Any], source: Any) -> dict[str, Any]:
    """Compare an object with the checksum in it, where it has one.

    Args:
        values: JSON object that `signed` gave.
        source: the file, as messages name it.

    Returns:
        The object without its checksum.

    Raises:
        Error: when the object is not the one that was written.
    """
    rest = {name: value for name, value in values.items() if name != SUM}
    if SUM in values and values[SUM] != _checksum(rest):
        raise Error(f"{source} is not the file that was written (its checksum differs); copy it again, or remove its "
                    f"{json.dumps(SUM)} if you changed it yourself.")
    return rest


def _checksum(values):
    """Return the SHA-256 of an object as it is after it was written and read, whatever the order of its keys."""
    text = json.dumps(json.loads(json.dumps(values)), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

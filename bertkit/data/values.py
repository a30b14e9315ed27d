"""JSON values as files spell them."""

import json
from typing import Any


class Number(str):
    """A number, spelt as in the file: 1.0 is "1.0"."""

    __slots__ = ()


def json_type(value: Any) -> str:
    """Return what a message calls the type of a JSON value.

    Args:
        value: The value.

    Returns:
        Such as "a list".

    Example:
        >>> json_type([])
        'a list'
    """
    names = {dict: "an object", list: "a list", bool: "true or false", str: "a string",
             Number: "a number", type(None): "null"}
    return names[type(value)]


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON number")


# Reads JSON; numbers keep their spelling, and NaN and Infinity, which JSON has not, raise ValueError.
DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse)


def check_characters(text: str, value: Any) -> Any:
    r"""Return a JSON value if all of its texts are characters; half of a surrogate pair (\ud83d alone) is none.

    Args:
        text: The text that the value was read from.
        value: The value.

    Returns:
        The value.

    Raises:
        UnicodeEncodeError: when a text holds half a pair; it is a ValueError.
    """
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value

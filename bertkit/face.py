"""The face of a room: names that are imported when they are first asked for, and a module that can be called.

`bertkit.cost(...)` calls the function, and `bertkit.cost.flops` is in its module.
"""

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def on_demand(room: str, homes: dict[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module that imports each of its names when it is first asked for.

    A type checker takes a module with `__getattr__` to have every name: it stands under `if not TYPE_CHECKING`, and the
    imports that it does, under `if TYPE_CHECKING`.

    Args:
        room: the dotted name of the module.
        homes: {name: the part of the room that defines it}.

    Returns:
        A function of a name, which raises AttributeError for one that is not in `homes`.

    >>> on_demand("bertkit.data", {"Columns": "columns"})("Columns").__module__
    'bertkit.data.columns'
    """
    def found(name):
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{room}.{homes[name]}"), name)

    return found


class CallableModule(types.ModuleType, Generic[P, R]):
    """A module of which a call is the call of a function."""

    __call__: Callable[P, R]


def callable_as(name: str, function: Callable[P, R]) -> CallableModule[P, R]:
    """Make a module callable as a function, whether the module or the function is imported first.

    Args:
        name: name of the module, a key of sys.modules.
        function: function that a call of the module runs.

    Returns:
        The module.
    """
    class Called(CallableModule):
        __call__ = staticmethod(function)

    module = sys.modules[name]
    module.__class__ = Called
    return cast(CallableModule[P, R], module)

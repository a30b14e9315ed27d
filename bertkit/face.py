"""A module that can be called: `bertkit.cost(...)` calls the function, and `bertkit.cost.flops` is in its module."""

import sys
import types
from collections.abc import Callable
from typing import Any


def callable_as(name: str, function: Callable[..., Any]) -> None:
    """Make a module callable as a function, whether the module or the function is imported first.

    Args:
        name: name of the module, a key of sys.modules.
        function: function that a call of the module runs.
    """
    class CallableModule(types.ModuleType):
        __call__ = staticmethod(function)

    sys.modules[name].__class__ = CallableModule

"""A module that can be called: `bertkit.cost(...)` is the function, `bertkit.cost.flops` still in its module."""

import sys
import types


def callable_as(name, function):
    """Let the module `name` be called as `function`, whether it is imported first or its function asked for first."""
    class Callable(types.ModuleType):
        __call__ = staticmethod(function)

    sys.modules[name].__class__ = Callable

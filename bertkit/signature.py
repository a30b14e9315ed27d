"""What a recipe takes, read from its source: help and wrong flags are answered before TensorFlow is loaded.

A recipe imports Keras at its top, as a script does; only its call needs that.
"""

import ast
import importlib
from collections.abc import Callable
from functools import wraps
from importlib.abc import InspectLoader
from importlib.util import decode_source, find_spec
from pathlib import Path
from types import ModuleType


def lazy_function(module: str, name: str = "main") -> Callable:
    """Return a function of a module with its signature and docstring; the module is imported when it is called.

    Args:
        module: the dotted name of the module. Of it is executed what the signature itself names: an annotation's or
            a default's import or constant.
        name: the function, at the top level of the module.

    Returns:
        A function that `inspect.signature` and `inspect.getdoc` answer for as for the real one.

    >>> import inspect
    >>> inspect.signature(lazy_function("bertkit.recipes.classify")).parameters["length"].default
    128
    """
    outline = ModuleType(module)
    _Outline(source_of(module), name).exec_module(outline)

    @wraps(getattr(outline, name))
    def function(*words, **knobs):
        return getattr(importlib.import_module(module), name)(*words, **knobs)

    return function


def source_of(module: str) -> Path:
    """Return the source file of a module, which is not imported for it.

    Args:
        module: the dotted name of the module.

    Returns:
        The path of the file.

    Raises:
        ModuleNotFoundError: when there is no such module.

    >>> source_of("bertkit.signature").name
    'signature.py'
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    return Path(spec.origin)


class _Outline(InspectLoader):
    """Loads one function of a source file without its body, and the statements whose names its signature uses."""

    def __init__(self, path, name):
        self.path, self.name = path, name

    def get_source(self, fullname):
        return decode_source(self.path.read_bytes())

    def get_code(self, fullname):
        tree = ast.parse(self.get_source(fullname))
        function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == self.name)
        function.body = function.body[:1]               # the docstring
        tree.body = [*_needed(tree.body, function), function]
        return self.source_to_code(tree, self.path)


def _needed(statements, function):
    """Return the imports and assignments at the top of a file that give the names in a function's signature."""
    used = _names(function, ast.Load)
    needed: list[ast.stmt] = []
    for statement in reversed(statements):              # from the last, because a constant may need what stands above
        if isinstance(statement, ast.Import | ast.ImportFrom):
            statement.names = [alias for alias in statement.names
                               if (alias.asname or alias.name).split(".")[0] in used]
            needed += [statement] if statement.names else []
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and _names(statement, ast.Store) & used:
            used |= _names(statement, ast.Load)
            needed.append(statement)
    return needed[::-1]


def _names(tree, context):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}

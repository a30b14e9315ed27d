"""Docstrings and types of what users import, each rule shown to fail on a planted source."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The command line documents its parameters in a table, which `--help` reads.
TABLES = ("bertkit/cli/", "bertkit/recipes/")


def sources():
    """Return {path from the root: source} of the package, without the commands."""
    paths = {path.relative_to(ROOT).as_posix(): path for path in ROOT.glob("bertkit/**/*.py")}
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if not name.startswith(TABLES)}


def public(source):
    """Yield (name, node, docstring) of each public function, class and method; of a class its constructor's node."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                    yield node.name, method, ast.get_docstring(node) or ""


def parameters(node):
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [argument for argument in arguments if argument.arg not in ("self", "cls")]


def raised(node):
    """Whether a function itself, not one inside it, raises bertkit's Error."""
    calls = [part.exc.func for part in ast.walk(node) if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call)]
    return any(getattr(call, "id", "") == "Error" for call in calls)


def arguments_are_described(files):
    found = []
    for path, source in files.items():
        for name, node, words in public(source):
            listed = words.partition("Args:")[2]
            lost = [p.arg for p in parameters(node) if not re.search(rf"^ *\*{{0,2}}{p.arg}\b", listed, re.M)]
            if lost:
                found.append(f"{path}: {name} says nothing of {', '.join(lost)}")
    return found


def errors_are_described(files):
    return [f"{path}: {name} has no Raises:" for path, source in files.items()
            for name, node, words in public(source) if raised(node) and "Raises:" not in words]


def parameters_have_types(files):
    return [f"{path}: {name}({argument.arg}) has no type" for path, source in files.items()
            for name, node, _ in public(source) for argument in parameters(node) if argument.annotation is None]


PLANTED = {
    arguments_are_described: 'def f(x: int, y: int):\n    """Add.\n\n    Args:\n        x: One.\n    """\n',
    errors_are_described: 'def f():\n    """Fail."""\n    raise Error("no")\n',
    parameters_have_types: 'class A:\n    """A."""\n\n    def __init__(self, x):\n        pass\n',
}


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_words_keep_the_rule(rule):
    complaints = rule(sources())
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_a_planted_source_breaks_the_rule(rule):
    assert rule({"bertkit/a.py": PLANTED[rule]})

"""Docstrings and types of what users import, each rule shown to fail on planted sources.

A rule takes {path: source} and returns its complaints. It reads public functions, public classes (their docstring
describes the constructor) and the public methods of public classes.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

from tests.test_house import is_overload

ROOT = Path(__file__).resolve().parents[1]
# The command line documents its parameters in a table, which `--help` reads.
TABLES = ("bertkit/cli/", "bertkit/recipes/")
# An annotation of an array, and the words by which a description says that something is one.
ARRAY = re.compile(r"\b(?:ndarray|Tensor)\b")
SAYS_ARRAY = re.compile(r"(?<!number of )(?<!before the )\b(?:arrays?|tensors?|logits|Tensors)\b(?!`)")
# In the rooms of the equations these words alone, where a description begins with one of them, mean arrays.
EQUATIONS = tuple(f"bertkit/{room}" for room in (
    "decoder.py", "encoder.py", "heads/", "layers/", "metrics/", "objectives/"))
BEGINS = re.compile(
    r"(?:The |Token )?(?:embeddings|gradients?|keys|mask|positions|probabilities|queries|values|vectors)\b", re.I)
# "[B,T]", "()", "A scalar", or "of the same shape"; "int32", "float", "strings", "of the same dtype".
SHAPE = re.compile(r"\[[^\]]*\]|\(\)|\bscalars?\b|\bshapes?\b")
DTYPE = re.compile(r"\b(?:u?int\d*|float\d*|bool|str|bytes|strings?|object|dtypes?)\b")


def sources():
    """Return {path from the root: source} of the package, without the commands."""
    paths = {path.relative_to(ROOT).as_posix(): path for path in ROOT.glob("bertkit/**/*.py")}
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if not name.startswith(TABLES)}


@dataclass(frozen=True)
class Described:
    """A public function, method or class with its docstring; of a class the node is its constructor."""

    name: str
    node: ast.FunctionDef
    words: str
    private: dict           # {name: node} of the private functions and methods that it may call

    @property
    def parameters(self):
        listed = self.node.args
        every = [*listed.posonlyargs, *listed.args, *listed.kwonlyargs, listed.vararg, listed.kwarg]
        bound = ("self", "cls") if "." in self.name or self.node.name == "__init__" else ()
        return [each for each in every if each and each.arg not in bound]

    @property
    def returns(self):
        """The annotation of what it returns or yields; "" for nothing, and of a property, which is one sentence."""
        kind = ast.unparse(self.node.returns) if self.node.returns else ""
        is_property = any("property" in ast.unparse(each) for each in self.node.decorator_list)
        return "" if is_property or kind in ("None", "NoReturn") else kind

    def section(self, title):
        """Return the text under a title such as "Args:", without its indentation; "" where there is none."""
        found = re.search(rf"^{title}:\n((?:    .*\n|\n)*)", self.words + "\n", re.M)
        return re.sub(r"^    ", "", found[1], flags=re.M).strip() if found else ""

    @cached_property
    def arguments(self):
        """{argument: its description}."""
        parts = re.split(r"^\*{0,2}(\w+):", self.section("Args"), flags=re.M)
        return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))

    @property
    def values(self):
        """(Name, annotation, description) of each argument and of what is returned."""
        result = self.section("Returns") or self.section("Yields")
        return [*((each.arg, ast.unparse(each.annotation) if each.annotation else "", self.arguments.get(each.arg, ""))
                  for each in self.parameters), ("what it returns", self.returns, result)]


def is_public(node, *kinds):
    return isinstance(node, kinds) and not node.name.startswith("_")


def functions(body):
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


@cache
def described(source):
    """Return each public function, class with a constructor, and public method of a public class."""
    tree, found = ast.parse(source), []
    private = {name: node for name, node in functions(tree.body).items() if name.startswith("_")}
    for node in tree.body:
        if is_public(node, ast.FunctionDef) and not is_overload(node):
            found.append(Described(node.name, node, ast.get_docstring(node) or "", private))
        elif is_public(node, ast.ClassDef):
            methods = functions(node.body)
            own = private | {name: method for name, method in methods.items() if re.match("_(?!_)", name)}
            for name, method in methods.items():
                if name == "__init__":
                    found.append(Described(node.name, method, ast.get_docstring(node) or "", own))
                elif not name.startswith("_"):
                    found.append(Described(f"{node.name}.{name}", method, ast.get_docstring(method) or "", own))
    return found


def every(files):
    return [(f"{path}: {each.name}", each) for path, source in files.items() for each in described(source)]


# ------------------------------------------------------------------------------------------------ arguments and results


def arguments_are_described(files):
    lost = [(name, [each.arg for each in one.parameters if each.arg not in one.arguments])
            for name, one in every(files)]
    return [f"{name} says nothing of {', '.join(names)}" for name, names in lost if names]


def what_is_described_is_an_argument(files):
    extra = [(name, set(one.arguments) - {each.arg for each in one.parameters}) for name, one in every(files)]
    return [f"{name} has no argument {', '.join(sorted(names))}" for name, names in extra if names]


def fields_are_described(files):
    """A dataclass or a named tuple says in its docstring what each field is, as `name: words` or in a table."""
    classes = [(path, node) for path, source in files.items() for node in ast.parse(source).body
               if is_public(node, ast.ClassDef)
               and re.search("dataclass|NamedTuple", " ".join(map(ast.unparse, [*node.decorator_list, *node.bases])))]
    return [f"{path}: {node.name} says nothing of {field.target.id}" for path, node in classes for field in node.body
            if isinstance(field, ast.AnnAssign) and not field.target.id.startswith("_")
            and not re.search(rf"^ *{field.target.id}(?::| +\S)", ast.get_docstring(node) or "", re.M)]


def results_are_described(files):
    return [f"{name} has no Returns:" for name, one in every(files)
            if one.returns and not (one.section("Returns") or one.section("Yields"))]


def methods_have_docstrings(files):
    return [f"{name} has no docstring" for name, one in every(files) if not one.words]


def signatures_have_types(files):
    found = [f"{name}({each.arg}) has no type" for name, one in every(files) for each in one.parameters
             if each.annotation is None]
    return found + [f"{name} does not say what it returns" for name, one in every(files)
                    if one.node.returns is None and one.node.name != "__init__"]


# ----------------------------------------------------------------------------------------------------------- the others


def errors_of(files):
    """Return the names of bertkit's Error, of the classes derived from it, and of the functions that make one."""
    errors = {"Error"}
    for node in (node for source in files.values() for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            kinds = node.bases if isinstance(node, ast.ClassDef) else [node.returns]
            errors |= {node.name for kind in kinds if getattr(kind, "id", "") == "Error"}
    return errors


def raised(node, private, seen=()):
    """Return the names that a function raises, itself or in the private functions of its file that it calls."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call):
            found.add(ast.unparse(part.exc.func))
        if isinstance(part, ast.Call):
            name = ast.unparse(part.func).removeprefix("self.").removeprefix("cls.")
            if name in private and name not in seen:
                found |= raised(private[name], private, (*seen, name))
    return found


def errors_are_described(files):
    errors = errors_of(files)
    return [f"{name} has no Raises:" for name, one in every(files)
            if raised(one.node, one.private) & errors and not one.section("Raises")]


def arrays_have_shapes(files):
    """An array, by its annotation or by its description, has a shape; entries of a batch, {name: array}, have not."""
    return [f"{name}: {value} has no shape" for name, one in every(files) for value, kind, words in one.values
            if (ARRAY.search(kind) or SAYS_ARRAY.search(re.sub(r"\{name: [^}]*\}", "", words))
                or name.startswith(EQUATIONS) and BEGINS.match(words)) and not SHAPE.search(words)]


def arrays_have_dtypes(files):
    """An array, by its annotation, has a dtype; the arrays in a dict need none."""
    return [f"{name}: {value} has no dtype" for name, one in every(files) for value, kind, words in one.values
            if ARRAY.search(re.sub(r"dict\[[^\]]*\]", "", kind)) and not DTYPE.search(words)]


def planted(signature, words, body="pass"):
    """Return the source of a function, and that of a class with it as a method."""
    lines = [f'"""{words[0]}', "", *words[1:], '"""', body]
    function = f"def {signature}:\n" + indented("\n".join(lines)) + "\n"
    return [function, 'class A:\n    """A."""\n\n' + indented(function.replace("(", "(self, ", 1))]


def indented(source):
    return re.sub("^(?=.)", "    ", source, flags=re.M)


FAILS = ("class Bad(Error):\n    pass\n\ndef missing() -> Error:\n    pass\n\n"
         "def _check():\n    raise Error('no')\n\n")
CLASS = 'class A:\n    """A.\n\n    Args:\n        x: One.\n    """\n\n'
PLANTED = {
    arguments_are_described: [
        *planted("f(x: int, y: int) -> None", ["Add.", "Args:", "    x: One."]),
        CLASS + "    def __init__(self, x: int, *rest: int):\n        pass\n"],
    what_is_described_is_an_argument: planted("f(x: int) -> None", ["Do.", "Args:", "    x: One.", "    y: Two."]),
    fields_are_described: [
        f"@dataclass(frozen=True)\n{CLASS}    x: int\n    y: int\n",
        'class A(NamedTuple):\n    """A."""\n\n    y: int\n'],
    results_are_described: [
        *planted("f() -> int", ["Return 1."]), *planted("f() -> Iterator[int]", ["Yield 1."])],
    methods_have_docstrings: ['class A:\n    """A."""\n\n    def f(self):\n        pass\n'],
    signatures_have_types: [
        *planted("f(x) -> None", ["Do."]), *planted("f(x: int)", ["Do."]),
        CLASS + "    def __init__(self, x):\n        pass\n"],
    errors_are_described: [
        FAILS + source for body in ("raise Error('no')", "raise Bad('no')", "raise missing()", "_check()")
        for source in planted("f() -> None", ["Fail."], body)],
    arrays_have_shapes: [
        *planted("f(x: np.ndarray) -> None", ["Do.", "Args:", "    x: Numbers, float32."]),
        *planted("f(x: Any) -> None", ["Do.", "Args:", "    x: The logits."]),
        *planted("f() -> tf.Tensor", ["Do.", "Returns:", "    Numbers, float32."]),
        *planted("f() -> Any", ["Do.", "Returns:", "    An array."]),
        *planted("f(x: Any) -> None", ["Do.", "Args:", "    x: Token vectors."])],
    arrays_have_dtypes: [
        *planted("f(x: np.ndarray) -> None", ["Do.", "Args:", "    x: Numbers [B]."]),
        *planted("f() -> np.ndarray | None", ["Do.", "Returns:", "    Numbers [B]."])],
}
FINE = planted("f(batch: dict[str, np.ndarray], x: Any, *, outputs: int) -> np.ndarray", [
    "Do.", "Args:", "    batch: {name: array}, of the shapes that the model reads.", "    x: Logits [B,T].",
    "    outputs: The number of logits.", "Returns:", "    float32 [B].", "Raises:", "    Error: when it fails."],
    "raise Error('no')")
FINE.append(f"@overload\ndef f(batch: dict[str, np.ndarray]) -> np.ndarray: ...\n\n\n{FINE[0]}")


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_words_keep_the_rule(rule):
    complaints = rule(sources())
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize("rule, source", [(rule, source) for rule in PLANTED for source in PLANTED[rule]],
                         ids=lambda part: getattr(part, "__name__", ""))
def test_a_planted_source_breaks_the_rule(rule, source):
    assert rule({"bertkit/layers/a.py": source})


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_what_is_fine_breaks_no_rule(rule):
    assert not [complaint for source in FINE for complaint in rule({"bertkit/layers/a.py": source})]

"""The rules of the house, each shown to fail on a planted source.

A rule takes {path: source} of the package and returns its complaints.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# The table of CONTRIBUTING.md is the one place where the floors are declared.
FLOORS = [{room.strip() for room in rooms.split(",")} for rooms in re.findall(
    r"^\| \d+ \| ([\w, .]+) \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M)][::-1]
FLOOR = {room: number for number, rooms in enumerate(FLOORS, start=1) for room in rooms}
FACE = "bertkit/__init__.py"
# Parts of a room that others use without the rest of it.
INNER = ("text.unicode", "text.models", "text.graph", "cli.flags", "cli.answers")
# Strings and pipelines (masking runs in them), Google's files, the fused step, TensorBoard, gradients of what lies
# between layers, one backend's own forms.
TENSORFLOW = ("bertkit/text/graph/", "bertkit/layers/accelerated/", "bertkit/data/", "bertkit/corpus/",
              "bertkit/export/", "bertkit/objectives/", "bertkit/compress/importance.py",
              "bertkit/inspection/gradients.py",
              "bertkit/pretraining/tensorboard.py", "bertkit/distribution.py", "bertkit/training/inside.py",
              "bertkit/training/fused.py", "bertkit/training/tensorboard.py", "bertkit/training/summaries.py",
              "bertkit/training/history.py",
              "bertkit/training/gradient_cache.py",
              "bertkit/checkpoints/google.py", "bertkit/doctor/saved_model.py")
# What runs on a device, or says what a model is, without one.
WITHOUT_KERAS = tuple(f"bertkit/{name}" for name in (
    "kinds/", "config.py", "card.py", "errors.py", "version.py", "text/", "metrics/", "ondevice/", "cost.py",
    "tasks/", "files/", "report/", "retrieval/", "family/", "__init__.py"))
KERAS = ("tensorflow", "keras", "keras_hub", "torch")
EXECUTES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
NO_NAMES = {"utils", "util", "helpers", "helper", "base", "common", "misc", "manager"}


def sources():
    """Return {path from the root: source} of the package and the recipes, which it ships."""
    files = [*ROOT.glob("bertkit/**/*.py"), *ROOT.glob("recipes/*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


@cache
def parts(source):
    """Return all nodes of a source: each rule reads those of every file."""
    return list(ast.walk(ast.parse(source)))


def nodes(source, *kinds):
    return [node for node in parts(source) if isinstance(node, kinds)]


# ------------------------------------------------------------------------------------------- imports


def imported(source):
    """Return the names of the modules that a source imports, at the top or anywhere inside."""
    found = [alias.name for node in nodes(source, ast.Import) for alias in node.names]
    for node in nodes(source, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        found += [f"{module}.{alias.name}" for alias in node.names]
    for node in nodes(source, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("import_module", "__import__", "lazy_function", "find_spec") and node.args:
            first = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            found.append(str(getattr(first, "value", "")))
    return found


def room(path_or_module):
    """Return the room, or the inner room, that a file or a module is in."""
    parts = path_or_module.removesuffix(".py").replace("/", ".").split(".")
    if parts[0] == "recipes":
        return "recipes"
    inner = ".".join(parts[1:3])
    return inner if inner in INNER else parts[1]


def imports_between_rooms(files):
    """Return (path, room, imported room) of every import that leaves its room, save the package's face."""
    return [(path, room(path), room(module)) for path, source in files.items() if path != FACE
            for module in imported(source) if module.startswith("bertkit.") and room(module) != room(path)]


def rooms_have_floors(files):
    return [f"{path}: give {room(path)} a floor" for path in files
            if path != FACE and room(path) not in FLOOR]


def imports_go_down(files):
    return [f"{path} ({FLOOR.get(here)}) imports {there} ({FLOOR.get(there)})"
            for path, here, there in imports_between_rooms(files)
            if FLOOR.get(there, 99) >= FLOOR.get(here, 99)]


def a_room_stands_as_low_as_it_can(files):
    """A floor too high would let imports in that the table does not mean."""
    lowest = {}
    for _, here, there in imports_between_rooms(files):
        lowest[here] = max(lowest.get(here, 1), FLOOR.get(there, 0) + 1)
    rooms = {room(path) for path in files if path != FACE}
    return [f"{each} is on floor {FLOOR[each]} and could be on {lowest.get(each, 1)}" for each in sorted(rooms)
            if FLOOR.get(each, 0) > lowest.get(each, 1)]


def imports_are_absolute(files):
    return [f"{path} imports {module}" for path, source in files.items() for module in imported(source)
            if module.startswith(".")]


def tensorflow_stands_in_its_places(files):
    return [f"{path} imports {module}" for path, source in files.items() if not path.startswith(TENSORFLOW)
            for module in imported(source) if module.split(".")[0] in ("tensorflow", "tensorflow_text")]


def the_ground_floor_knows_no_keras(files):
    return [f"{path} imports {module}" for path, source in files.items()
            if path.startswith(WITHOUT_KERAS) and not path.startswith("bertkit/text/graph/")
            for module in imported(source) if module.split(".")[0] in KERAS]


# --------------------------------------------------------------------------------------------- sizes


def lines_of_code(source):
    """Return how many lines a source has besides its docstrings."""
    documented = nodes(source, ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [node.body[0] for node in documented
                  if ast.get_docstring(node, clean=False) is not None]
    return len(source.splitlines()) - sum(each.end_lineno - each.lineno + 1 for each in docstrings)


def files_are_short(files, most=250):
    lengths = {path: lines_of_code(source) for path, source in files.items()}
    return [f"{path}: {length} lines of code" for path, length in lengths.items() if length > most]


def within(folder, files):
    return {path: source for path, source in files.items() if path.startswith(folder)}


def recipes_are_shorter(files):
    return files_are_short(within("recipes/", files), 80)


def families_are_short(files):
    return files_are_short(within("bertkit/family/", files), 120)


def function_lengths(files):
    """Return {path:name: lines, without the docstring} of every function and method."""
    found = {}
    for path, source in files.items():
        for node in nodes(source, ast.FunctionDef, ast.AsyncFunctionDef):
            words = node.body[0] if ast.get_docstring(node) else None
            docstring = words.end_lineno - words.lineno + 1 if words else 0
            found[f"{path}:{node.lineno} {node.name}"] = node.end_lineno - node.lineno + 1 - docstring
    return found


def nine_functions_of_ten_are_short(files, most=25):
    lengths = function_lengths(files)
    long = [f"{name}: {length} lines" for name, length in lengths.items() if length >= most]
    return long if len(long) > 0.1 * len(lengths) else []


def a_run_gets_every_knob(files):
    """A recipe hands its run all that its `main` takes, by name: the card and the resumed run depend on it."""
    found = []
    for path, source in within("recipes/", files).items():
        for function in (node for node in nodes(source, ast.FunctionDef) if node.name == "main"):
            parts = {ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0]): node.value
                     for node in ast.walk(function) if isinstance(node, ast.Assign | ast.AnnAssign)}
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in ("Run", "PretrainingRun"):
                    given = names_in(call)
                    given |= {name for part in given & {*parts} for name in names_in(parts[part])}
                    missing = {argument.arg for argument in function.args.args} - given
                    found += [f"{path}: {name} does not reach the run" for name in sorted(missing)]
    return found


def names_in(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


# ------------------------------------------------------------------------------------- names and words


def names_say_something(files):
    return [path for path in files if NO_NAMES & set(path.removesuffix(".py").split("/"))]


def is_overload(node):
    """Whether a node is one of a function's signatures; the function itself, which follows, has the docstring."""
    return any(getattr(decorator, "id", "") == "overload" for decorator in node.decorator_list)


def public_things_have_docstrings(files):
    found = []
    for path, source in files.items():
        tree = ast.parse(source)
        public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
                  and not node.name.startswith("_") and not is_overload(node)]
        found += [f"{path}: {node.name}" for node in public if not ast.get_docstring(node)]
        if tree.body and not ast.get_docstring(tree):
            found.append(path)
    return found


def nothing_is_executed_on_load(files):
    found = []
    for path, source in files.items():
        found += [f"{path} imports {module}" for module in imported(source)
                  if module.split(".")[0] in EXECUTES]
        found += [f"{path}:{node.lineno} calls {node.func.id}" for node in nodes(source, ast.Call)
                  if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "__import__")]
        found += [f"{path}:{node.lineno} names Lambda" for node in nodes(source, ast.Name, ast.Attribute)
                  if "Lambda" in (getattr(node, "id", ""), getattr(node, "attr", ""))]
        found += [f"{path}:{node.value.lineno} {node.arg}" for node in nodes(source, ast.keyword)
                  if node.arg in ("allow_pickle", "shell") and getattr(node.value, "value", True)]
        found += [f"{path}:{node.lineno} safe_mode=False" for node in nodes(source, ast.keyword)
                  if node.arg == "safe_mode" and getattr(node.value, "value", None) is False]
    return found


def json_is_compared_with_its_description(files):
    """JSON is read through `files/schema.py`, but for rows of data and what bertkit gives itself."""
    return [f"{path}:{node.lineno} {ast.unparse(node.func)}" for path, source in files.items()
            if path not in JSON_READERS for node in nodes(source, ast.Call)
            if ast.unparse(node.func) in ("json.load", "json.loads", "json.JSONDecoder")
            and not (node.args and ast.unparse(node.args[0]).startswith("json.dumps("))]


def children_import_nothing_from_the_current_folder(files):
    return [f"{path}:{node.lineno}" for path, source in files.items() for node in nodes(source, ast.List)
            if node.elts and ast.unparse(node.elts[0]) == "sys.executable"
            and (len(node.elts) < 2 or getattr(node.elts[1], "value", None) != "-P")]


# --------------------------------------------------------------------------------------------- tests

JSON_READERS = {"bertkit/files/schema.py",
                # rows, each with its place
                *(f"bertkit/data/{name}.py" for name in ("cells", "json_rows", "sheets", "values")),
                "bertkit/corpus/beam.py", "bertkit/export/convert.py",                      # a job for a child
                "bertkit/text/unicode/codepoints.py", "bertkit/text/unicode/tables.py"}     # bertkit's own tables

PLANTED = {
    rooms_have_floors: {"bertkit/attic.py": ""},
    imports_go_down: {"bertkit/layers/block.py": "from bertkit.encoder import Encoder\n",
                      "bertkit/heads/a.py": "from bertkit import report\n"},
    a_room_stands_as_low_as_it_can: {"bertkit/cli/__init__.py": "from bertkit.errors import Error\n"},
    imports_are_absolute: {"bertkit/heads/a.py": "from .classifier import Classifier\n"},
    tensorflow_stands_in_its_places: {"bertkit/encoder.py": "import tensorflow.experimental as tf\n"},
    the_ground_floor_knows_no_keras: {"bertkit/ondevice/runner.py": "from keras import ops\n"},
    files_are_short: {"bertkit/encoder.py": "x = 1\n" * 251},
    recipes_are_shorter: {"recipes/classify.py": "x = 1\n" * 81},
    families_are_short: {"bertkit/family/bert.py": "x = 1\n" * 121},
    nine_functions_of_ten_are_short: {"bertkit/a.py": "def f():\n" + "    x = 1\n" * 24},
    a_run_gets_every_knob: {"recipes/tag.py": "def main(out, seed, limit):\n    run = Run(out, seed)\n"},
    names_say_something: {"bertkit/data/utils.py": "", "bertkit/common/a.py": ""},
    public_things_have_docstrings: {"bertkit/a.py": '"""A."""\n\ndef f():\n    return 1\n'},
    nothing_is_executed_on_load: {"bertkit/a.py": "import pickle\n"},
    json_is_compared_with_its_description: {"bertkit/a.py": "x = json.loads(path.read_text())\n"},
    children_import_nothing_from_the_current_folder: {"bertkit/a.py": "run([sys.executable, '-m', 'bertkit'])\n"},
}


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule):
    complaints = rule(sources())
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_a_planted_source_breaks_the_rule(rule):
    assert rule(PLANTED[rule])


@pytest.mark.parametrize("source", [
    "eval('1')", "exec('1')", "import marshal", "from joblib import load", "keras.layers.Lambda(f)",
    "from keras.layers import Lambda\nLambda(f)", "np.load(path, allow_pickle=True)", "__import__('os')",
    "keras.models.load_model(path, safe_mode=False)", "subprocess.run(line, shell=True)",
    "def f():\n    import pickle", "importlib.import_module('pickle')"])
def test_everything_that_executes_is_seen(source):
    assert nothing_is_executed_on_load({"bertkit/a.py": source})


@pytest.mark.parametrize("source", [
    "def f():\n    from bertkit.export import export", "import bertkit.export.tflite",
    "from bertkit import encoder, export", "import importlib\nimportlib.import_module('bertkit.export')",
    "importlib.import_module(f'bertkit.export.{name}')"])
def test_an_import_is_seen_wherever_it_stands(source):
    assert imports_go_down({"bertkit/training/a.py": source})


def test_test_files_have_names_of_their_own():
    """pytest refuses the second file of a name, where the folders are no packages."""
    names = [path.name for path in (ROOT / "tests").glob("**/test_*.py") if not (path.parent / "__init__.py").exists()]
    assert sorted(set(names)) == sorted(names)


def test_what_is_fine_is_not_complained_about():
    fine = {"bertkit/encoder.py": '"""An encoder."""\n\nfrom bertkit.layers.block import Block\n\n\n'
                                  'def f():\n    """Return 1."""\n    return model.eval(lambda: Block)\n',
            "bertkit/layers/block.py": '"""A block."""\n\nfrom bertkit.layers import attention\n'}
    rules = [rule for rule in PLANTED if rule is not a_room_stands_as_low_as_it_can]      # asks of whole rooms
    assert {rule.__name__: rule(fine) for rule in rules} == {rule.__name__: [] for rule in rules}


def test_there_is_a_house():
    assert len(sources()) > 30

"""What an import brings along; each in a process of its own."""

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "tensorflow_text", "keras_hub", "torch", "h5py", "numpy", "safetensors")
# An environment that has numpy and LiteRT alone.
WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"tensorflow", "keras", "keras_hub", "tensorflow_text", "h5py"}:
            raise ModuleNotFoundError("not on this machine: " + name)
sys.meta_path.insert(0, Absent())
"""


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def brought_along(statement):
    code = f"import sys\n{statement}\nprint([name for name in {HEAVY} if name in sys.modules])"
    result = run(code)
    assert result.returncode == 0, result.stderr
    return ast.literal_eval(result.stdout)


ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", sorted([*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("tflite/**/*.py")]),
                         ids=lambda path: path.name)
def test_what_stands_beside_the_package_finds_what_it_imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "bertkit":
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or importlib.util.find_spec(f"{node.module}.{alias.name}")


def test_bertkit_itself_brings_nothing():
    assert brought_along("import bertkit, bertkit.errors, bertkit.version") == []


def test_who_only_starts_processes_needs_no_model():
    assert brought_along("import bertkit.sweep, bertkit.glue.runs") == ["numpy"]


@pytest.mark.slow
def test_a_heavy_import_is_seen():
    assert "keras" in brought_along("import bertkit.encoder")


@pytest.mark.parametrize("module", ["config", "card", "text", "metrics", "family", "cost", "ondevice"])
def test_the_ground_floor_needs_no_tensorflow(module):
    result = run(f"{WITHOUT}\nimport bertkit.{module}")
    assert result.returncode == 0, result.stderr[-2000:]


def test_the_encoder_does():
    assert "not on this machine: keras" in run(f"{WITHOUT}\nimport bertkit.encoder").stderr


def test_without_scikit_learn_its_classifier_says_what_it_needs():
    absent = WITHOUT.replace('"tensorflow", "keras"', '"sklearn", "tensorflow", "keras"')
    assert "bertkit.sklearn needs scikit-learn; install the package" in run(f"{absent}\nimport bertkit.sklearn").stderr

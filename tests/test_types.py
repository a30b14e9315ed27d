"""A type checker knows bertkit's names and what they take, where bertkit is installed as pip installs it."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.test_words import signatures_have_types

ROOT = Path(__file__).resolve().parents[1]
FOUND = re.compile(r"^(.+?):(\d+): error: .*\[([a-z-]+)\]$", flags=re.MULTILINE)
PLANTED = re.compile(r"# error: ([a-z-]+)$")


# ------------------------------------------------------------------------------- names that are imported late


def shown(path):
    """Return {name: the module that has it} of the imports under a module's `if TYPE_CHECKING`."""
    block = next(node for node in ast.parse(path.read_text(encoding="utf-8")).body
                 if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING")
    return {alias.asname: node.module for node in ast.walk(block) if isinstance(node, ast.ImportFrom)
            for alias in node.names if alias.asname}


@pytest.mark.parametrize("room", ["data", "layers", "training"])
def test_a_checker_is_shown_the_names_that_a_room_imports_late(room):
    homes = importlib.import_module(f"bertkit.{room}")._HOMES
    assert shown(ROOT / "bertkit" / room / "__init__.py") == {
        name: f"bertkit.{room}.{home}" for name, home in homes.items()}


def test_a_checker_is_shown_the_names_of_bertkit():
    import bertkit
    assert shown(ROOT / "bertkit" / "__init__.py") == {
        **{name: home or "bertkit" for name, home in bertkit._HOMES.items() if name not in ("cost", "export")},
        "_cost": "bertkit.cost", "_export": "bertkit.export"}


def test_commands_and_recipes_have_types():
    paths = [*(ROOT / "bertkit" / "cli").glob("*.py"), *(ROOT / "recipes").glob("*.py")]
    assert len(paths) > 15
    assert signatures_have_types({path.name: path.read_text(encoding="utf-8") for path in paths}) == []


# ------------------------------------------------------------------------------------------ a user's script


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Return a function: files, options -> {(file, line, code)} of mypy's findings, in an environment with bertkit."""
    pytest.importorskip("mypy")
    place = tmp_path_factory.mktemp("user")
    venv.create(place / "environment", with_pip=False)
    site, = (place / "environment").glob("lib/python*/site-packages")
    shutil.copytree(ROOT / "bertkit", site / "bertkit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "recipes", site / "bertkit" / "recipes", ignore=shutil.ignore_patterns("__pycache__"))
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(others), encoding="utf-8")

    def found(files, *options):
        command = [sys.executable, "-m", "mypy", "--python-executable", str(place / "environment" / "bin" / "python"),
                   "--config-file=", "--cache-dir", str(place / "cache"), "--ignore-missing-imports", *options]
        result = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, timeout=600, cwd=place)
        assert result.returncode in (0, 1), result.stderr
        return {(Path(path).name, int(line), code) for path, line, code in FOUND.findall(result.stdout)}

    return found


@pytest.mark.slow
def test_a_users_script_is_checked(checked, tmp_path):
    """No fault is found in what is right, and each planted one is."""
    script = tmp_path / "script.py"             # outside the checkout, where no other bertkit is found
    shutil.copy(ROOT / "tests" / "typed_script.py", script)
    lines = enumerate(script.read_text(encoding="utf-8").splitlines(), start=1)
    planted = {("script.py", number, code[1]) for number, line in lines if (code := PLANTED.search(line))}
    assert len(planted) > 10
    assert checked([script], "--strict") == planted


@pytest.mark.slow
def test_the_python_in_documents_has_no_fault(checked, tmp_path):
    from tests.test_docs import DOCUMENTS, fenced, relative
    blocks = [(path, block) for path in DOCUMENTS for block in fenced(path, "python")]
    assert len(blocks) > 10
    files = []
    for number, (path, block) in enumerate(blocks):
        files.append(tmp_path / f"{re.sub(r'[^a-z]', '_', relative(path).lower())}_{number}.py")
        files[-1].write_text(block, encoding="utf-8")
    assert checked(files, "--check-untyped-defs") == set()


@pytest.mark.slow
def test_a_recipe_that_was_copied_has_no_fault(checked, tmp_path):
    """`bertkit recipe NAME` hands recipes out, to be changed."""
    files = [Path(shutil.copy(path, tmp_path / f"my_{path.name}")) for path in (ROOT / "recipes").glob("[a-z]*.py")]
    assert checked(files, "--check-untyped-defs") == set()

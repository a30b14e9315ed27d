"""What `make demo` and `make test` do before they begin: find a Python, make the environment, install what is missing.

A copy of the checkout's set-up stands in a folder of its own, and the Pythons in it are scripts that answer as told.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OLD = "Python 3.9"
# A Python of version 3.12 that writes down what it is told to install, and can lack modules.
PYTHON = """#!/bin/sh
case "$*" in
    *version_info*sys.exit*|*sys.exit*version_info*) exit {fits} ;;
    *"Python %d.%d"*) echo "{version}" ;;
    *"import ensurepip, venv"*) exit {venv} ;;
    *%d.%d-venv*) echo python3.12-venv ;;
    *requirements.unsupported*) echo "{unsupported}" ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    scripts/installed.py) exit {installed} ;;
    "-m pip "*) echo "$0 $*" >> "{log}"; exit {pip} ;;
    *) echo "the test's Python was asked: $*" >&2; exit 99 ;;
esac
"""
GOOD = {"fits": 0, "version": "Python 3.12", "venv": 0, "unsupported": "", "installed": 1, "pip": 0}


class Checkout:
    """A folder with what the set-up reads, and the one place where its script finds a Python."""

    def __init__(self, folder):
        self.folder, self.log = folder / "checkout", folder / "pip.log"
        (folder / "bin").mkdir()
        (self.folder / "scripts").mkdir(parents=True)
        for name in ("scripts/environment.sh", "setup.cfg", "setup.py", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder / name)
        for tool in ("sh", "dirname", "cksum", "cat", "mkdir", "cp"):
            (folder / "bin" / tool).symlink_to(shutil.which(tool))
        self.bin = folder / "bin"

    def python(self, path, **answers):
        path = self.bin / path                          # an absolute path stays as it is
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PYTHON.format(log=self.log, **{**GOOD, **answers}))
        path.chmod(0o755)
        return path

    def make(self, **variables):
        """Return (exit code, what was said on standard error) of the script."""
        result = subprocess.run(["sh", str(self.folder / "scripts" / "environment.sh")], capture_output=True, text=True,
                                timeout=60, env={"PATH": str(self.bin), **variables})
        return result.returncode, result.stderr

    @property
    def installs(self):
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_the_environment_is_made_once_and_installed_again_when_setup_cfg_changes(checkout):
    checkout.python("python3", fits=1, version=OLD)
    checkout.python("python3.12")
    assert checkout.make() == (0, "")
    assert (checkout.folder / ".venv" / "bin" / "python").exists()
    assert len(checkout.installs) == 1 and checkout.installs[0].startswith(".venv/bin/python -m pip install ")
    assert checkout.installs[0].endswith("-e .[test]")
    assert checkout.make() == (0, "") and len(checkout.installs) == 1
    with open(checkout.folder / "setup.cfg", "a") as file:
        file.write("# changed\n")
    assert checkout.make() == (0, "") and len(checkout.installs) == 2


def test_an_active_environment_is_used(checkout, tmp_path):
    checkout.python(tmp_path / "mine" / "bin" / "python")
    assert checkout.make(VIRTUAL_ENV=str(tmp_path / "mine")) == (0, "")
    assert len(checkout.installs) == 1 and not (checkout.folder / ".venv").exists()
    assert checkout.installs[0].startswith(f"{tmp_path}/mine/bin/python -m pip install ")


def test_an_environment_that_has_everything_is_taken_as_it_is(checkout, tmp_path):
    checkout.python(tmp_path / "mine" / "bin" / "python", installed=0)
    assert checkout.make(VIRTUAL_ENV=str(tmp_path / "mine")) == (0, "") and checkout.installs == []


def test_an_installation_that_failed_is_tried_again(checkout):
    checkout.python("python3", pip=1)
    for times in (1, 2):
        code, said = checkout.make()
        assert code == 1 and "installing failed" in said and len(checkout.installs) == times


def one_sentence(answer):
    """Return the one line that a failed set-up says."""
    code, said = answer
    assert code == 1 and said.startswith("bertkit: ") and said.count("\n") == 1, said
    return said


def test_without_a_python_that_fits_one_sentence_says_so(checkout):
    assert "Python 3.11, 3.12 or 3.13 was not found, and python3 here is no Python" in one_sentence(checkout.make())
    checkout.python("python3", fits=1, version=OLD)
    assert f"python3 here is {OLD}" in one_sentence(checkout.make())
    checkout.python("python3.12")
    assert f"PYTHON=python3 is {OLD}" in one_sentence(checkout.make(PYTHON="python3"))
    assert "PYTHON=absent is no Python" in one_sentence(checkout.make(PYTHON="absent"))


def test_without_the_module_venv_one_sentence_says_what_to_install(checkout):
    checkout.python("python3", venv=1)
    assert "sudo apt install python3.12-venv" in one_sentence(checkout.make())


def test_an_environment_of_another_python_is_refused(checkout, tmp_path):
    checkout.python(tmp_path / "mine" / "bin" / "python", fits=1, version=OLD)
    assert "`deactivate`" in one_sentence(checkout.make(VIRTUAL_ENV=str(tmp_path / "mine")))
    checkout.python(checkout.folder / ".venv" / "bin" / "python", fits=1, version=OLD)
    assert f".venv has {OLD}" in one_sentence(checkout.make())


def test_a_system_without_wheels_is_told_before_anything_is_installed(checkout):
    checkout.python("python3", unsupported="there is no wheel here")
    assert "bertkit: there is no wheel here" in one_sentence(checkout.make()) and checkout.installs == []


# -------------------------------------------------------------------------------- what the script asks Python


def test_what_is_installed_here_is_known(tmp_path):
    """This checkout is installed where its tests run; one in another folder, or one that wants more, is not."""
    spec = importlib.util.spec_from_file_location("installed", ROOT / "scripts" / "installed.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    if not script.is_installed(ROOT):
        pytest.skip("bertkit is not installed, editable, from this checkout with all that its tests want")
    assert not script.is_installed(tmp_path)
    settings, copy = (ROOT / "setup.cfg").read_text(), tmp_path / "setup.cfg"
    for changed, enough in (("numpy>=1.26", True), ("numpy>=99", False), ("pytest<8", False)):
        copy.write_text(settings.replace("numpy>=1.26", changed))
        assert script.has_all(copy) is enough
    copy.write_text(settings.replace("numpy>=1.26", "absent-package"))
    with pytest.raises(metadata.PackageNotFoundError):
        script.has_all(copy)


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_the_readme_shows_the_commands_behind_make():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [line.strip() for line in re.findall(r"^    (.+)$", readme, flags=re.MULTILINE)]
    result = subprocess.run(["make", "--dry-run", "demo", "test"], cwd=ROOT, capture_output=True, text=True, timeout=60,
                            env={"PATH": os.environ["PATH"], "VIRTUAL_ENV": "/active"})
    commands = [line.replace("/active/bin/python", "python") for line in result.stdout.splitlines()
                if line.startswith("/active/bin/python")]
    assert len(commands) == 2 and set(commands) <= set(shown)
    assert shown[:2] == ["make demo", "make test"]
    script = (ROOT / "scripts" / "environment.sh").read_text(encoding="utf-8")
    assert 'python -m pip install -e ".[test]"' in shown and '-e ".[test]"' in script

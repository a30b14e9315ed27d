"""Child processes run none of the code that lies in the current folder, and do not outlive their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bertkit import child

PLANTS = ("json", "numpy", "tensorflow", "bertkit", "ctypes", "signal", "evil")


def planted(folder):
    for name in PLANTS:
        (folder / f"{name}.py").write_text("open('canary', 'w').close()\n")


def test_code_in_the_current_folder_never_runs(tmp_path, monkeypatch):
    planted(tmp_path)
    monkeypatch.chdir(tmp_path)
    for first in ("", str(tmp_path), os.curdir):
        monkeypatch.setattr(sys, "path", [first, *sys.path])
        done = child.run("import json, numpy, bertkit, sys; from importlib.util import find_spec; "
                         "print(bertkit.__file__, find_spec('evil'), sys.argv[1:])", ["a", "b"], capture_output=True,
                         text=True)
        home = Path(child.__file__).parent / "__init__.py"
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{home} None ['a', 'b']\n", "")
    assert not (tmp_path / "canary").exists()


def test_the_plants_would_run_without_the_care(tmp_path):
    planted(tmp_path)
    subprocess.run([sys.executable, "-c", "import evil"], cwd=tmp_path, check=True)
    assert (tmp_path / "canary").exists()


def test_bertkit_is_found_where_it_is_only_in_the_current_folder(monkeypatch):
    home = Path(child.__file__).parents[1]
    monkeypatch.chdir(home)
    monkeypatch.setattr(sys, "path", [str(home)])
    assert child.import_path() == [str(home)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_child_ends_when_its_parent_is_killed(tmp_path):
    waits = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", f"from bertkit import child; child.run({waits!r}, [])"],
                              stdout=subprocess.PIPE, text=True)
    number = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(100):
        if not _runs(number):
            return
        time.sleep(0.05)
    os.kill(number, signal.SIGKILL)
    raise AssertionError("the child goes on without its parent")


def _runs(number):
    """Return whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

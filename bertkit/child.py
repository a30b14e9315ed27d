"""Child processes: they import no code that lies in the current folder, and end when their parent ends."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_DEATH = 1              # PR_SET_PDEATHSIG of Linux's prctl: the signal that a process gets when its parent ends
_BEGIN = ("import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
          "from bertkit import child; child.begin(int(sys.argv.pop(1))); ")


def run(code: str, words: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[Any]":
    """Run Python code in a process of its own, with the parent's import path but for the current folder.

    Args:
        code: the code; `sys.argv[1:]` are the words.
        words: the words.
        **options: further arguments of `subprocess.run`.

    Returns:
        What `subprocess.run` returns.
    """
    command = [sys.executable, "-P", "-c", _BEGIN + code, json.dumps(import_path()), str(os.getpid()), *words]
    return subprocess.run(command, check=False, **options)


def import_path() -> list[str]:
    """Return where a child looks for modules: where this process does, and in the current folder for bertkit alone.

    Returns:
        Folders; that of bertkit comes last, in case it is the current folder.
    """
    here, home = os.path.realpath(os.curdir), str(Path(__file__).resolve().parents[1])
    return [folder for folder in sys.path if folder and os.path.realpath(folder) != here] + [home]


def begin(parent: int) -> None:
    """Ask the system to end this process when its parent ends, where the system can do so.

    Args:
        parent: the process id of the parent.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
        if os.getppid() != parent:          # it ended before the system was asked
            raise SystemExit(1)

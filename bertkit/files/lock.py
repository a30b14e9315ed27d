"""One run for each output: a lock that ends with its process, however it ends, and the names that dead runs left."""

import os
import shutil
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from bertkit.errors import Error

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:                             # Windows has no flock, and a run no lock there
    fcntl = None

PATIENCE = 5.0          # seconds in which a process that was just killed is gone
YOUNG = 60.0            # seconds in which a process may not have locked the temporary name that it made


class Lock:
    """A lock on a file or folder, which no other process gets until this one releases it or ends.

    It is the system's lock on the thing itself (`flock`), so that no file of its own is left behind. Where the system
    or the file system has no such lock, nothing is locked.

    Args:
        path: the file or folder.
        patience: seconds to wait for another process.

    Raises:
        Error: when another process holds it.
    """

    def __init__(self, path: str | Path, patience: float = PATIENCE) -> None:
        self.file: int | None = None
        file, end = os.open(path, os.O_RDONLY), time.monotonic() + patience
        while not _locked(file):
            if time.monotonic() > end:
                os.close(file)
                raise Error(f"{path} is in use by another bertkit that runs now; wait for it, or choose another --out.")
            time.sleep(0.05)
        self.file = file

    def holds(self, path: str | Path) -> bool:
        """Return whether it locks what stands at a path now, and nothing that was removed.

        Args:
            path: the file or folder.

        Returns:
            True or False.
        """
        try:
            return self.file is not None and os.path.samestat(os.fstat(self.file), os.stat(path))
        except OSError:
            return False

    def release(self) -> None:
        """Release the lock; once is enough."""
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def __del__(self) -> None:
        self.release()

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()


_HELD: dict[str, Lock] = {}         # the folders that this process works in


def hold(folder: str | Path) -> None:
    """Make a folder, and keep all other processes out of it until `release`, or until this process ends.

    Args:
        folder: the folder.

    Raises:
        Error: when another process works in it, or it cannot be made.
    """
    place = os.path.abspath(folder)
    try:
        while not (place in _HELD and _HELD[place].holds(place)):
            os.makedirs(place, exist_ok=True)
            release(place)
            _HELD[place] = Lock(place)
    except OSError as error:
        raise Error(f"{folder} cannot be written ({error.strerror}); choose another --out.") from None


def release(folder: str | Path) -> None:
    """Let other processes work in a folder again.

    Args:
        folder: the folder.
    """
    if lock := _HELD.pop(os.path.abspath(folder), None):
        lock.release()


def _locked(file):
    """Lock an open file; return whether no other process holds it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:                             # a file system without locks
        return True
    return True


def temporary_name(path: Path, what: str = "") -> Path:
    """Return the temporary name beside a path that this process uses.

    Args:
        path: the file or folder.
        what: what is kept under the name, such as ".old".

    Returns:
        A `Path`.

    Example:
        >>> temporary_name(Path("out")).name.partition("tmp")[0]
        '.out.'
    """
    return path.with_name(f".{path.name}{what}.tmp{os.getpid()}")


def remove_at_once(folder: Path) -> None:
    """Remove a folder so that a kill leaves all of it, or none of it under its name.

    Args:
        folder: the folder.
    """
    gone = temporary_name(folder, ".gone")
    os.replace(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)


def remove_dead(path: Path) -> None:
    """Remove the temporary names beside a path whose processes are dead.

    A folder that a dead process had put aside comes back, if nothing has taken its place.

    Args:
        path: the file or folder.
    """
    for what in (".old", ".gone", ""):
        start = f".{path.name}{what}.tmp"
        for name in _names(path.parent):
            if name.startswith(start) and name.removeprefix(start).isdigit() and _is_dead(path.with_name(name)):
                _put_away(path.with_name(name), path if what == ".old" else None)


def _names(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_dead(temporary):
    """Return whether the process that made a temporary name is gone."""
    number = int(temporary.name.rpartition("tmp")[2])
    try:
        young = time.time() - temporary.stat().st_mtime < YOUNG
        if number == os.getpid() or young and _runs(number):
            return False
        with Lock(temporary, patience=0):
            return True
    except (OSError, Error):
        return False


def _runs(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _put_away(temporary, back):
    """Remove a dead process's temporary name, or put what it had put aside back."""
    if back is not None and not back.exists():
        os.replace(temporary, back)
    elif temporary.is_dir() and not temporary.is_symlink():
        shutil.rmtree(temporary, ignore_errors=True)
    else:
        temporary.unlink(missing_ok=True)

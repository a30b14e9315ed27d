"""Every file that a user names is opened here: a regular file alone, and never more of it than its reader expects."""

import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

from bertkit.errors import Error

LARGEST = 1 << 28                             # bytes; the largest published tokenizer.json has 2^25
# open() waits for the writer of a pipe, unless it is told not to.
_FLAGS = getattr(os, "O_NONBLOCK", 0)
# What stands in a repository in place of a large file, and the most bytes that it has (git-lfs' specification).
_POINTER, _POINTER_SIZE = b"version https://git-lfs.github.com/spec/", 1024
_KINDS = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
          (stat.S_ISSOCK, "a socket"))


def as_path(given: Any, what: str = "a file or a folder") -> Path:
    """Return the path that a caller gave.

    Args:
        given: a str, or a path of `os.PathLike`.
        what: what the error says was wanted.

    Returns:
        A `Path`.

    Raises:
        Error: when something else came, or a name that no file can have.

    Example:
        >>> as_path(5, "the folder of a bundle")
        Traceback (most recent call last):
        ...
        bertkit.errors.Error: The value 5 of type int came where the path of the folder of a bundle was wanted.
    """
    path = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(path, str):
        raise Error(f"The value {given!r:.40} of type {type(given).__name__} came where the path of {what} was wanted.")
    if "\0" in path:
        raise Error(f"The path {path!r} holds the character NUL, which no path can hold; give the path of {what}.")
    return Path(path)


def opened(path: str | Path) -> BufferedReader:
    """Open a regular file to read its bytes; a file that cannot be opened raises OSError.

    Args:
        path: the file.

    Returns:
        The open file.

    Raises:
        Error: when it is a pipe, a device or a socket, which may have no end, or a pointer of Git LFS.
    """
    path = as_path(path, "a file")
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _FLAGS))      # noqa: SIM115
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode):
        file.close()
        kind = next((kind for matches, kind in _KINDS if matches(state.st_mode)), "no file")
        raise Error(f"{path} is {kind}, which may have no end; write what it gives to a file (COMMAND > FILE), and "
                    "give that file.")
    if state.st_size <= _POINTER_SIZE and file.peek(len(_POINTER)).startswith(_POINTER):
        file.close()
        raise Error(f"{path} is a pointer of Git LFS, a few lines of text that stand for the file itself; fetch that "
                    "with `git lfs pull` in the repository, or download the file on its own.")
    return file


def check_regular(path: str | Path) -> None:
    """Check that a file which a library opens by its name is a regular file.

    Args:
        path: the file.

    Raises:
        Error: when it cannot be opened, or may have no end.
    """
    try:
        opened(path).close()
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give a readable file.") from None


def content(path: str | Path, most: int = LARGEST) -> bytes:
    """Return the bytes of a file.

    Args:
        path: the file.
        most: the most bytes that such a file has.

    Returns:
        The bytes.

    Raises:
        Error: when the file is missing, cannot be read, has more than `most` bytes, or is no regular file.
    """
    try:
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            found = file.read(most + 1) if size <= most else b""
    except FileNotFoundError:
        raise Error(f"{path} is missing; give an existing file, or copy the whole folder again.") from None
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give a readable file.") from None
    if size > most or len(found) > most:
        raise Error(f"{path} has more than {most} bytes, which no such file has; give the right one.")
    return found

"""What a person at a terminal sees besides the answers: lines of progress, and one sentence about a mistake."""

import errno
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import util
from importlib.machinery import ModuleSpec
from typing import Any

from bertkit import requirements
from bertkit.errors import Error

# The errors of a place that cannot be written; any other OSError is a fault of bertkit.
UNWRITABLE = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENAMETOOLONG)


def say(message: str) -> None:
    """Write one line to standard error, where everything goes that is not the answer.

    Args:
        message: the line.
    """
    try:
        print(message, file=sys.stderr, flush=True)
    except BrokenPipeError:             # nobody reads it any more, but the work goes on
        _discard(sys.stderr)


def with_progress(chunks: Iterable[list[Any]], total: int, done: str, patience: float = 10) -> Iterator[list[Any]]:
    """Yield lists of rows, and write the progress of long work to standard error.

    Nothing is written in the first `patience` seconds. After that a terminal shows one line that changes in place, and
    a log gets a line every 15 seconds.

    Args:
        chunks: lists of rows.
        total: number of all rows.
        done: word for what has been done, such as "embedded".
        patience: seconds without progress lines.

    Yields:
        The lists.
    """
    count, began, reported = 0, time.monotonic(), -math.inf
    live = sys.stderr is not None and sys.stderr.isatty()
    for chunk in chunks:
        yield chunk
        count += len(chunk)
        now = time.monotonic()
        if now - began > patience and (count == total or now - reported > (0.5 if live else 15)):
            left, reported = (now - began) / count * (total - count), now
            line, end = f"{done} {count:,} of {total:,}, {left:.0f} s left", "" if live and count < total else "\n"
            print(f"\r{line:<78}" if live else line, end=end, file=sys.stderr, flush=True)


def run_guarded(action: Callable[[], Any]) -> int:
    """Run an action and return its exit code; a user's mistake becomes one sentence.

    A reader of the output that stops early, such as `head -1`, is no mistake.

    Args:
        action: function without arguments, which may return an exit code.

    Returns:
        The action's own code or 0 after success, 1 after a mistake, 130 after an interruption.
    """
    try:
        return _ended(action)
    except Error as error:
        say(f"bertkit: {' '.join(str(error).split())}")
        return 1
    except ModuleNotFoundError as error:
        if error.name is None or not requirements.is_required(error.name):
            raise
        package = error.name.split(".")[0].replace("_", "-")
        say(f"bertkit: {requirements.unsupported() or requirements.missing(package, 'This command')}")
        return 1
    except KeyboardInterrupt:
        say("bertkit: interrupted; the same command again goes on where it can.")
        return 130
    except BrokenPipeError:
        _discard(sys.stdout)
        return 0
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        say(f"bertkit: {error.filename or 'the disk'}: {error.strerror}; free some room, or choose another folder.")
        return 1


def _ended(action):
    """Return the exit code of an action after its output is written, also where argparse ends the process."""
    try:
        code = action() or 0
    except SystemExit:
        _flush()
        raise
    _flush()
    return code


def _flush():
    if sys.stdout is not None:
        sys.stdout.flush()


def _discard(stream):
    """Discard what is still written to a stream."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


@contextmanager
def quiet() -> Iterator[None]:
    """Hide what libraries write to the terminal while they are loaded; a context manager.

    It hides nothing where TF_CPP_MIN_LOG_LEVEL is set to less than 3.

    Yields:
        Nothing.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") < "3" or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


class QuietTensorFlow:
    """A finder of modules that loads TensorFlow inside `quiet`; it stands in sys.meta_path.

    So TensorFlow is quiet wherever it is loaded: in a command, in a recipe that is run as a script, in a notebook. On a
    system for which packages are missing it says so once, because importing them fails next.
    """

    def __init__(self):
        self.warned = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of TensorFlow, and None for every other module.

        Args:
            name: name of the module.
            path: the path that Python gives to a finder; unused.
            target: the module that Python gives to a finder; unused.

        Returns:
            The spec, or None.
        """
        if name != "tensorflow":
            return None
        if not self.warned and (sentence := requirements.unsupported()):
            self.warned = True
            say(f"bertkit: {sentence}")
        sys.meta_path.remove(self)
        try:
            spec: Any = util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec:
            spec.loader.exec_module = quiet()(spec.loader.exec_module)
        return spec

"""What a person at a terminal sees besides the answers: lines of progress, and one sentence about a mistake."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import util
from importlib.machinery import ModuleSpec
from typing import Any

from bertkit.errors import Error

# The errors of a place that cannot be written; any other OSError is a fault of bertkit.
UNWRITABLE = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENAMETOOLONG)


def say(message: str) -> None:
    """Write one line to standard error, where everything goes that is not the answer.

    Args:
        message: the line.
    """
    print(message, file=sys.stderr, flush=True)


def guarded(action: Callable[[], Any]) -> int:
    """Run an action and return its exit code; a user's mistake becomes one sentence.

    Args:
        action: function without arguments.

    Returns:
        0 after success, 1 after a mistake, 130 after an interruption.
    """
    try:
        action()
    except Error as error:
        say(f"bertkit: {' '.join(str(error).split())}")
        return 1
    except KeyboardInterrupt:
        say("bertkit: interrupted; the same command again goes on where it can.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        say(f"bertkit: {error.filename or 'the disk'}: {error.strerror}; free some room, or choose another folder.")
        return 1
    return 0


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

    So TensorFlow is quiet wherever it is loaded: in a command, in a recipe that is run as a script, in a notebook.
    """

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
        sys.meta_path.remove(self)
        try:
            spec: Any = util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec:
            spec.loader.exec_module = quiet()(spec.loader.exec_module)
        return spec

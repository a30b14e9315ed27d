"""What a person at a terminal sees besides the answers: lines of progress, and one sentence about a mistake."""

import atexit
import errno
import faulthandler
import gc
import math
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import util
from importlib.machinery import ModuleSpec
from typing import Any

from bertkit import requirements
from bertkit.errors import Error

# The errors of a place that cannot be read or written; any other OSError is a fault of bertkit.
UNWRITABLE = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENAMETOOLONG, errno.EFBIG, errno.ENOTDIR,
              errno.EEXIST, errno.EPERM, errno.ENOENT, errno.ELOOP)
_DISK = re.compile("No space left on device|File too large|Disk quota exceeded|Could not initialize events writer")
# The controls of a terminal (C0 but for tab and line end, DEL, C1), the marks that turn the direction of writing, the
# line ends of Unicode, and half surrogates, which stand for the bytes of a name that is not UTF-8.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SIGNALS = ("SIGTERM", "SIGHUP")
_PATIENCE = 30      # seconds in which a process that ended by an error tears itself down


class Ended(BaseException):
    """A signal asked this process to end; what is under way is left as an interruption leaves it."""


def escaped(text: str) -> str:
    r"""Return a text without the characters that a terminal would obey.

    Args:
        text: the text.

    Returns:
        The text with \xNN or \uNNNN in the place of each such character, which in JSON is the same string.

    >>> escaped("a[2Jb")
    'a\\u001b[2Jb'
    """
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(message: str, end: str = "\n") -> None:
    """Write one line to standard error, where everything goes that is not the answer.

    A standard error that is closed, full or read by nobody any more ends nothing.

    Args:
        message: the line.
        end: what comes after it.
    """
    if sys.stderr is None:              # print() would write to standard output
        return
    start = "\r" if message.startswith("\r") else ""         # a line that changes in place
    try:
        print(start + escaped(message.removeprefix(start)), end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):
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
            say(f"\r{line:<78}" if live else line, end=end)


def run_guarded(action: Callable[[], Any]) -> int:
    """Run an action and return its exit code; a user's mistake becomes one sentence.

    A reader of the output that stops early, such as `head -1`, is no mistake.

    Args:
        action: function without arguments, which may return an exit code.

    Returns:
        The action's own code or 0 after success, 1 after a mistake, 130 after an interruption, 128 and its number after
        a signal.
    """
    code = 1
    try:
        with _obeying_signals():
            code = _guarded(action)
        return code
    finally:
        if code:
            _watch_the_end()


def _guarded(action):
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
    except Ended as ended:
        say(f"bertkit: ended by {ended}; the same command again goes on where it can.")
        return 128 + signal.Signals[str(ended)]
    except BrokenPipeError:
        _discard(sys.stdout)
        return 0
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        _discard_full()
        say(f"bertkit: {error.filename or 'the disk'}: {error.strerror}; free some room, or choose another folder.")
        return 1
    except Exception as error:          # TensorFlow's errors of a full disk are no OSError
        if not (type(error).__module__.startswith("tensorflow") and (reason := _DISK.search(str(error)))):
            raise
        say(f"bertkit: a file cannot be written ({reason[0]}); free some room, or choose another folder.")
        return 1


@contextmanager
def _obeying_signals():
    """Let SIGTERM and SIGHUP end the work as an interruption does, where they are not ignored (nohup) or handled."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number, _):
    raise Ended(signal.Signals(number).name)


@cache
def _watch_the_end():
    """Let this process end at last, even if a destructor hangs while Python is torn down.

    A prefetching iterator of tf.data waits there for a Python generator that cannot run any more. Therefore what an
    error held is collected before, while Python still runs, and a thread that is not Python's ends the process if
    another destructor hangs.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    atexit.register(faulthandler.dump_traceback_later, _PATIENCE, exit=True, file=null)
    atexit.register(gc.collect)             # called before the one above


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
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError, AttributeError):       # a stream of a notebook or a test has no number
        pass


def _discard_full():
    """Discard what standard output still holds if it cannot be written, so that the end of Python finds it empty."""
    try:
        _flush()
    except OSError:
        _discard(sys.stdout)


def open_standard_streams() -> None:
    """Give the null device to each standard stream that is closed: the next file would get its number otherwise."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


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

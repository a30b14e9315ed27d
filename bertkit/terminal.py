"""What a person at a terminal sees besides answers: a line of progress, one sentence about a mistake, no noise."""

import errno
import math
import os
import sys
import time
from contextlib import contextmanager
from importlib import util

from bertkit import requirements
from bertkit.errors import Error

# What the system says when a place cannot be written; the rest of OSError is a fault of ours.
UNWRITABLE = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENAMETOOLONG)


def say(message):
    """Write one line to standard error, where everything goes that is not the answer."""
    try:
        print(message, file=sys.stderr, flush=True)
    except BrokenPipeError:             # nobody reads it any more, and the work goes on
        _discard(sys.stderr)


def counted(chunks, total, done, patience=10):
    """Yield lists of rows, and say on standard error how many of `total` are `done`: long work alone says anything.

    Nothing is said in the first `patience` seconds; after that a line in place on a terminal, and in a log one now and
    then.
    """
    count, began, shown = 0, time.monotonic(), -math.inf
    live = sys.stderr is not None and sys.stderr.isatty()
    for chunk in chunks:
        yield chunk
        count += len(chunk)
        now = time.monotonic()
        if now - began > patience and (count == total or now - shown > (0.5 if live else 15)):
            left, shown = (now - began) / count * (total - count), now
            line, end = f"{done} {count:,} of {total:,}, {left:.0f} s left", "" if live and count < total else "\n"
            print(f"\r{line:<78}" if live else line, end=end, file=sys.stderr, flush=True)


def guarded(action):
    """Return the exit code of an action: its own or 0; 1 after one sentence about a user's mistake.

    A reader of the answer that leaves early, such as `head -1`, has had enough: that is no mistake.
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
    """Let what is still to be written to a stream go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def quiet():
    """Keep what libraries write while they are loaded off the terminal, unless TF_CPP_MIN_LOG_LEVEL asks for it."""
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") < "3" or sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


class QuietTensorFlow:
    """Finds TensorFlow where Python does, and lets it be loaded `quiet`; stands in sys.meta_path.

    So it is quiet by every door: a command, a recipe that is run as a script, a notebook. On a system for which
    packages are missing it says so, once, because what then fails is the import of one of these.
    """

    def __init__(self):
        self.warned = False

    def find_spec(self, name, path=None, target=None):
        """Return the spec of TensorFlow, and of nothing else."""
        if name != "tensorflow":
            return None
        if not self.warned and (sentence := requirements.unsupported()):
            self.warned = True
            say(f"bertkit: {sentence}")
        sys.meta_path.remove(self)
        try:
            spec = util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec:
            spec.loader.exec_module = quiet()(spec.loader.exec_module)
        return spec

"""What a person at a terminal sees besides answers: a line of progress, one sentence about a mistake, no noise."""

import errno
import os
import sys
from contextlib import contextmanager

from bertkit.errors import Error

# What the system says when a place cannot be written; the rest of OSError is a fault of ours.
UNWRITABLE = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENAMETOOLONG)


def say(message):
    """Write one line to standard error, where everything goes that is not the answer."""
    print(message, file=sys.stderr, flush=True)


def guarded(action):
    """Return the exit code of an action: 0, or 1 after one sentence about a user's mistake."""
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
def quiet():
    """Keep what TensorFlow's libraries write while they are loaded off the terminal."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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

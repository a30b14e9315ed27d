"""One run of `fit()` from its first step, or from where it was killed, to the folder it leaves."""

import math
import os
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import keras

from bertkit.checkpoints import files
from bertkit.errors import Error
from bertkit.training.board import Board
from bertkit.training.progress import Progress
from bertkit.training.resume import Resume


def begin(out, epochs, learning_rate, seed):
    """Refuse what a run could only fail with later; fix every random draw.

    Raises `Error` for knobs that train nothing, a seed beyond 32 bits, or an `out` whose place is taken.
    """
    files.check_replaceable(out)
    _check_working(working(out))
    if epochs < 1:
        raise Error(f"epochs={epochs} trains nothing; give 1 or more.")
    if not 0 < learning_rate < math.inf:
        raise Error(f"learning_rate={learning_rate} trains nothing; give a finite number above 0, such as 5e-5.")
    if not 0 <= seed < 2**32:
        raise Error(f"seed={seed} lies outside 0 to {2**32 - 1}.")
    keras.utils.set_random_seed(seed)


@contextmanager
def precision(name):
    """Let models made inside compute in "float32", or in "bfloat16" with sums and weights in float32.

    Keras' own policy comes back afterwards: a model keeps the one it was made under.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if name == "bfloat16" else name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def working(out):
    """Return the folder of a run under way: OUT.tmp, also where OUT ends in a slash."""
    return Path(f"{os.path.abspath(out)}.tmp")


def _check_working(folder):
    """Raise `Error` if OUT.tmp is not a run's, because it is removed when the bundle is written."""
    if folder.exists() and not folder.is_dir():
        raise Error(f"{folder} is a file, and the run would work in a folder of that name; choose another --out.")
    strange = sorted(path.name for path in folder.glob("*")
                     if not path.name.startswith(("state-", ".state-")) and path.name != "logs")
    if strange:
        raise Error(f"{folder} holds {strange[0]}, which no run of bertkit left there; choose another --out.")


class Run:
    """What a recipe hands to `fit()`: the batches still to come and the callbacks that watch and keep.

    A run works in OUT.tmp and OUT appears only when it is whole. `knobs` and the files among them (`paths`) are what
    makes the same command the same run; started again, it goes on after its last epoch.
    `begin` has looked at `out` before.
    """

    def __init__(self, out, knobs, paths, walk, epochs, best, tuning):
        self.folder = working(out)
        self.walk, self.epochs, self.best, self.tuning, self.knobs = walk, epochs, best, tuning, knobs
        self.state = Resume(self.folder, {**knobs, "files": [files.sha256(path) for path in paths]}, best)

    @property
    def logs(self):
        """Where TensorBoard's files are."""
        return self.folder / "logs"

    def arguments(self, model):
        """Return the arguments of `model.fit()`, after putting an interrupted run's state into `model`."""
        epoch = self.state.restore(model)
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Error(f"{self.folder} cannot be written ({error.strerror}); choose another --out.") from None
        steps = self.walk.steps_per_epoch
        done = epoch * steps
        board = Board(self.logs, self.walk, self.knobs, self.tuning.log_every, done, self.best)
        return {"x": self.walk.dataset(done), "epochs": self.epochs, "initial_epoch": epoch,
                "steps_per_epoch": steps, "shuffle": False, "verbose": 0,
                "callbacks": [self.best, self.state, board, Progress(self.epochs * steps, done)]}

    def clear(self):
        """Remove the working folder: the bundle is written."""
        rmtree(self.folder, ignore_errors=True)

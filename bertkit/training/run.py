"""One run of `fit()` from its first step, or from where it was killed, to the folder it leaves."""

from pathlib import Path
from shutil import rmtree

from bertkit.checkpoints import files
from bertkit.training.board import Board
from bertkit.training.progress import Progress
from bertkit.training.resume import Resume


class Run:
    """What a recipe hands to `fit()`: the batches still to come and the callbacks that watch and keep.

    A run works in OUT.tmp and OUT appears only when it is whole. `knobs` and the files among them (`paths`) are what
    makes the same command the same run; started again, it goes on after its last epoch.
    Raises `Error` if `out` cannot be written or holds something that bertkit did not write.
    """

    def __init__(self, out, knobs, paths, walk, epochs, best, tuning):
        self.folder = Path(f"{out}.tmp")
        self.walk, self.epochs, self.best, self.tuning, self.knobs = walk, epochs, best, tuning, knobs
        self.state = Resume(self.folder, {**knobs, "files": [files.sha256(path) for path in paths]}, best)

    @property
    def logs(self):
        """Where TensorBoard's files are."""
        return self.folder / "logs"

    def arguments(self, model):
        """Return the arguments of `model.fit()`, after putting an interrupted run's state into `model`."""
        epoch = self.state.restore(model)
        steps = self.walk.steps_per_epoch
        done = epoch * steps
        board = Board(self.logs, self.walk, self.knobs, self.tuning.log_every, done, self.best)
        return {"x": self.walk.dataset(done), "epochs": self.epochs, "initial_epoch": epoch,
                "steps_per_epoch": steps, "shuffle": False, "verbose": 0,
                "callbacks": [self.best, self.state, board, Progress(self.epochs * steps, done)]}

    def clear(self):
        """Remove the working folder: the bundle is written."""
        rmtree(self.folder, ignore_errors=True)

"""Train, dev and test of one task: what is learnt from, and what is only scored."""

import copy
from dataclasses import dataclass

import numpy as np

from bertkit.data.columns import Columns
from bertkit.data.features import Features, features_of
from bertkit.data.holdout import folds, held_out_size, hold_out, strata, units
from bertkit.data.labelled import learn_task, read_labelled
from bertkit.errors import Error
from bertkit.tasks.packed import Packed
from bertkit.terminal import say


@dataclass(frozen=True)
class EvalSplit:
    """Labelled inputs that a task is scored on, packed into the rows of `features`."""

    inputs: list
    targets: object
    packed: Packed
    features: Features


class Splits:
    """The files of a run, read together; `task` is what train makes of the task `name`.

    `limit` takes the first rows of train only; `reading` see `read_labelled`. Without dev, some of train are held out
    as dev, and said: a stratified part (see `data.holdout`), or the share `held_back` (see `Labelled.divided`).
    `whole` is train with the rows held out. Raises `Error` for a file that cannot be read, or that does not fit train,
    and where train is too small to hold out a row of it.
    """

    def __init__(self, name, train, dev, test=None, columns=Columns(), limit=None, held_back=None, **reading):
        self.task, self.whole = learn_task(name, train, columns, limit=limit, **reading)
        self.paths = {name: path for name, path in (("train", train), ("dev", dev), ("test", test)) if path}
        self.parts = {"train": self.whole} | {
            part: read_labelled(self.task, path, columns, **reading)
            for part, path in self.paths.items() if part != "train"}
        if "dev" not in self.parts:
            self.parts |= self._held_out(self.whole, held_back)
            held, rows = len(self.parts["dev"]), len(self.whole)
            say(f"held out {held} of {rows} rows of {self.whole.path}, {'' if held_back else 'stratified, '}to choose "
                "the epoch and to score the model; --dev gives other rows for that.")

    def _held_out(self, labelled, share=None):
        """Return {"train", "dev"}: the two parts of what is trained on where no dev is given."""
        if share is not None:
            return dict(zip(("train", "dev"), labelled.divided(share), strict=True))
        held = hold_out(strata(self.task, labelled.targets), units(self.task, labelled), held_out_size(len(labelled)))
        if not held.any():
            raise Error(f"{labelled.path}: of its {len(labelled)} rows none can be held out to choose the epoch; give "
                        "rows of their own with --dev.")
        return dict(zip(("train", "dev"), labelled.parted(held), strict=True))

    def folds(self, count):
        """Yield (rows, `Splits`) of each of `count` folds: what is learnt from and dev as here, test is the fold.

        `rows` are the numbers of the fold's rows in `whole`. Raises `Error` where there are not as many different rows.
        """
        different = units(self.task, self.whole)
        if not 2 <= count <= len(set(different)):
            raise Error(f"folds={count} does not divide the {len(set(different))} different rows of {self.whole.path}; "
                        f"give 2 to {len(set(different))}.")
        found = folds(strata(self.task, self.whole.targets), different, count)
        for number in range(count):
            rest, fold = self.whole.parted(found == number)
            made = copy.copy(self)
            made.parts = {"train": rest, "dev": self.parts["dev"], "test": fold}
            if "dev" not in self.paths:
                made.parts |= self._held_out(rest)
            yield np.flatnonzero(found == number), made

    def features(self, tokenizer, length):
        """Return the `Features` to train on, each row cut to `length` tokens."""
        train = self.parts["train"]
        return features_of(self.task.pack(tokenizer, train.inputs, length, train.targets), tokenizer)

    def held(self, tokenizer, length):
        """Return {"dev": Held, "test": Held}, the latter where there is one."""
        found = {}
        for name, part in self.parts.items():
            if name != "train":
                packed = self.task.pack(tokenizer, part.inputs, length)
                found[name] = EvalSplit(part.inputs, part.targets, packed, features_of(packed, tokenizer))
        return found

    def metadata(self):
        """Return what a card says of the data: {split: {"file", "rows", "skipped"}}; of a dev held out, of how many."""
        found = {name: part.metadata() for name, part in self.parts.items()}
        return found if "dev" in self.paths else found | {"dev": found["dev"] | {"held_out_of": len(self.whole)}}

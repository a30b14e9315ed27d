"""Train, dev and test of one task: what is learnt from, and what is only scored."""

from dataclasses import dataclass

from bertkit.data.columns import Columns
from bertkit.data.features import Features, features_of
from bertkit.data.labelled import learn_task, read_labelled
from bertkit.tasks.packed import Packed


@dataclass(frozen=True)
class EvalSplit:
    """Labelled inputs that a task is scored on, packed into the rows of `features`."""

    inputs: list
    targets: object
    packed: Packed
    features: Features


class Splits:
    """The files of a run, read together; `task` is what train makes of the task `name`.

    `limit` takes the first rows of train only; `reading` see `read_labelled`. Without dev, the share `held_back` of
    train is dev (see `Labelled.divided`). Raises `Error` for a file that cannot be read, or that does not fit train.
    """

    def __init__(self, name, train, dev, test=None, columns=Columns(), limit=None, held_back=None, **reading):
        self.task, learnt = learn_task(name, train, columns, limit=limit, **reading)
        self.paths = {name: path for name, path in (("train", train), ("dev", dev), ("test", test)) if path}
        own = (learnt,) if dev else learnt.divided(held_back)
        self.parts = dict(zip(("train", "dev"), own, strict=False)) | {
            part: read_labelled(self.task, path, columns, **reading)
            for part, path in self.paths.items() if part != "train"}

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
        """Return what a card says of the data: {split: {"file", "rows", "skipped"}}."""
        return {name: part.metadata() for name, part in self.parts.items()}

"""Train, dev and test of one task: what is learned from, and what is only scored."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertkit.data.columns import Columns
from bertkit.data.features import Features, features_of
from bertkit.data.labelled import learn_task, read_labelled
from bertkit.tasks.packed import Packed
from bertkit.text import Tokenizer


@dataclass(frozen=True)
class EvalSplit:
    """Labelled inputs that a task is scored on.

    Args:
        inputs: What the task reads.
        targets: What it is scored against.
        packed: The `Packed` rows.
        features: The `Features` of the rows.
    """

    inputs: list[Any]
    targets: Any
    packed: Packed
    features: Features


class Splits:
    """The files of a run, read together; the attribute `task` is made from the training file.

    Args:
        name: The name of the task's command, such as "classify".
        train: The training file.
        dev: The dev file, or None.
        test: The test file, or None.
        columns: Names of columns.
        limit: Read the first rows of train only.
        held_back: The share of train that is dev where there is no dev file (see `Labelled.divided`).
        reading: Further arguments of `read_labelled`.

    Raises:
        Error: when a file cannot be read, or does not fit train.
    """

    def __init__(self, name: str, train: str | Path, dev: str | Path | None, test: str | Path | None = None,
                 columns: Columns = Columns(), limit: int | None = None, held_back: Any = None, **reading: Any) -> None:
        self.task, training = learn_task(name, train, columns, limit=limit, **reading)
        self.paths = {name: path for name, path in (("train", train), ("dev", dev), ("test", test)) if path}
        own = (training,) if dev else training.divided(held_back)
        self.parts = dict(zip(("train", "dev"), own, strict=False)) | {
            part: read_labelled(self.task, path, columns, **reading)
            for part, path in self.paths.items() if part != "train"}

    def features(self, tokenizer: Tokenizer, length: int) -> Features:
        """Return the rows to train on.

        Args:
            tokenizer: The `Tokenizer`.
            length: The most tokens of a row.

        Returns:
            The `Features`.
        """
        train = self.parts["train"]
        return features_of(self.task.pack(tokenizer, train.inputs, length, train.targets), tokenizer)

    def held(self, tokenizer: Tokenizer, length: int) -> dict[str, EvalSplit]:
        """Return the inputs to score on.

        Args:
            tokenizer: The `Tokenizer`.
            length: The most tokens of a row.

        Returns:
            {"dev": `EvalSplit`, "test": `EvalSplit` where there is one}.
        """
        splits = {}
        for name, part in self.parts.items():
            if name != "train":
                packed = self.task.pack(tokenizer, part.inputs, length)
                splits[name] = EvalSplit(part.inputs, part.targets, packed, features_of(packed, tokenizer))
        return splits

    def metadata(self) -> dict[str, dict[str, Any]]:
        """Return what a card says of the data.

        Returns:
            {split: {"file", "rows", "skipped"}}.
        """
        return {name: part.metadata() for name, part in self.parts.items()}

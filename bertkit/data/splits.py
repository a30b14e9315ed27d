"""Train, dev and test of one task: what is learned from, and what is only scored."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bertkit.data.columns import Columns
from bertkit.data.features import Features, features_of
from bertkit.data.frames import Data, data_path, optional_path
from bertkit.data.holdout import folds, held_out_size, hold_out, strata, units
from bertkit.data.labelled import learn_task, read_labelled
from bertkit.data.summary import described, shared_with_train
from bertkit.errors import Error
from bertkit.tasks.packed import Packed
from bertkit.terminal import say
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
    """The files of a run, read together; the task is made from the training file, or known before.

    Without a dev file some rows of train are held out as dev, and a line that says so is printed.

    What was read is printed, also how many rows of dev and test stand in train.

    The attributes are `task`; `whole`, all of train, with the rows held out; `paths`, {split: file} of those given; and
    `parts`, {split: `Labelled`}.

    Args:
        name: The name of the task, such as "classify"; or the task of a trained model, whose labels the files have.
        train: The training file, or rows in memory (see `frames.data_path`), as those of dev and test may be.
        dev: The dev file, or None.
        test: The test file, or None.
        columns: Names of columns.
        limit: Read the first rows of train only.
        held_back: The share of train that is dev where there is no dev file (see `Labelled.split_by_group`); None holds
            out a stratified part (see `data.holdout`).
        positive: Of two classes, the one that F1 is of; None leaves it to the task, and it is said.
        reading: Further arguments of `read_labelled`.

    Raises:
        Error: when a file cannot be read, or does not fit train; when there is no class `positive`; when train is too
            small to hold out a row of it.
    """

    def __init__(self, name: Any, train: Data, dev: Data | None, test: Data | None = None,
                 columns: Columns = Columns(), limit: int | None = None, held_back: float | None = None,
                 positive: str | None = None, **reading: Any) -> None:
        train, dev, test = data_path(train), optional_path(dev), optional_path(test)
        task, self.whole = learn_task(name, train, columns, limit=limit, **reading)
        self.task = task if positive is None and task is name else task.with_positive(positive)
        if counted := getattr(self.task, "positive_class", None):
            say(f"f1 is that of the class {counted!r}" + ("." if positive else "; --positive NAME takes the other."))
        self.paths = {name: path for name, path in (("train", train), ("dev", dev), ("test", test)) if path is not None}
        self.parts = {"train": self.whole} | {
            part: read_labelled(self.task, path, columns, **reading)
            for part, path in self.paths.items() if part != "train"}
        if "dev" not in self.parts:
            self.parts |= self._held_out(self.whole, held_back)
            held, rows = len(self.parts["dev"]), len(self.whole)
            say(f"held out {held} of {rows} rows of {self.whole.path}, {'' if held_back else 'stratified, '}to choose "
                "the epoch and to score the model; --dev gives other rows for that.")
        self.shared = {name: sentence for name, part in self.parts.items() if name != "train"
                       for sentence in [shared_with_train(self.parts["train"], part)] if sentence}
        for sentence in self.shared.values():
            say(f"  note: {sentence}")

    def _held_out(self, labelled, share=None):
        """Return {"train", "dev"}, two parts of `labelled`; dev is about `share` of it, or where None, stratified."""
        if share is not None:
            return dict(zip(("train", "dev"), labelled.split_by_group(share), strict=True))
        held = hold_out(strata(self.task, labelled.targets), units(self.task, labelled), held_out_size(len(labelled)))
        if not held.any():
            raise Error(f"{labelled.path}: of its {len(labelled)} rows none can be held out to choose the epoch; give "
                        "rows of their own with --dev.")
        return dict(zip(("train", "dev"), labelled.split_by_mask(held), strict=True))

    def folds(self, count: int) -> Iterator[tuple[np.ndarray, Self]]:
        """Yield the splits of each fold: test is the fold, train is the rest.

        Dev is the dev file, or rows held out of the rest where there is none.

        Args:
            count: The folds.

        Yields:
            (the numbers of the fold's rows in `whole`, int64 [rows], and the `Splits`).

        Raises:
            Error: when `count` is below 2, or there are fewer different rows.
        """
        different = units(self.task, self.whole)
        if not 2 <= count <= len(set(different)):
            raise Error(f"folds={count} does not divide the {len(set(different))} different rows of {self.whole.path}; "
                        f"give 2 to {len(set(different))}.")
        found = folds(strata(self.task, self.whole.targets), different, count)
        for number in range(count):
            rest, fold = self.whole.split_by_mask(found == number)
            made = copy.copy(self)
            made.parts = {"train": rest, "dev": self.parts["dev"], "test": fold}
            if "dev" not in self.paths:
                made.parts |= self._held_out(rest)
            yield np.flatnonzero(found == number), made

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

    def eval_splits(self, tokenizer: Tokenizer, length: int) -> dict[str, EvalSplit]:
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
            {split: what `summary.described` says}; where dev was held out of train, it also has "held_out_of", the rows
            of which it was held out.
        """
        splits = {name: described(self.task, part) for name, part in self.parts.items()}
        for name, sentence in self.shared.items():
            splits[name]["remarks"] = [*splits[name].get("remarks", []), sentence]
        return splits if "dev" in self.paths else splits | {"dev": splits["dev"] | {"held_out_of": len(self.whole)}}

"""A run that was killed goes on from its last state to the very weights it would have reached.

The state is every variable (weights, dropout seeds), the optimizer's (moments, averages, step) and what other callbacks
remember; the data needs none, because a batch is a pure function of (seed, step). Each file is written by temporary
name, sync and rename; the one before the newest is kept, and a damaged newest one is named and passed over.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import load as parse
from safetensors.numpy import save as safetensors_bytes

from bertkit.errors import Error
from bertkit.files.atomic import read_json, sha256, write_bytes, write_json
from bertkit.terminal import say

KEPT = 2
_SUM = re.compile(r"\b[0-9a-f]{64}\b")       # files are known by their SHA-256, which says nothing to a reader


class Resume(keras.callbacks.Callback):
    """Save the state of a run while it trains, and restore it when the same run starts again.

    Args:
        folder: The folder of the states.
        knobs: What makes two runs the same run, any JSON value.
        memory: Another callback whose `get_state()` returns (JSON, {name: array}) and whose `set_state` takes these, or
            None.
        every: Steps between two states; None saves after each epoch.
        others: What to do where the folder holds a run of other knobs: "start anew", or "refuse", which is an `Error`.
        last: The last step of the run, after which no state is saved.
        writes: False where another process of the run writes the states.
    """

    def __init__(self, folder: str | Path, knobs: Any, memory: Any = None, every: int | None = None,
                 others: str = "start anew", last: int | None = None, writes: bool = True) -> None:
        super().__init__()
        self.folder, self.memory, self.every, self.writes = Path(folder), memory, every, writes
        self.knobs = json.loads(json.dumps(knobs, sort_keys=True, default=str))
        self.others, self.last = others, last
        self.unit, self.done = "epoch" if every is None else "step", 0
        self.good = []          # the states that were read or written by this process, the newest last

    def restore(self, model: keras.Model) -> int:
        """Put the newest undamaged state into a model.

        The optimizer gets its variables here: made within `fit()` they would have TensorFlow trace the step twice.

        Args:
            model: The compiled model.

        Returns:
            The epochs or steps that the state has done, 0 if there is none.

        Raises:
            Error: When the folder holds a run of other knobs and `others` is "refuse".
        """
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        paths = sorted(self.folder.glob("state-*.json"), reverse=True)
        for path in paths:
            metadata, weights = _metadata(path), path.with_suffix(".safetensors")
            if metadata and metadata["knobs"] != self.knobs:
                self._met_others(metadata["knobs"])
                return 0
            if metadata and weights.is_file() and sha256(weights) == metadata["sha256"]:
                self._read(model, parse(weights.read_bytes()), metadata)
                say(f"Resuming after {self.unit} {metadata['done']}.")
                return self.done
            say(f"{weights if metadata else path} is damaged; "
                f"{'starting anew' if path == paths[-1] else 'using the state before it'}.")
        return 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the state, if states are saved after each epoch.

        Args:
            epoch: The number of the epoch, from 0.
            logs: Not used.
        """
        if self.every is None:
            self.save(epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the state after each `every` steps, if states are saved by steps.

        Args:
            batch: Not used.
            logs: Not used.
        """
        if self.every is not None:
            self.done += 1
            if self.done % self.every == 0 and self.done != self.last:
                self.save(self.done)

    def save(self, done: int) -> None:
        """Write the state of the run; all states but it and the one before it are removed.

        Args:
            done: Epochs or steps that the state has done.

        Raises:
            Error: When the files cannot be written.
        """
        if not self.writes:
            return
        metadata, kept = self.memory.get_state() if self.memory else (None, {})
        tensors = {name: np.asarray(variable) for name, variable in _state(self.model).items()}
        path = self.folder / f"state-{done:08d}.safetensors"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bytes(path, safetensors_bytes(tensors | {f"memory/{name}": value for name, value in kept.items()}))
            write_json(path.with_suffix(".json"), {"done": done, "knobs": self.knobs, "sha256": sha256(path),
                                                   "memory": metadata})
        except OSError as error:
            raise Error(f"The run's state could not be written to {path} ({error.strerror}); free some room and run "
                        "the same command again, which resumes.") from error
        self.good = [*self.good, path.stem][-KEPT:]
        for old in self.folder.glob("state-*"):
            if old.stem not in self.good:               # a damaged one, too, whatever its number
                old.unlink()

    def _read(self, model, tensors, metadata):
        self.done, self.good = metadata["done"], [f"state-{metadata['done']:08d}"]
        for name, variable in _state(model).items():
            variable.assign(tensors[name])
        if self.memory:
            kept = {name.removeprefix("memory/"): value for name, value in tensors.items()
                    if name.startswith("memory/")}
            self.memory.set_state(metadata["memory"], kept)

    def _met_others(self, knobs):
        if self.others == "refuse":
            raise Error(f"{self.folder} holds a run {_unlike(knobs, self.knobs)}; give the same command to go on with "
                        "it, or another --out.")
        say(f"{self.folder} holds a run with other knobs or data; starting anew.")
        shutil.rmtree(self.folder)


def _unlike(theirs, ours):
    """Return in words in what two runs differ."""
    if isinstance(theirs, dict):
        for name in sorted({*theirs, *ours}):
            one, other = theirs.get(name), ours.get(name)
            if one != other and _SUM.search(f"{one} {other}"):
                return f"whose {name} held something else"
            if one != other:
                return f"with {name} {one!s:.60}, and {other!s:.60} came"
    return "with other knobs or data"


def _metadata(path):
    """Return what a state's JSON says, or None if it is damaged."""
    try:
        metadata = read_json(path)
    except Error:
        return None
    return metadata if {"done", "knobs", "sha256", "memory"} <= set(metadata) else None


def _state(model):
    """Return {name: variable} of all that training changes, in an order that building fixes."""
    found = {f"model/{i}": variable for i, variable in enumerate(model.variables)}
    return found | {f"optimizer/{i}": variable for i, variable in enumerate(model.optimizer.variables)}

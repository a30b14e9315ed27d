"""A run that was killed goes on from its last epoch to the very weights it would have reached.

The state is every variable (weights, dropout seeds), the optimizer's (moments, step) and what `Best` remembers;
the data needs none, because a batch is a pure function of (seed, step). It is written beside the bundle-to-be DIR, in
DIR.tmp, each file by temporary name, sync and rename; the one before the newest is kept, and a damaged newest one is
named and passed over.
"""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import load as parse
from safetensors.numpy import save as safetensors_bytes

from bertkit.checkpoints.files import read_json, sha256, write_json
from bertkit.errors import Error
from bertkit.terminal import say
from bertkit.text.files import write_bytes

KEPT = 2


class Resume(keras.callbacks.Callback):
    """Save the run's state after each epoch in `folder`, and restore it when the same run starts again.

    `knobs` is what makes two runs the same run: any JSON value. `best` is the run's `Best` or None.
    """

    def __init__(self, folder, knobs, best=None):
        super().__init__()
        self.folder, self.best = Path(folder), best
        self.knobs = json.loads(json.dumps(knobs, sort_keys=True, default=str))

    def restore(self, model):
        """Put the newest whole state into `model`; return the number of epochs behind it, 0 if there is none."""
        paths = sorted(self.folder.glob("state-*.json"), reverse=True)
        for path in paths:
            facts, weights = _facts(path), path.with_suffix(".safetensors")
            if facts and facts["knobs"] != self.knobs:
                say(f"{self.folder} holds a run with other knobs or data; starting anew.")
                shutil.rmtree(self.folder)
                return 0
            if facts and weights.is_file() and sha256(weights) == facts["sha256"]:
                self._read(model, parse(weights.read_bytes()), facts)
                say(f"Resuming after epoch {facts['epoch']}.")
                return facts["epoch"]
            say(f"{weights if facts else path} is damaged; "
                f"{'starting anew' if path == paths[-1] else 'using the state before it'}.")
        return 0

    def on_epoch_end(self, epoch, logs=None):
        tensors = {name: np.asarray(variable) for name, variable in _state(self.model).items()}
        if self.best and self.best.weights:
            tensors |= {f"best/{i}": value for i, value in enumerate(self.best.weights)}
        path = self.folder / f"state-{epoch + 1:06d}.safetensors"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bytes(path, safetensors_bytes(tensors))
            write_json(path.with_suffix(".json"), {
                "epoch": epoch + 1, "knobs": self.knobs, "sha256": sha256(path),
                "best": self.best and {"epoch": self.best.epoch, "rank": list(self.best.rank)}})
        except OSError as error:
            raise Error(f"The run's state could not be written to {path} ({error.strerror}); free some room and run "
                        "the same command again, which resumes.") from error
        for old in sorted(self.folder.glob("state-*"))[:-2 * KEPT]:
            old.unlink()

    def _read(self, model, tensors, facts):
        for name, variable in _state(model).items():
            variable.assign(tensors[name])
        if self.best and facts["best"]:
            self.best.epoch, self.best.rank = facts["best"]["epoch"], tuple(facts["best"]["rank"])
            self.best.weights = [tensors[f"best/{i}"] for i in range(len(model.trainable_variables))]


def _facts(path):
    """Return what a state's JSON says, or None if it is damaged."""
    try:
        facts = read_json(path)
    except Error:
        return None
    return facts if {"epoch", "knobs", "sha256", "best"} <= set(facts) else None


def _state(model):
    """Return {name: variable} of all that training changes, in an order that building fixes."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    found = {f"model/{i}": variable for i, variable in enumerate(model.variables)}
    return found | {f"optimizer/{i}": variable for i, variable in enumerate(model.optimizer.variables)}

"""One process of a tiny pre-training, alone or among others; run by test_distribute.

`python -m tests.worker FOLDER KIND [STEP]` trains `STEPS` steps on `KIND`, writes the losses to standard
output as JSON lines, and kills itself after STEP.
"""

import json
import os
import signal
import sys

import keras
import numpy as np

from bertkit.distribution import scope
from bertkit.encoder import Encoder
from bertkit.objectives import MLM, NSP, Pretrainer
from bertkit.terminal import run_guarded
from bertkit.training.optimizer import adamw
from bertkit.training.resume import Resume
from tests import tiny

STEPS, ROWS, LENGTH, EVERY = 8, 4, 30, 3


class Rows:
    """Random rows whose lengths differ so much that the parts of a batch hide unlike numbers of tokens."""

    def __init__(self, part):
        self.part = part

    def batch(self, step):
        rng = np.random.default_rng(step)
        lengths = np.array([LENGTH, 25, 6, 5])
        mask = (np.arange(LENGTH) < lengths[:, None]).astype("int32")
        ids = np.where(mask, rng.integers(5, len(tiny.VOCABULARY), mask.shape), 0).astype("int32")
        size = ROWS // self.part[1]
        rows = slice(self.part[0] * size, (self.part[0] + 1) * size)
        width = lengths[rows].max()
        return {"token_ids": ids[rows, :width], "segment_ids": np.zeros_like(ids)[rows, :width],
                "padding_mask": mask[rows, :width], "keys": np.arange(ROWS, dtype="int64")[rows] + step * ROWS,
                "pair_labels": np.array([0, 1, 1, 0], "int32")[rows]}


class Losses(keras.callbacks.Callback):
    """Print the losses of each step; die after the step `dies`."""

    def __init__(self, done, dies):
        super().__init__()
        self.step, self.dies = done, dies

    def on_train_batch_end(self, batch, logs=None):
        print(json.dumps({"step": self.step, **{name: float(value) for name, value in logs.items()}}), flush=True)
        if self.step == self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        self.step += 1


def pretrain(folder, kind="none", dies=None):
    """Train; the losses are printed."""
    with scope(kind) as place:
        keras.utils.set_random_seed(0)
        encoder = Encoder(tiny.CONFIG.but(dropout=0.0, attention_dropout=0.0))
        pretrainer = Pretrainer(encoder, [MLM(tiny.tokenizer()), NSP()])
        pretrainer.compile(adamw(1e-2, STEPS, clip_norm=0.5), jit_compile=False)
        state = Resume(folder, {}, every=EVERY, writes=place.chief)
        done = state.restore(pretrainer)
        place.begin(pretrainer, done)
        pretrainer.fit(pretrainer.dataset(Rows(place.part), done), steps_per_epoch=STEPS - done, verbose=0,
                       shuffle=False, callbacks=[state, Losses(done, dies)])


if __name__ == "__main__":
    if sys.argv[2] == "devices":
        import tensorflow as tf
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    sys.exit(run_guarded(lambda: pretrain(sys.argv[1], sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else None)))

"""Several devices as one: each computes on its part of every batch, and what they find is summed.

Whatever is a mean over the batch is a sum here over a sum there, both over all devices (`total`); so are the gradients,
before their norm is taken. A step then does what one device would do with the whole batch.
"""

import json
import os
import zlib
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

import numpy as np
import tensorflow as tf

from bertkit.errors import Error
from bertkit.terminal import say

_cluster = ContextVar("cluster", default=None)      # the workers' strategy, within their scope
_joined = ContextVar("joined", default=None)        # the same, while they do a step together

# One of each for a process: a second one would number its sums like the first, and TensorFlow mixes them up.
_mirrored, _multi_worker = cache(tf.distribute.MirroredStrategy), cache(tf.distribute.MultiWorkerMirroredStrategy)

TASK = '{"cluster": {"worker": ["host:port", "host:port"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Place:
    """A process among those that train together: it has `part`, (i, n), of each batch; the `chief` alone writes."""

    part: tuple = (0, 1)

    @property
    def chief(self):
        return self.part[0] == 0

    def begin(self, model, step):
        """Give this worker draws of dropout of its own; call it when the state is restored, before `fit()`.

        Raises `Error` where the workers would begin at other steps or with other weights.
        """
        if self.part[1] == 1:
            return
        begun = np.zeros((self.part[1], 2), "int64")
        begun[self.part[0]] = step, _checksum(model)
        with together():
            begun = tf.function(total)([tf.constant(begun)])[0].numpy()
        if (begun != begun[0]).any():
            raise Error(f"The workers begin at the steps {begun[:, 0].tolist()} with unlike weights; give all of them "
                        "the same knobs and an --out that is one folder for all.")
        for variable in model.variables:
            if "seed_generator" in variable.path:
                variable.assign_add([self.part[0], 0])


@contextmanager
def scope(kind="none"):
    """Let a model that is made within train alone, on the "devices" of this machine, or among "workers".

    Yields the `Place` of this process. With "devices", `fit()` parts each batch among the GPUs, or the CPUs where there
    is no GPU, of which TensorFlow may be told to make several. With "workers", one process for each GPU or machine runs
    the same program, and TF_CONFIG says who they are; enter before anything is computed; `fit()` then takes the
    worker's own part of each batch. What is made must be a `Pretrainer`, with this package's optimizers. Raises `Error`
    where a worker is lost, and for a TF_CONFIG that says something else.
    """
    kinds = {"none": lambda: nullcontext(Place()), "devices": _devices, "workers": _workers}
    if kind not in kinds:
        raise Error(f"distribute={kind} is unknown; give one of {', '.join(kinds)}.")
    with kinds[kind]() as place:
        yield place


@contextmanager
def together():
    """Within, `total` counts all workers: only for what all of them compute, a training step."""
    token = _joined.set(_cluster.get())
    try:
        yield
    finally:
        _joined.reset(token)


def total(values):
    """Return [value ...], each summed over all devices that do the step; as they are where one does it; None stays."""
    context, workers = tf.distribute.get_replica_context(), _joined.get()
    if context is not None and context.num_replicas_in_sync > 1:
        mine = [tf.identity(tf.convert_to_tensor(value)) for value in values if value is not None]
        sums = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, mine))
        return [value if value is None else next(sums) for value in values]
    return values if workers is None else list(workers.run(total, (list(values),)))


@contextmanager
def _devices():
    with _mirrored().scope():
        yield Place()


@contextmanager
def _workers():
    """The workers' models are plain ones: only sums pass between them, so Keras' `fit()` knows one device (0013)."""
    number, count = _task()
    say(f"Worker {number} of {count}, from 0, waits for the others.")
    try:
        strategy = _multi_worker()
        if strategy.num_replicas_in_sync != count:
            raise Error(f"{count} workers see {strategy.num_replicas_in_sync} GPUs; start a worker for each GPU, and "
                        "show it that one by CUDA_VISIBLE_DEVICES.")
        token = _cluster.set(strategy)
        try:
            yield Place((number, count))
        finally:
            _cluster.reset(token)
    except tf.errors.UnavailableError as error:
        raise Error("A worker of this run was lost; start the same command again on all workers, which goes on from "
                    "the last state.") from error


def _task():
    """Return (the number of this worker, how many there are) as TF_CONFIG says."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG", ""))
        tasks = [(job, i) for job in ("chief", "worker") for i in range(len(config["cluster"].get(job, ())))]
        return tasks.index((config["task"]["type"], int(config["task"]["index"]))), len(tasks)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Error(f"TF_CONFIG is {os.environ.get('TF_CONFIG')!r}; to train among workers give each its own, such as "
                    f"{TASK}.") from None


def _checksum(model):
    """Return a number that differs where a variable does."""
    found = 0
    for variable in model.variables:
        found = zlib.crc32(np.ascontiguousarray(variable).tobytes(), found)
    return found

"""Several devices as one: each computes on its part of every batch, and the results are summed.

A mean over the batch is here one sum divided by another, both over all devices (`sum_over_devices`). So are the
gradients summed, before their norm is taken. A step then does what one device would do with the whole batch.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.errors import Error
from bertkit.terminal import say

_cluster: ContextVar[Any] = ContextVar("cluster", default=None)     # the workers' strategy, within their scope
_joined: ContextVar[Any] = ContextVar("joined", default=None)       # the same, while they do a step together

# One of each for a process: a second one would number its sums like the first, and TensorFlow mixes them up.
_mirrored, _multi_worker = cache(tf.distribute.MirroredStrategy), cache(tf.distribute.MultiWorkerMirroredStrategy)

TASK = '{"cluster": {"worker": ["host:port", "host:port"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Place:
    """A process among those that train together; the `chief` alone writes files.

    Args:
        part: (i, n): the process takes the i-th of n parts of each batch, i from 0.
    """

    part: tuple[int, int] = (0, 1)

    @property
    def chief(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.part[0] == 0

    def begin(self, model: Any, step: int) -> None:
        """Give this worker dropout draws of its own; call it when the state is restored, before `fit()`.

        Args:
            model: The model that is trained.
            step: The step at which this worker begins.

        Raises:
            Error: when the workers would begin at different steps or with different weights.
        """
        if self.part[1] == 1:
            return
        begun = np.zeros((self.part[1], 2), "int64")
        begun[self.part[0]] = step, _checksum(model)
        with across_devices():
            begun = tf.function(sum_over_devices)([tf.constant(begun)])[0].numpy()
        if (begun != begun[0]).any():
            raise Error(f"The workers begin at the steps {begun[:, 0].tolist()} with unlike weights; give all of them "
                        "the same arguments, and as --out one folder that all of them see.")
        for variable in model.variables:
            if "seed_generator" in variable.path:
                variable.assign_add([self.part[0], 0])


@contextmanager
def scope(kind: str = "none") -> Iterator[Place]:
    """Make the model that is built inside train alone, on the devices of this machine, or among workers.

    With "devices", `fit()` splits each batch among the GPUs, or among the CPUs where there is no GPU; TensorFlow can be
    told to make several CPUs. With "workers", one process for each GPU or machine runs the same program, and TF_CONFIG
    lists the processes; enter before anything is computed; `fit()` then takes the worker's own part of each batch. The
    model must be a `Pretrainer`, with this package's optimizers.

    Args:
        kind: "none", "devices" or "workers".

    Yields:
        The `Place` of this process.

    Raises:
        Error: when `kind` is unknown, when a worker is lost, and when TF_CONFIG does not list the workers.
    """
    kinds: dict[str, Callable[[], Any]] = {
        "none": lambda: nullcontext(Place()), "devices": _devices, "workers": _workers}
    if kind not in kinds:
        raise Error(f"distribute={kind} is unknown; give one of {', '.join(kinds)}.")
    with kinds[kind]() as place:
        yield place


@contextmanager
def across_devices() -> Iterator[None]:
    """Make `sum_over_devices` count all workers inside; only for what all of them compute, such as a training step.

    Yields:
        Nothing.
    """
    token = _joined.set(_cluster.get())
    try:
        yield
    finally:
        _joined.reset(token)


def sum_over_devices(values: Sequence[Any]) -> Sequence[Any]:
    """Sum each value over all devices that do the step; one device returns them as they are.

    Args:
        values: Tensors of any shapes, or None.

    Returns:
        The sums in the same order; None stays None.
    """
    context, workers = tf.distribute.get_replica_context(), _joined.get()
    if context is not None and context.num_replicas_in_sync > 1:
        mine = [tf.identity(tf.convert_to_tensor(value)) for value in values if value is not None]
        sums = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, mine))
        return [value if value is None else next(sums) for value in values]
    return values if workers is None else list(workers.run(sum_over_devices, (list(values),)))


@contextmanager
def _devices():
    with _mirrored().scope():
        yield Place()


@contextmanager
def _workers():
    """The workers' models are plain ones: only sums pass between them, and Keras' `fit()` knows one device (0013)."""
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
    checksum = 0
    for variable in model.variables:
        checksum = zlib.crc32(np.ascontiguousarray(variable).tobytes(), checksum)
    return checksum

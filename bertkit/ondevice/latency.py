"""Measure what a text costs: time of the clock, time of the processor, memory."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import child
from bertkit.errors import Error
from bertkit.ondevice.runner import MODEL, load
from bertkit.tasks.registry import are_all_own

WARM_UP = 5      # the first rounds fill caches and are not counted
ROUNDS = 60      # runs whose processor time is measured
_PEAK = "from bertkit.ondevice.latency import run_once; run_once()"     # what the child process of `peak_memory` runs


def latency(folder: str | Path, inputs: Sequence[Any], threads: Sequence[int] = (1, 2),
            model: str = MODEL) -> dict[str, dict[str, float]]:
    """Measure the median time of one input at a time, in milliseconds of the clock: a busy machine makes it longer.

    Args:
        folder: A folder that `bertkit export --to tflite` wrote.
        inputs: Texts, or tuples of texts.
        threads: The numbers of threads to measure with.
        model: The name of the file in the folder.

    Returns:
        {"1_thread": {"interpreter", "with_tokenizer"}, ...}. "interpreter" is the time of a row at the longest length;
        "with_tokenizer" that of an input, with all its rows, at the lengths that fit, and the answer.
    """
    results = {}
    for count in threads:
        device = load(folder, model, count)
        rows = device.task.pack(device.tokenizer, inputs, device.length).rows[:len(inputs)]
        batches = [(device.tokenizer.batch([row], device.length),) for row in rows]
        results[f"{count}_thread{'s' * (count > 1)}"] = {
            "interpreter": _quantiles(device.run, batches, time.perf_counter)["p50"],
            "with_tokenizer": _quantiles(device.predict, [([given],) for given in inputs], time.perf_counter)["p50"]}
    return results


def cpu_time(folder: str | Path, threads: int = 1, model: str = MODEL) -> dict[str, float]:
    """Measure the processor time of one row at the longest length, which a busy machine hardly changes.

    Args:
        folder: A folder that `bertkit export --to tflite` wrote.
        threads: How many threads compute; their times are added.
        model: The name of the file in the folder.

    Returns:
        {"p50", "p95"}, milliseconds.
    """
    return row_time(load(folder, model, threads), time.thread_time if threads == 1 else time.process_time)


def row_time(device: Any, clock: Callable[[], float] = time.thread_time) -> dict[str, float]:
    """Measure the time of one row at the longest length of a file.

    Args:
        device: A `DeviceModel`, or what has its `task`, `tokenizer`, `length` and `run`.
        clock: What tells the time, in seconds; by default that of the processor in this thread.

    Returns:
        {"p50", "p95"}, milliseconds.
    """
    row = device.task.pack(device.tokenizer, [_long(device.task)], device.length).rows[0]
    batch = device.tokenizer.batch([row], device.length)
    return _quantiles(device.run, [(batch,)] * ROUNDS, clock)


def _long(task):
    """Return an input that fills a row."""
    count = len(task.reads) - (task.reads[-1] == "...")
    text = "word " * 600
    return text if count == 1 else (text,) * count


def load_average() -> float | None:
    """Return how many processes wanted a processor in the last minute.

    Returns:
        The number; None where the system does not say.
    """
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def peak_memory(folder: str | Path, model: str = MODEL) -> int | None:
    """Measure the memory that a file takes, loaded and run once, in a process of its own.

    Args:
        folder: A folder that `bertkit export --to tflite` wrote.
        model: The name of the file in the folder.

    Returns:
        Bytes by which the process grew; None where the system does not say, or where tasks from outside bertkit are
        registered, which another process would not know.

    Raises:
        Error: when the file cannot be run.
    """
    if not Path("/proc/self/status").exists() or not are_all_own():
        return None
    done = child.run(_PEAK, [str(folder), model], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise Error(f"{folder} could not be run to measure its memory ({reason:.200}).")
    return int(done.stdout.split()[-1])


def run_once() -> None:
    """Load and run the file that the arguments of this process name, and print by how many bytes it grew."""
    import sys
    folder, model = sys.argv[1:]
    import ai_edge_litert.interpreter  # noqa: F401  its code is no part of what a file takes
    before = _status("VmRSS")
    device = load(folder, model)
    device.run(device.tokenizer.batch([device.task.pack(device.tokenizer, [_long(device.task)], device.length).rows[0]],
                                      device.length))
    print(_status("VmHWM") - before)


def _status(name):
    """Return an entry of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])


def _quantiles(function: Callable[..., Any], calls: list[tuple[Any, ...]],
               clock: Callable[[], float]) -> dict[str, float]:
    """Return median and 95th percentile of what calls take, in milliseconds."""
    taken: list[float] = []
    for number, arguments in enumerate([*calls[:1] * WARM_UP, *calls]):
        begin = clock()
        function(*arguments)
        if number >= min(WARM_UP, len(calls) * WARM_UP):
            taken.append(1000 * (clock() - begin))
    return {f"p{share}": round(float(np.percentile(taken, share)), 3) for share in (50, 95)}

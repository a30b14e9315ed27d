"""Measure how long a text takes."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.ondevice.runner import MODEL, load

WARM_UP = 5      # the first rounds fill caches and are not counted


def latency(folder: str | Path, inputs: Sequence[Any], threads: Sequence[int] = (1, 2),
            model: str = MODEL) -> dict[str, dict[str, float]]:
    """Measure the median time of one input at a time, in milliseconds.

    Args:
        folder: A folder that `bertkit export --to tflite` wrote.
        inputs: Texts, or tuples of texts.
        threads: The numbers of threads to measure with.
        model: The name of the file in the folder.

    Returns:
        {"1_thread": {"interpreter", "with_tokenizer"}, ...}. "interpreter" is the time of a row, the same for every
        text because the length is fixed; "with_tokenizer" that of an input, with all its rows and the answer.
    """
    results = {}
    for count in threads:
        device = load(folder, model, count)
        rows = device.task.pack(device.tokenizer, inputs, device.length).rows[:len(inputs)]
        batches = [(device.tokenizer.batch([row], device.length),) for row in rows]
        results[f"{count}_thread{'s' * (count > 1)}"] = {
            "interpreter": _median_ms(device.run, batches),
            "with_tokenizer": _median_ms(device.predict, [([given],) for given in inputs])}
    return results


def _median_ms(function, calls):
    taken = []
    for number, arguments in enumerate([*calls[:1] * WARM_UP, *calls]):
        begin = time.perf_counter()
        function(*arguments)
        if number >= min(WARM_UP, len(calls) * WARM_UP):
            taken.append(time.perf_counter() - begin)
    return round(1000 * sorted(taken)[len(taken) // 2], 3)

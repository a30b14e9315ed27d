"""How long a text takes."""

import time

from bertkit.ondevice.runner import MODEL, load

WARM_UP = 5      # first rounds fill caches and are not counted


def latency(folder, inputs, threads=(1, 2), model=MODEL):
    """Return {"1_thread": {"interpreter", "with_tokenizer"}, ...}: median milliseconds, one at a time.

    "interpreter" is a row's, the same for every text because the length is fixed; "with_tokenizer" an input's, with all
    its rows and the answer.
    """
    found = {}
    for count in threads:
        device = load(folder, model, count)
        rows = device.task.pack(device.tokenizer, inputs, device.length).rows[:len(inputs)]
        batches = [(device.tokenizer.batch([row], device.length),) for row in rows]
        found[f"{count}_thread{'s' * (count > 1)}"] = {
            "interpreter": _median_ms(device.run, batches),
            "with_tokenizer": _median_ms(device.predict, [([given],) for given in inputs])}
    return found


def _median_ms(function, calls):
    taken = []
    for number, arguments in enumerate([*calls[:1] * WARM_UP, *calls]):
        begin = time.perf_counter()
        function(*arguments)
        if number >= min(WARM_UP, len(calls) * WARM_UP):
            taken.append(time.perf_counter() - begin)
    return round(1000 * sorted(taken)[len(taken) // 2], 3)

"""How long a text takes."""

import time

from bertkit.ondevice.runner import MODEL, load

WARM_UP = 5      # first rounds fill caches and are not counted


def latency(folder, first, second=None, threads=(1, 2), model=MODEL):
    """Return {"1_thread": {"interpreter", "with_tokenizer"}, ...}: median milliseconds a text, one at a time.

    `first` (and `second`) are the texts measured; every text costs the interpreter the same, because the
    length is fixed.
    """
    found = {}
    for count in threads:
        device = load(folder, model, count)
        rows = [([text], None if second is None else [other])
                for text, other in zip(first, second or first, strict=True)]
        packed = [device.tokenizer.pack(*row, length=device.length) for row in rows]
        found[f"{count}_thread{'s' * (count > 1)}"] = {
            "interpreter": _median_ms(device.run, [(batch,) for batch in packed]),
            "with_tokenizer": _median_ms(device.probabilities, rows)}
    return found


def _median_ms(function, calls):
    taken = []
    for number, arguments in enumerate([*calls[:1] * WARM_UP, *calls]):
        begin = time.perf_counter()
        function(*arguments)
        if number >= min(WARM_UP, len(calls) * WARM_UP):
            taken.append(time.perf_counter() - begin)
    return round(1000 * sorted(taken)[len(taken) // 2], 3)

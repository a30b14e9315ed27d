"""What every run of the pre-training measurement shares: flags, rows, the JSON line. The standard library and numpy."""

import argparse
import json

import numpy as np
from measure import WARM_UP_STEPS, Clock

SPECIAL = {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4}
RATE = 0.15


def arguments(description):
    """Return the parsed flags."""
    parser = argparse.ArgumentParser(description=description)
    for name in ("layers", "width", "vocabulary", "length", "batch-size", "steps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    return parser.parse_args()


def rows(flags):
    """Return full rows [CLS] tokens [SEP], int32 [rows, length]; frequencies fall as 1/rank, as words' do."""
    rng = np.random.default_rng(0)
    count = flags.batch_size * (flags.steps + WARM_UP_STEPS)
    chances = 1 / np.arange(1, flags.vocabulary - len(SPECIAL) + 1)
    ids = rng.choice(len(chances), (count, flags.length), p=chances / chances.sum()) + len(SPECIAL)
    ids[:, 0], ids[:, -1] = SPECIAL["cls"], SPECIAL["sep"]
    return ids.astype("int32")


def report(name, flags, clock, input_clock, loss, versions):
    """Print the JSON line that ends every run; `input_clock` timed as many batches without training."""
    tokens = flags.steps * flags.batch_size * flags.length
    print(json.dumps({"name": name, "tokens_per_cpu_second": tokens / clock.cpu,
                      "cpu_ms": 1e3 * clock.cpu / flags.steps, "input_cpu_ms": 1e3 * input_clock.cpu / flags.steps,
                      "wall_seconds": clock.wall, "loss": float(loss), "versions": versions}), flush=True)


__all__ = ["RATE", "SPECIAL", "WARM_UP_STEPS", "Clock", "arguments", "report", "rows"]

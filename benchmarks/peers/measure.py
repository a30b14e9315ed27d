"""What every run of a side-by-side measurement shares: flags, rows, the clock, the JSON line.

Imports nothing but the standard library, so that each peer can run in an environment of its own.
"""

import argparse
import csv
import json
import math
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

WARM_UP_STEPS = 10                                     # compiling, first touch of memory: not timed


def arguments(description, **switches):
    """Return the parsed flags that all runs take, and `switches`: a flag's name -> its help."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", required=True, type=Path, help="a Hugging Face BERT directory")
    parser.add_argument("--train", required=True, type=Path, help="GLUE/SST-2 train.tsv")
    parser.add_argument("--dev", required=True, type=Path, help="GLUE/SST-2 dev.tsv")
    parser.add_argument("--limit", type=int, help="use only the first rows of the training file")
    parser.add_argument("--dev-limit", type=int, help="use only the first rows of the dev file")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, help="stop, and end the schedule, after these steps")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=3e-5)
    parser.add_argument("--length", type=int, default=128, help="truncate to this many tokens")
    parser.add_argument("--seed", type=int, default=1)
    for name, explanation in switches.items():
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, action="store_true", help=explanation)
    return parser.parse_args()


def read_rows(path, limit=None):
    """Return (sentences, labels) of a GLUE/SST-2 file; quotes are plain text there."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:limit]
    return [row["sentence"] for row in rows], [int(row["label"]) for row in rows]


def total_steps(flags, rows):
    """Return the number of optimizer steps: all epochs, or --steps if that is fewer."""
    steps = flags.epochs * math.ceil(rows / flags.batch_size)
    return min(steps, flags.steps or steps)


@dataclass
class Clock:
    """CPU time of this process, user and system, all its threads; and wall time, in seconds."""

    cpu: float = 0.0
    wall: float = 0.0
    started: tuple = field(default=(0.0, 0.0), repr=False)

    @staticmethod
    def now():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime, time.perf_counter()

    def start(self):
        self.started = self.now()

    def stop(self):
        cpu, wall = self.now()
        self.cpu, self.wall = cpu - self.started[0], wall - self.started[1]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()


def throughput(clock, examples, real_tokens, computed_tokens):
    """Return what is printed of one timed part; `computed_tokens` counts the padding too."""
    return {
        "examples": examples, "real_tokens": real_tokens,
        "fill": round(real_tokens / computed_tokens, 4),
        "cpu_seconds": round(clock.cpu, 3), "wall_seconds": round(clock.wall, 3),
        "cpu_ms_per_example": round(1e3 * clock.cpu / examples, 3),
        "real_tokens_per_cpu_second": round(real_tokens / clock.cpu, 1),
    }


def report(name, flags, *, train, predict, accuracy, versions):
    """Print the JSON line that ends every run."""
    settings = {key: value for key, value in vars(flags).items() if not isinstance(value, Path)}
    line = {"name": name, "train": train, "predict": predict, "dev_accuracy": round(accuracy, 5),
            "settings": settings, "versions": versions}
    print(json.dumps(line), flush=True)

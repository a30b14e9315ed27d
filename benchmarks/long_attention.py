"""Measure one forward pass of each kind of attention over long texts: memory and time at 512 to 4096 tokens.

    python benchmarks/long_attention.py [--lengths 512 1024 2048 4096] [--repeats 5] [--threads 1] [--result NAME]

One process for each kind and length, of the width of BERT base; prints a table. What is counted:
benchmarks/README.md. Linux only: the peak of memory is read from /proc.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from fine_tuning import HERE, THREAD_SETTINGS, processor

KINDS = ("Full", "Window", "Sparse")
WARM_UP = 2


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", nargs="+", type=int, default=[512, 1024, 2048, 4096])
    parser.add_argument("--repeats", type=int, default=5, help="passes, of which the median counts")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--result", help="also write benchmarks/results/NAME.md")
    parser.add_argument("--measure", nargs=2, metavar=("KIND", "LENGTH"), help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(kind, length, repeats):
    """Return {"mb": peak memory above that before the first pass, "ms": median CPU time of a pass}, in this process."""
    attend = forward(kind, length)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")     # forget the peak of importing TensorFlow
    times = []
    for _ in range(WARM_UP + repeats):
        start = time.process_time()
        attend()
        times.append(1000 * (time.process_time() - start))
    return {"mb": resident("VmHWM") - before, "ms": statistics.median(times[WARM_UP:])}


def forward(kind, length):
    """Return a function that runs one attention layer on one row of that many tokens, the first of them global."""
    import numpy as np
    import tensorflow as tf

    from bertkit import kinds
    from bertkit.family import bert
    from bertkit.layers.attentions import attention_layer
    config = bert.CONFIG.but(max_sequence_length=length, attention=getattr(kinds, kind)())
    layer = attention_layer(config, 0)
    layer.build((None, None, config.hidden_dim))
    x = tf.constant(np.random.default_rng(0).standard_normal((1, length, config.hidden_dim)).astype("float32"))
    context = {"padding_mask": tf.ones((1, length), "int32"), "global_mask": tf.eye(1, length, dtype="int32")}
    graph = tf.function(lambda x, context: layer(x, context=context)).get_concrete_function(x, context)
    return lambda: graph(x, context).numpy()


def resident(name):
    """Return VmRSS (now) or VmHWM (at its peak) of this process, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name)) / 1024


def run(kind, length, flags):
    """Return what a process of its own measures; exits with the reason if it fails."""
    environment = os.environ | dict.fromkeys(THREAD_SETTINGS, str(flags.threads)) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, __file__, "--measure", kind, str(length), "--repeats", str(flags.repeats)],
                          env=environment, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{kind} at {length} tokens ended with code {done.returncode}: "
                 f"{(done.stderr.strip() or 'no message').splitlines()[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(measured, lengths):
    """Return the markdown table: a row for each length, MB and CPU-ms of each kind."""
    headings = ["tokens", *(f"{kind} {unit}" for kind in KINDS for unit in ("MB", "CPU-ms"))]
    rows = [headings, ["---"] * len(headings)] + [
        [str(length), *(f"{measured[kind, length][unit]:.0f}" for kind in KINDS for unit in ("mb", "ms"))]
        for length in lengths]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main():
    """Measure every kind at every length and print the page."""
    flags = arguments()
    if flags.measure:
        kind, length = flags.measure
        print(json.dumps(measure(kind, int(length), flags.repeats)))
        return
    measured = {(kind, length): run(kind, length, flags) for length in flags.lengths for kind in KINDS}
    settings = (f"One attention layer, 12 heads of 64, batch 1, float32, forward; Window(512) with one global token, "
                f"Sparse(64, 3); {flags.threads} thread(s), median of {flags.repeats}; "
                f"{os.cpu_count()} x {processor()}; Python {platform.python_version()}")
    text = "\n\n".join([f"# Long attention, {datetime.date.today().isoformat()}", settings,
                        table(measured, flags.lengths)]) + "\n"
    print(text)
    if flags.result:
        target = HERE / "results" / f"{flags.result}.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Measure masked-language-model training: bertkit, transformers and KerasHub in turn, on the same full rows.

    python benchmarks/pretraining.py --peers-python PEERS/bin/python [--size tiny] [--repeats 3] [--result NAME]

Rows are full, so fill is 1 everywhere; each contender hides 15 % of the tokens. Runs A B C A B C ..., one process
each; prints the medians of real tokens a CPU-second and the ratios to bertkit. What is counted: benchmarks/README.md.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SIZES = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512)}
CONTENDERS = ("bertkit", "transformers", "KerasHub")
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--vocabulary", type=int, default=30522, help="entries")
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=60, help="that are timed, after 10 that are not")
    parser.add_argument("--bfloat16", action="store_true", help="mixed precision, everywhere")
    parser.add_argument("--threads", type=int, default=1, help="of each run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--peers-python", default=sys.executable, help="an interpreter with torch and transformers")
    parser.add_argument("--result", help="also write benchmarks/results/NAME.md")
    return parser.parse_args()


def run(name, flags):
    """Run one contender and return its JSON line; exits with the reason if it fails."""
    layers, width = SIZES[flags.size]
    python = flags.peers_python if name == "transformers" else sys.executable
    words = [python, str(HERE / "peers" / f"mlm_{name.lower()}.py"), "--layers", layers, "--width", width,
             "--vocabulary", flags.vocabulary, "--length", flags.length, "--batch-size", flags.batch_size,
             "--steps", flags.steps, *(["--bfloat16"] if flags.bfloat16 else [])]
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, check=False,
                          env=os.environ | dict.fromkeys(THREADS, str(flags.threads)))
    if done.returncode:
        sys.exit(f"the run of {name} ended with code {done.returncode}: "
                 f"{(done.stderr.strip() or 'no message').splitlines()[-1]}")
    line = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{name}: {line['tokens_per_cpu_second']:.0f} tokens/CPU-s, loss {line['loss']:.3f}", file=sys.stderr)
    return line


def page(measured, flags):
    """Return the dated page: the setting, the table, the versions."""
    def median(name, entry):
        return statistics.median(line[entry] for line in measured[name])

    rows = ["| | tokens/CPU-s | CPU-ms/step | input: CPU-ms/step | bertkit is faster by |", "|---|---|---|---|---|"]
    for name in measured:
        ratio = median("bertkit", "tokens_per_cpu_second") / median(name, "tokens_per_cpu_second") \
            if "bertkit" in measured else float("nan")
        rows.append(f"| {name} | {median(name, 'tokens_per_cpu_second'):.0f} | {median(name, 'cpu_ms'):.1f} | "
                    f"{median(name, 'input_cpu_ms'):.2f} | {ratio:.2f}x |")
    setting = (f"BERT-{flags.size}, {flags.vocabulary} entries, rows of {flags.length} tokens, all full, batch "
               f"{flags.batch_size}, 15 % hidden, {'bfloat16' if flags.bfloat16 else 'float32'}, {flags.threads} "
               f"thread(s), {flags.steps} steps, {flags.repeats} repeat(s); {os.cpu_count()} cores, Python "
               f"{platform.python_version()}")
    versions = [f"- {name}: {json.dumps(lines[0]['versions'])}" for name, lines in measured.items()]
    return "\n\n".join([f"# Pre-training, {datetime.date.today().isoformat()}", setting, "\n".join(rows),
                        "\n".join(versions)]) + "\n"


def main():
    """Run all contenders alternately and print the page."""
    flags = arguments()
    measured = {name: [] for name in CONTENDERS if name in flags.only}
    for _ in range(flags.repeats):
        for name, lines in measured.items():
            lines.append(run(name, flags))
    text = page(measured, flags)
    print(text)
    if flags.result:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / f"{flags.result}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

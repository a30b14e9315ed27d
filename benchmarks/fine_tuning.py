"""Measure fine-tuning and prediction on SST-2: bertkit, KerasHub and Hugging Face Trainer in turn.

    python benchmarks/fine_tuning.py --model DIR --train train.tsv --dev dev.tsv \\
        --peers-python PEERS/bin/python [--rows 2048] [--repeats 3] [--result NAME]

Runs A B C A B C ..., one process each, so that a machine that slows down slows all of them; prints
the medians and the ratios to bertkit.  What is counted, and how to make the peers' environment:
benchmarks/README.md.
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
CONTENDERS = {                                         # name -> script and its switches
    "bertkit": ("bertkit_run.py",),
    "KerasHub": ("kerashub.py",),
    "Trainer": ("trainer.py",),
    "Trainer, grouped by length": ("trainer.py", "--group-by-length"),
}
THREAD_SETTINGS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
COLUMNS = (                                            # heading, part of the JSON line, its entry
    ("train CPU-ms/example", "train", "cpu_ms_per_example"),
    ("train real tokens/CPU-s", "train", "real_tokens_per_cpu_second"),
    ("train fill", "train", "fill"),
    ("predict CPU-ms/example", "predict", "cpu_ms_per_example"),
    ("predict real tokens/CPU-s", "predict", "real_tokens_per_cpu_second"),
)


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path, help="a Hugging Face BERT directory")
    parser.add_argument("--train", required=True, type=Path, help="GLUE/SST-2 train.tsv")
    parser.add_argument("--dev", required=True, type=Path, help="GLUE/SST-2 dev.tsv")
    parser.add_argument("--rows", type=int, default=2048, help="of the training file, the first")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=3e-5)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1, help="of each run")
    parser.add_argument("--repeats", type=int, default=3, help="repeat r runs with seed r, from 1")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--peers-python", default=sys.executable,
                        help="an interpreter with torch and transformers (Trainer)")
    parser.add_argument("--kerashub-python", default=sys.executable,
                        help="an interpreter with keras-hub")
    parser.add_argument("--result", help="also write benchmarks/results/NAME.md")
    return parser.parse_args()


def command(name, flags, seed):
    """Return the command line of one run."""
    script, *switches = CONTENDERS[name]
    pythons = {"kerashub.py": flags.kerashub_python, "trainer.py": flags.peers_python}
    return [pythons.get(script, sys.executable), str(HERE / "peers" / script), *switches,
            "--model", str(flags.model), "--train", str(flags.train), "--dev", str(flags.dev),
            "--limit", str(flags.rows), "--epochs", str(flags.epochs), "--seed", str(seed),
            "--batch-size", str(flags.batch_size), "--length", str(flags.length),
            "--learning-rate", str(flags.learning_rate)]


def run(name, flags, seed):
    """Run one contender and return its JSON line; exits with the reason if it fails."""
    environment = os.environ | dict.fromkeys(THREAD_SETTINGS, str(flags.threads))
    done = subprocess.run(command(name, flags, seed), env=environment, text=True,
                          capture_output=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no message").splitlines()[-1]
        sys.exit(f"the run of {name} ended with code {done.returncode}: {reason}")
    line = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{name}, seed {seed}: {line['train']['cpu_ms_per_example']} CPU-ms/example, "
          f"dev {line['dev_accuracy']:.4f}", file=sys.stderr, flush=True)
    return line


def median(lines, part, entry):
    """Return the median over the repeats of one measured number."""
    return statistics.median(line[part][entry] for line in lines)


def table(measured):
    """Return the markdown table: medians over the repeats, mean dev accuracy, ratios to bertkit."""
    headings = ["", *(heading for heading, *_ in COLUMNS), "dev accuracy",
                "train ratio", "train ratio by token", "predict ratio"]
    rows = [headings, ["---"] * len(headings)]
    for name, lines in measured.items():
        cells = [f"{median(lines, part, entry):.4g}" for _, part, entry in COLUMNS]
        accuracy = statistics.mean(line["dev_accuracy"] for line in lines)
        cells.append(f"{100 * accuracy:.2f}")
        rows.append([name, *cells, *ratios(lines, measured.get("bertkit"))])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def ratios(lines, ours):
    """Return the CPU time as a multiple of `ours`: training, the same by token, predicting."""
    if ours is None:
        return ["", "", ""]
    per_example, per_second = "cpu_ms_per_example", "real_tokens_per_cpu_second"
    found = (median(lines, "train", per_example) / median(ours, "train", per_example),
             median(ours, "train", per_second) / median(lines, "train", per_second),
             median(lines, "predict", per_example) / median(ours, "predict", per_example))
    return [f"{ratio:.2f}x" for ratio in found]


def processor():
    """Return the processor's name, as far as the system tells."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def page(measured, flags):
    """Return the dated page: the setting, the table, the versions."""
    settings = (f"SST-2, first {flags.rows} rows, {flags.epochs} epoch(s), batch "
                f"{flags.batch_size}, learning rate {flags.learning_rate:g}, length "
                f"{flags.length}, float32, {flags.threads} thread(s), {flags.repeats} repeat(s); "
                f"{os.cpu_count()} x {processor()}; Python {platform.python_version()}")
    versions = [f"- {name}: {json.dumps(lines[0]['versions'])}" for name, lines in measured.items()]
    return "\n\n".join([f"# Fine-tuning, {datetime.date.today().isoformat()}", settings,
                        table(measured), "\n".join(versions)]) + "\n"


def main():
    """Run all contenders alternately and print the page."""
    flags = arguments()
    measured = {name: [] for name in CONTENDERS if name in flags.only}
    for repeat in range(1, flags.repeats + 1):
        for name, lines in measured.items():
            lines.append(run(name, flags, repeat))
    text = page(measured, flags)
    print(text)
    if flags.result:
        target = HERE / "results" / f"{flags.result}.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

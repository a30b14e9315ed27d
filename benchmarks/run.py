"""Measure bertkit beside what a user would pick instead: one command for each row of docs/performance.md.

    python benchmarks/run.py one --bundle sst2 --dev dev.tsv
    python benchmarks/run.py all --bundle sst2 --dev dev.tsv --result inference

All sides of a row stand ready in processes of their own and compute in turn, with one thread; the clock is the CPU
time of each process. What a row needs (the peers' environment, the exported models) is made once in --work and found
there by the next call. A side that cannot be had is named with the reason, and the others are measured.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = ("torch", "transformers", "safetensors", "onnx", "onnxruntime", "openvino", "numpy")
LENGTHS = "8,16,24,32,48,64"
PEERS = ("onnxruntime", "openvino", "torch", "onnxruntime_int8")
# Row: (how the sides are asked, the sides, whose first is bertkit's).
INFERENCE = {
    "one": ("one", ("frozen", "predictor", "saved_model", "onnxruntime", "openvino", "torch")),
    "batches": ("batches", ("frozen", "predictor", "saved_model", "onnxruntime", "openvino", "torch")),
    "bfloat16": ("batches", ("bfloat16", "predictor")),
    "int8": ("one", ("litert_int8", "litert_int8_one_length", "litert", "onnxruntime_int8")),
}
STARTS = {"start": ("predict", "BUNDLE", "--tflite", "WORK/int8/model.tflite"),
          "start_help": ("predict", "--help")}
# Rows that scripts of their own measure, with flags of their own.
SCRIPTS = ("fine_tuning", "pretraining", "long_attention", "equal_cost", "families", "defaults")
PEAK_FLOPS = 2 * 1024**3


def arguments():
    """Return the parsed command line, and the words for a script of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=["all", *STARTS, *INFERENCE, *SCRIPTS])
    parser.add_argument("--bundle", type=Path, help="a classifier of single texts")
    parser.add_argument("--dev", type=Path, help="a .tsv whose first column is the text, under a header")
    parser.add_argument("--rows", type=int, default=125, help="texts, evenly from the file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache/bertkit/benchmarks")
    parser.add_argument("--peers-python", type=Path, help=f"an interpreter with {', '.join(PACKAGES)}")
    parser.add_argument("--result", help="also write benchmarks/results/NAME.md")
    return parser.parse_known_args()


class Work:
    """What the rows need, each made once.

    Args:
        options: The command line.
    """

    def __init__(self, options):
        self.folder, self.bundle, self.options = options.work, options.bundle.resolve(), options
        self.folder.mkdir(parents=True, exist_ok=True)
        link = self.folder / "bundle"
        if link.is_symlink() and link.resolve() != self.bundle:
            raise SystemExit(f"{self.folder} holds the models of {link.resolve()}; give another --work, or remove it.")
        if not link.is_symlink():
            link.symlink_to(self.bundle)

    def bertkit(self, *words):
        subprocess.run([sys.executable, "-m", "bertkit", *map(str, words)], check=True, stdout=subprocess.DEVNULL)

    def make(self, name):
        """Make one of the folders and files, unless it is there."""
        if (self.folder / name).exists():
            return
        exports = {"float32": LENGTHS, "int8": LENGTHS, "int8-64": "64"}
        if name == "rows.json":
            self.write_rows()
        elif name == "huggingface":
            self.bertkit("convert", self.bundle, self.folder / name, "--to", "huggingface")
        elif name == "saved_model":
            self.bertkit("export", self.bundle, "--to", "saved_model", "--out", self.folder / name)
        elif name in exports:
            self.bertkit("export", self.bundle, "--to", "tflite", "--precision", name.partition("-")[0], "--lengths",
                         exports[name], "--out", self.folder / name)
        elif name == "model-int8.onnx":
            self.make("huggingface")
            subprocess.run([self.peers_python(), HERE / "peers/to_onnx.py", self.folder / "huggingface",
                            self.folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write_rows(self):
        from bertkit import Tokenizer
        lines = self.options.dev.read_text(encoding="utf-8").split("\n")[1:]
        texts = [line.split("\t")[0] for line in lines if line]
        texts = texts[::max(1, len(texts) // self.options.rows)][:self.options.rows]
        packed = Tokenizer.load(self.bundle).pack(texts, length=64)
        masks = packed["padding_mask"] == 1
        rows = [ids[mask].tolist() for ids, mask in zip(packed["token_ids"], masks, strict=True)]
        (self.folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")

    def peers_python(self):
        """Return the interpreter of the peers' environment, which is made where none was given."""
        given = self.options.peers_python
        python = given or self.folder / "peers/bin/python"
        if not python.exists():
            print("making the peers' environment ...", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", self.folder / "peers"], check=True)
        if given is None and not (self.folder / "peers/installed").exists():
            subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
            (self.folder / "peers/installed").write_text(" ".join(PACKAGES), encoding="utf-8")
        return python

    def side(self, name):
        """Start one side; return its process, or the reason why it cannot be had."""
        needs = {"saved_model": "saved_model", "litert": "float32", "litert_int8": "int8",
                 "litert_int8_one_length": "int8-64", **dict.fromkeys(PEERS, "model-int8.onnx")}
        try:
            self.make("rows.json")
            self.make(needs.get(name, "rows.json"))
            python = self.peers_python() if name in PEERS else sys.executable
            process = subprocess.Popen([python, HERE / "peers/inference.py", name, self.folder,
                                        self.folder / "rows.json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            return str(error).splitlines()[-1][:200]
        if process.stdout.readline():
            return process
        return (process.communicate()[1].strip().splitlines() or ["it ended"])[-1][:200]


def ask(process, how):
    """Return what a side answers."""
    process.stdin.write(how + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def inference(work, row):
    """Return the lines of one row of the table: the sides in turn, and the peak beside them."""
    how, sides = INFERENCE[row]
    started = {name: work.side(name) for name in ("peak", *sides)}
    ready = {name: process for name, process in started.items() if not isinstance(process, str)}
    try:
        first = {name: ask(process, how) for name, process in ready.items()}         # compiles, and is compared
        rates = {name: [] for name in ready}
        for _ in range(work.options.rounds):
            for name, process in ready.items():
                found = ask(process, how)
                rates[name].append(found["rows"] / found["cpu_s"])
    finally:
        for process in ready.values():
            process.kill()
    lines = [f"| {row} | {name} | not measured: {reason} | | | |" for name, reason in started.items()
             if isinstance(reason, str)]
    return [line(work, row, name, rates, first) for name in sides if name in ready] + lines


def line(work, row, name, rates, first):
    """Return a line of the table: median, spread, ratio, share of peak, largest difference of a logit."""
    own = INFERENCE[row][1][0]
    rate, middle = sorted(rates[name]), statistics.median(rates[name])
    ratio = f"{middle / statistics.median(rates[own]):.2f}" if own in rates else ""
    batches = 1 if INFERENCE[row][0] == "one" else 32
    peak = statistics.median(rates["peak"]) / batches * PEAK_FLOPS
    share = middle * useful_flops(work) / peak
    difference = max(abs(a - b) for ours, theirs in zip(first[own]["logits"], first[name]["logits"], strict=True)
                     for a, b in zip(ours, theirs, strict=True)) if own in first else float("nan")
    return (f"| {row} | {name} | {middle:.1f} ({rate[0]:.0f} to {rate[-1]:.0f}) | {ratio} | {share:.2f} | "
            f"{difference:.1e} |")


def useful_flops(work):
    """Return the multiplies and adds of a row's real tokens, the mean over all rows; padding is not among them."""
    from bertkit.config import EncoderConfig
    from bertkit.cost import flops
    config = EncoderConfig.from_json(json.loads((work.bundle / "bundle.json").read_text(encoding="utf-8"))["config"])
    rows = json.loads((work.folder / "rows.json").read_text(encoding="utf-8"))
    return statistics.mean(flops(config, len(row)) for row in rows)


def start(work, row):
    """Return the line of a command's whole process, which answers one line."""
    work.make("int8")
    words = [word.replace("BUNDLE", str(work.bundle)).replace("WORK", str(work.folder)) for word in STARTS[row]]
    taken = []
    for _ in range(work.options.rounds + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "bertkit", *words], input=b"a warm, funny film\n", check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    taken = sorted(taken[1:])                                   # the first finds its files not yet in memory
    return [f"| {row} | {words[0]} | {statistics.median(taken):.2f} CPU-s ({taken[0]:.2f} to {taken[-1]:.2f}) | | | |"]


def processor():
    """Return the processor's name and what of it a matrix product can use."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    said = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimddp", "bf16")
    features = [name for name in wanted if name in said.get("flags", said.get("Features", "")).split()]
    return f"{os.cpu_count()} x {said.get('model name', platform.machine())} ({', '.join(features)})"


def main():
    """Measure the rows that were asked for, print the table, and write it where --result says."""
    options, rest = arguments()
    if options.name in SCRIPTS:
        raise SystemExit(subprocess.run([sys.executable, HERE / f"{options.name}.py", *rest]).returncode)
    if rest or options.bundle is None or options.dev is None:
        raise SystemExit(f"{' '.join(rest) or 'nothing'} came; wanted --bundle and --dev, see --help.")
    work, lines = Work(options), []
    for row in [*STARTS, *INFERENCE] if options.name == "all" else [options.name]:
        lines += start(work, row) if row in STARTS else inference(work, row)
        print(lines[-1], file=sys.stderr)
    title = f"# {options.name}, {datetime.date.today()}"
    about = (f"{processor()}; load {os.getloadavg()[0]:.0f}; Python {platform.python_version()}; one thread; "
             f"{options.rounds} rounds in turn: median (lowest to highest)")
    head = ("| row | side | sentences/CPU-s | of the first | useful share of peak | largest logit difference |\n"
            "| --- | --- | --- | --- | --- | --- |")
    text = "\n".join([title, "", about, "", head, *lines, ""])
    print(text)
    if options.result:
        (HERE / "results" / f"{options.result}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

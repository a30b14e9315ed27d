"""Spend the same CPU-seconds on pre-training with bertkit and with transformers, and compare what was learnt.

    python benchmarks/equal_cost.py --text novels.txt.gz --dev-text valid.txt --peers-python PEERS/bin/python \\
        --cpu-seconds 3600 --folder work [--result NAME]

One vocabulary, one corpus, one size, one batch; masks are drawn anew for each batch on both sides. Both models are then
loaded by bertkit and asked the same: hidden words of held-out rows, and the pseudo-perplexity of held-out sentences.
"""

import argparse
import datetime
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TRIAL = 150             # steps that tell how many fit
SENTENCES, LONGEST = 200, 60


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--dev-text", nargs="+", required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for all that is made; the same again goes on")
    parser.add_argument("--cpu-seconds", type=float, default=3600)
    parser.add_argument("--vocabulary-size", type=int, default=8000)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=("bertkit", "transformers"), default=("bertkit", "transformers"))
    parser.add_argument("--peers-python", default=sys.executable, help="an interpreter with torch and transformers")
    parser.add_argument("--result", help="also write benchmarks/results/NAME.md")
    return parser.parse_args()


def timed(words, flags):
    """Run a command; return (what it printed, the CPU-seconds of it)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE, check=True,
                          env=os.environ | dict.fromkeys(names, str(flags.threads)))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def prepare(flags):
    """Write vocabulary, shards, and the rows of the shards as one array for the peer."""
    bertkit, folder = [sys.executable, "-m", "bertkit"], flags.folder
    if not (folder / "vocab.txt").exists():
        timed([*bertkit, "vocabulary", "--corpus", *flags.text, "--size", flags.vocabulary_size, "--out",
               folder / "vocab.txt"], flags)
    for name, text in (("shards", flags.text), ("dev", flags.dev_text)):
        if not (folder / name).exists():
            timed([*bertkit, "corpus", "--text", *text, "--vocabulary", folder / "vocab.txt", "--out", folder / name,
                   "--length", flags.length], flags)
    from bertkit.corpus.shards import Shards
    from bertkit.text import Tokenizer
    tokenizer, shards = Tokenizer.load(folder / "vocab.txt"), Shards(folder / "shards")
    if (folder / "rows.npy").exists():
        return
    rows = [tokenizer.pack_ids(shards[i].token_ids.tolist(), None, flags.length) for i in range(len(shards))]
    np.save(folder / "rows.npy", tokenizer.batch(rows, flags.length)["token_ids"])


def trained(name, flags):
    """Return (steps, CPU-seconds) of one side, trained now or by an earlier call."""
    note = flags.folder / f"{name}.json"
    if not note.exists():
        note.write_text(json.dumps((ours if name == "bertkit" else theirs)(flags)))
    return json.loads(note.read_text())


def ours(flags):
    """Pre-train with bertkit for as many steps as fit; return (steps, CPU-seconds)."""
    def words(steps, out):
        return [sys.executable, "-m", "bertkit", "pretrain", "--data", flags.folder / "shards", "--vocabulary",
                flags.folder / "vocab.txt", "--config", "tiny", "--steps", steps, "--batch-size", flags.batch_size,
                "--learning-rate", flags.learning_rate, "--seed", 1, "--save-every", 1000, "--dev",
                flags.folder / "dev", "--out", out]

    _, short = timed(words(TRIAL // 3, flags.folder / "trial-short"), flags)
    _, long = timed(words(TRIAL, flags.folder / "trial-long"), flags)
    each = (long - short) / (TRIAL - TRIAL // 3)
    steps = int((flags.cpu_seconds - long + TRIAL * each) / each)
    return steps, timed(words(steps, flags.folder / "bertkit"), flags)[1]


def theirs(flags):
    """Pre-train with transformers until the time is spent; return (steps, CPU-seconds)."""
    said, seconds = timed([flags.peers_python, HERE / "peers" / "mlm_budget.py", "--rows", flags.folder / "rows.npy",
                           "--vocabulary", flags.folder / "vocab.txt", "--cpu-seconds", flags.cpu_seconds, "--out",
                           flags.folder / "transformers", "--batch-size", flags.batch_size, "--learning-rate",
                           flags.learning_rate], flags)
    return json.loads(said.strip().splitlines()[-1])["steps"], seconds


def asked(model_folder, flags):
    """Return what a model knows of held-out text: masked accuracy, perplexity of masked words, pseudo-perplexity."""
    import bertkit
    from bertkit.corpus.documents import documents
    from bertkit.corpus.shards import Shards
    from bertkit.corpus.walk import Walk
    from bertkit.objectives import MLM, Pretrainer
    from bertkit.pretraining.held import held_out
    from bertkit.pretraining.start import adopt
    from bertkit.text import Tokenizer
    from bertkit.text.sentences import sentences
    from bertkit.training.likelihood import pseudo_log_likelihoods

    tokenizer, model = Tokenizer.load(flags.folder / "vocab.txt"), bertkit.load(str(model_folder))
    pretrainer = Pretrainer(model.encoder, [MLM(tokenizer)])
    adopt(pretrainer, model)
    found = held_out(pretrainer, Walk(Shards(flags.folder / "dev"), tokenizer, 64))
    texts = [text[start:end] for document in documents(flags.dev_text) for text in document
             for start, end in sentences(text)]
    texts = [text for text in texts if 5 <= len(text.split()) <= LONGEST // 2][::7][:SENTENCES]
    scored = pseudo_log_likelihoods(pretrainer.model, tokenizer, texts, flags.length)
    logs = np.concatenate([one.logs for one in scored])
    return {"masked_accuracy": found["masked_accuracy"], "perplexity": found["perplexity"],
            "pseudo_perplexity": float(np.exp(-logs.mean()))}


def curve(logs):
    """Return a table of what bertkit's run wrote for TensorBoard of the held-out rows as it went."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray
    read = EventAccumulator(str(logs), size_guidance={"tensors": 0}).Reload()
    points = {name: {event.step: float(make_ndarray(event.tensor_proto)) for event in read.Tensors(f"dev/{name}")}
              for name in ("masked_accuracy", "perplexity")}
    return "\n".join(["| step of bertkit | masked accuracy | perplexity of masked words |", "|---|---|---|",
                      *(f"| {step} | {100 * found:.2f} | {points['perplexity'][step]:.1f} |"
                        for step, found in points["masked_accuracy"].items())])


def main():
    """Prepare, train both, ask both, print the table, and the curve of bertkit's run."""
    flags = arguments()
    flags.folder.mkdir(parents=True, exist_ok=True)
    prepare(flags)
    rows = ["| | steps | CPU-s | masked accuracy | perplexity of masked words | pseudo-perplexity |",
            "|---|---|---|---|---|---|"]
    for name in flags.only:
        steps, seconds = trained(name, flags)
        found = asked(flags.folder / name, flags)
        rows.append(f"| {name} | {steps} | {seconds:.0f} | {100 * found['masked_accuracy']:.2f} | "
                    f"{found['perplexity']:.2f} | {found['pseudo_perplexity']:.2f} |")
    text = "\n\n".join([f"# The same CPU-seconds of pre-training, {datetime.date.today().isoformat()}",
                        f"BERT-tiny, {flags.vocabulary_size} entries, rows of {flags.length}, batch "
                        f"{flags.batch_size}, learning rate {flags.learning_rate:g}, float32, {flags.threads} "
                        f"thread(s); text {', '.join(Path(path).name for path in flags.text)}; held out "
                        f"{', '.join(Path(path).name for path in flags.dev_text)}", "\n".join(rows),
                        *([curve(flags.folder / "bertkit" / "logs")] if "bertkit" in flags.only else ())]) + "\n"
    print(text)
    if flags.result:
        (HERE / "results" / f"{flags.result}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Spend the same CPU-seconds on pre-training with bertkit and with transformers, and compare what was learnt.

    python benchmarks/equal_cost.py --text novels.txt.gz --peers-python PEERS/bin/python --cpu-seconds 3600 \\
        --folder work [--also-asked valid.txt] [--result NAME]

One vocabulary, one corpus, one config.json, one batch size; masks are drawn anew for each batch on both sides. Every
25th document of the texts is held out: neither the vocabulary nor the models see it. Both models are then loaded by
bertkit and asked the same of the held-out documents: hidden words of their rows, and the pseudo-perplexity of sentences
of 5 to 30 words; and of other texts, where some are named.
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
TRIALS = 100, 600       # steps of two runs that tell how many fit; the longer looks at held-out rows once, as all do
HELD = 25               # of so many documents of a text the last is held out
SENTENCES = 600
WORDS = 5, 30           # of a sentence that is asked of
TINY = {"model_type": "bert", "hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 512}


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--also-asked", nargs="+", default=[], help="texts of another kind to ask both models of")
    parser.add_argument("--folder", type=Path, required=True, help="for all that is made; the same again goes on")
    parser.add_argument("--cpu-seconds", type=float, default=3600)
    parser.add_argument("--vocabulary-size", type=int, default=8000)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.1, help="of hidden values and of attention")
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
    """Write config, both parts of the texts, vocabulary, shards, and their rows as one array for the peer."""
    bertkit, folder = [sys.executable, "-m", "bertkit"], flags.folder
    (folder / "config.json").write_text(json.dumps(TINY | {
        "vocab_size": flags.vocabulary_size, "hidden_dropout_prob": flags.dropout,
        "attention_probs_dropout_prob": flags.dropout}))
    if not (folder / "held-out.txt").exists():
        split(flags.text, folder / "train.txt", folder / "held-out.txt")
    if not (folder / "vocab.txt").exists():
        timed([*bertkit, "vocabulary", "--corpus", folder / "train.txt", "--size", flags.vocabulary_size, "--out",
               folder / "vocab.txt"], flags)
    for name, text in (("shards", folder / "train.txt"), *((rows_of(path), path) for path in asked_of(flags))):
        if not (folder / name).exists():
            timed([*bertkit, "corpus", "--text", text, "--vocabulary", folder / "vocab.txt", "--out", folder / name,
                   "--length", flags.length], flags)
    from bertkit.corpus.shards import Shards
    from bertkit.text import Tokenizer
    tokenizer, shards = Tokenizer.load(folder / "vocab.txt"), Shards(folder / "shards")
    if (folder / "rows.npy").exists():
        return
    rows = [tokenizer.pack_ids(shards[i].token_ids.tolist(), None, flags.length) for i in range(len(shards))]
    np.save(folder / "rows.npy", tokenizer.batch(rows, flags.length)["token_ids"])


def split(paths, train, held):
    """Write every `HELD`th document of each file to one file and the others to another, the held-out one last."""
    from bertkit.corpus.documents import read_documents
    texts = {train: [], held: []}
    for path in paths:
        for i, document in enumerate(read_documents([path]), 1):
            texts[train if i % HELD else held].append("\n".join(document))
    for path, found in texts.items():
        path.write_text("\n\n".join(found) + "\n", encoding="utf-8")


def asked_of(flags):
    """Return the texts that both models are asked of."""
    return [flags.folder / "held-out.txt", *map(Path, flags.also_asked)]


def rows_of(path):
    """Return what the folder of the rows of a text that is asked of is called."""
    return f"rows-{path.name.split('.')[0]}"


def trained(name, flags):
    """Return (steps, CPU-seconds) of one side, trained now or by an earlier call."""
    note = flags.folder / f"{name}.json"
    if not note.exists():
        note.write_text(json.dumps((ours if name == "bertkit" else theirs)(flags)))
    return json.loads(note.read_text())


def ours(flags):
    """Pre-train with bertkit for as many steps as fit; return (steps, CPU-seconds)."""
    def run(steps, out):
        return timed([sys.executable, "-m", "bertkit", "pretrain", "--data", flags.folder / "shards", *alike(flags),
                      "--steps", steps, "--seed", 1, "--dev", flags.folder / "rows-held-out", "--out",
                      flags.folder / out], flags)[1]

    short, long = run(TRIALS[0], "trial-short"), run(TRIALS[1], "trial-long")
    each = (long - short) / (TRIALS[1] - TRIALS[0])
    steps = int((flags.cpu_seconds - long) / each + TRIALS[1])
    return steps, run(steps, "bertkit")


def theirs(flags):
    """Pre-train with transformers until the time is spent; return (steps, CPU-seconds)."""
    said, seconds = timed([flags.peers_python, HERE / "peers" / "mlm_budget.py", "--rows", flags.folder / "rows.npy",
                           *alike(flags), "--cpu-seconds", flags.cpu_seconds, "--out", flags.folder / "transformers"],
                          flags)
    return json.loads(said.strip().splitlines()[-1])["steps"], seconds


def alike(flags):
    """Return the arguments that are the same on both sides."""
    return ["--vocabulary", flags.folder / "vocab.txt", "--config", flags.folder / "config.json", "--batch-size",
            flags.batch_size, "--learning-rate", flags.learning_rate]


def asked(model_folder, path, flags):
    """Return what a model knows of a text: ({masked accuracy, perplexity ...}, each sentence's logs)."""
    import bertkit
    from bertkit.corpus.documents import read_documents
    from bertkit.corpus.sampler import CorpusSampler
    from bertkit.corpus.shards import Shards
    from bertkit.objectives import MLM, Pretrainer
    from bertkit.pretraining.eval_split import held_out
    from bertkit.pretraining.start import copy_heads
    from bertkit.text import Tokenizer
    from bertkit.text.sentences import sentences
    from bertkit.training.likelihood import pseudo_log_likelihoods

    tokenizer, model = Tokenizer.load(flags.folder / "vocab.txt"), bertkit.load(str(model_folder))
    pretrainer = Pretrainer(model.encoder, [MLM(tokenizer)])
    copy_heads(pretrainer, model)
    found = held_out(pretrainer, CorpusSampler(Shards(flags.folder / rows_of(path)), tokenizer, 64))
    texts = [text[start:end] for document in read_documents([path])
             for text in document for start, end in sentences(text)]
    texts = [text for text in texts if WORDS[0] <= len(text.split()) <= WORDS[1]]
    texts = texts[::max(1, len(texts) // SENTENCES)][:SENTENCES]
    scored = pseudo_log_likelihoods(pretrainer.model, tokenizer, texts, flags.length)
    return found, [one.logs for one in scored]


def compared(one, other, rng):
    """Return the ratio of two pseudo-perplexities, with a 95 % bootstrap interval over the sentences, as a sentence."""
    sums, counts = np.array([[logs.sum() for logs in side] for side in (other, one)]), np.array(list(map(len, one)))
    rows = rng.integers(0, len(counts), (1000, len(counts)))
    ratios = np.exp((sums[0][rows].sum(1) - sums[1][rows].sum(1)) / counts[rows].sum(1))
    low, high = np.percentile(ratios, [2.5, 97.5])
    ratio = np.exp((sums[0].sum() - sums[1].sum()) / counts.sum())
    return f"pseudo-perplexity, bertkit / transformers: {ratio:.3f} (95 % interval {low:.3f} to {high:.3f})"


def table(path, flags):
    """Return the table of one text that both were asked of."""
    rows = [f"Asked of {path.name}:", "| | steps | CPU-s | masked accuracy | perplexity of masked words | "
            "pseudo-perplexity |\n|---|---|---|---|---|---|"]
    logs = {}
    for name in flags.only:
        steps, seconds = trained(name, flags)
        found, logs[name] = asked(flags.folder / name, path, flags)
        rows[-1] += (f"\n| {name} | {steps} | {seconds:.0f} | {100 * found['masked_accuracy']:.2f} | "
                     f"{found['perplexity']:.1f} | {np.exp(-np.concatenate(logs[name]).mean()):.1f} |")
    both = [compared(logs["bertkit"], logs["transformers"], np.random.default_rng(0))] if len(logs) == 2 else []
    return "\n\n".join([*rows, *both])


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
    """Prepare, train both, ask both, print the tables, and the curve of bertkit's run."""
    flags = arguments()
    flags.folder.mkdir(parents=True, exist_ok=True)
    prepare(flags)
    tables = [table(path, flags) for path in asked_of(flags)]
    text = "\n\n".join([f"# The same CPU-seconds of pre-training, {datetime.date.today().isoformat()}",
                        f"BERT-tiny, {flags.vocabulary_size} entries, rows of {flags.length}, batch "
                        f"{flags.batch_size}, learning rate {flags.learning_rate:g}, dropout {flags.dropout:g}, "
                        f"float32, {flags.threads} thread(s); every {HELD}th document held out of "
                        f"{', '.join(Path(path).name for path in flags.text)}", *tables,
                        *(["bertkit's run on held-out.txt:",
                           curve(flags.folder / "bertkit" / "logs")] if "bertkit" in flags.only else ())]) + "\n"
    print(text)
    if flags.result:
        (HERE / "results" / f"{flags.result}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Measure the recipes' own knobs (`auto`) against a sweep of rate and epochs, on few rows of ten data sets.

    python benchmarks/defaults.py --data DATA --result defaults [--only SST-2 CoLA] [--rows 50 200] [--seeds 0 1]

DATA holds glue/, longdoc/ and ner/ as published (the layout is in `FILES`). Each cell, one training run, is a line of
benchmarks/results/NAME.jsonl: a cell that stands there is not run again, so the script goes on where it was stopped.
`--table` only writes NAME.md from the lines that there are. One process trains all cells with one compiled model for
each data set: its weights, moments and schedule are put back before each cell.
"""

import argparse
import json
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from defaults_page import page

from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.data.features import features_of
from bertkit.data.labelled import learn_task, read_labelled
from bertkit.data.pipeline import BatchSampler
from bertkit.data.splits import EvalSplit
from bertkit.heads import Classifier, TokenClassifier
from bertkit.text import Tokenizer
from bertkit.training.auto import recommend
from bertkit.training.best_weights import BestWeights
from bertkit.training.optimizer import AdamW
from bertkit.training.scoring import outputs, predictions

RESULTS = Path(__file__).parent / "results"
FILES = {                                   # name -> the recipe, train, and dev where the publisher has one
    "SST-2": ("classify", "glue/SST-2/train.tsv", "glue/SST-2/dev.tsv"),
    "CoLA": ("classify", "glue/CoLA/train.tsv", "glue/CoLA/dev.tsv"),
    "movie_reviews": ("classify", "longdoc/movie_reviews/movie_reviews.zip", None),
    "onestopenglish": ("classify", "longdoc/onestopenglish", None),
    "MRPC": ("classify", "glue/MRPC/train.tsv", "glue/MRPC/dev.tsv"),
    "QNLI": ("classify", "glue/QNLI/train.tsv", "glue/QNLI/dev.tsv"),
    "QQP": ("classify", "glue/QQP/train.tsv", "glue/QQP/dev.tsv"),
    "MNLI": ("classify", "glue/MNLI/train.tsv", "glue/MNLI/dev_matched.tsv"),
    "WNUT-17": ("tag", "ner/wnut17/wnut17train.conll", "ner/wnut17/emerging.dev.conll"),
    "STS-B": ("score", "glue/STS-B/train.tsv", "glue/STS-B/dev.tsv"),
}
FEWER = {"WNUT-17": 3394}                   # all rows that it has, in the place of 5,000
WIDTH = 384                                 # of bertkit://english
RATES = (1e-4, 2e-4, 4e-4)
EPOCHS = {50: (10, 30), 200: (8, 20), 1000: (4, 9), 5000: (2, 4)}      # the sweep is RATES x EPOCHS[rows]
BATCH, LENGTH, DEV, TEST = 16, 128, {50: 100}, 400                      # dev: 200 rows where DEV says nothing


class Dial(keras.optimizers.schedules.LearningRateSchedule):
    """`WarmupLinear` whose peak and steps can be set anew without compiling the training step again."""

    def __init__(self):
        self.peak, self.steps = (keras.Variable(1.0, trainable=False) for _ in range(2))

    def __call__(self, step):
        step, rising = keras.ops.cast(step, "float32"), keras.ops.maximum(keras.ops.round(0.1 * self.steps), 1.0)
        down = (self.steps - step) / keras.ops.maximum(self.steps - rising, 1.0)
        return self.peak * keras.ops.maximum(keras.ops.minimum(step / rising, down), 0.0)


class Bench:
    """One data set: its rows, and the model that all its cells train."""

    def __init__(self, name, data, tokenizer):
        self.tokenizer = tokenizer
        recipe, train, dev = FILES[name]
        self.task, self.pool = learn_task(recipe, _unpacked(data / train))
        others = read_labelled(self.task, data / dev) if dev else None
        if others is None:
            self.pool, others = _halves(self.pool)
        order = np.random.default_rng(0).permutation(len(others))
        self.test, self.others = self._held(others, order[:min(TEST, len(order) * 2 // 3)]), others
        self.order = order[len(self.test.inputs):]
        encoder = load(DEFAULT, part="encoder")
        self.model = TokenClassifier(encoder, self.task.labels) if recipe == "tag" else \
            Classifier(encoder, self.task.labels if recipe == "classify" else ["score"])
        self.dial = Dial()
        self.model.compile(AdamW(self.dial), self.model.loss_function())
        self.model.optimizer.build(self.model.trainable_variables)
        self.start = [np.asarray(variable) for variable in self._state()]

    def run(self, rows, seed, rate, epochs):
        """Return what one training run came to: {"dev", "test": {metric: number}, "epoch", "seconds"}."""
        began, dev = time.monotonic(), self._held(self.others, self.order[:DEV.get(rows, 200)])
        chosen = np.random.default_rng((seed, rows)).permutation(len(self.pool))[:rows]
        part = self.pool._only(chosen)
        packed = self.task.pack(self.tokenizer, part.inputs, LENGTH, part.targets)
        sampler = BatchSampler(features_of(packed, self.tokenizer), BATCH, seed)
        self._begin(seed)
        self.dial.peak.assign(rate)
        self.dial.steps.assign(float(epochs * sampler.steps_per_epoch))
        best = BestWeights(self.task, dev)
        self.model.fit(sampler.dataset(), epochs=epochs, steps_per_epoch=sampler.steps_per_epoch, shuffle=False,
                       verbose=0, callbacks=[best])
        return {"dev": best.rank[0], "test": self._scores(self.test), "epoch": best.epoch,
                "seconds": round(time.monotonic() - began, 1)}

    def probe(self, rows, seed):
        """Return the scores on test of a logistic regression on the frozen encoder's mean vectors (needs sklearn)."""
        from sklearn.linear_model import LogisticRegressionCV
        self._begin(seed)
        chosen = np.random.default_rng((seed, rows)).permutation(len(self.pool))[:rows]
        learned = self._vectors(self._held(self.pool, chosen).features)
        middle, spread = learned.mean(0), learned.std(0) + 1e-6
        fitted = LogisticRegressionCV(Cs=[1e-4, 1e-3, 1e-2, 1e-1, 1], cv=3, max_iter=500, l1_ratios=(0,),
                                      scoring="neg_log_loss", use_legacy_attributes=False)
        fitted.fit((learned - middle) / spread, self.pool._only(chosen).targets)
        asked = (self._vectors(self.test.features) - middle) / spread
        return {"test": {"accuracy": round(float(np.mean(fitted.predict(asked) == self.test.targets)), 5)}}

    def _vectors(self, features):
        from bertkit.heads import SentenceEmbedder
        if not hasattr(self, "embedder"):
            self.embedder = SentenceEmbedder(self.model.encoder, pooling="mean", normalize=False)
        return np.stack(outputs(self.embedder, features))

    def _held(self, labelled, rows):
        part = labelled._only(np.asarray(rows))
        packed = self.task.pack(self.tokenizer, part.inputs, LENGTH)
        return EvalSplit(part.inputs, part.targets, packed, features_of(packed, self.tokenizer))

    def _scores(self, held):
        sides = self.task.metric_inputs(held.targets, predictions(self.model, self.task, held))
        return {name: round(float(metric(*sides)), 5) for name, metric in self.task.metrics.items()}

    def _state(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def _begin(self, seed):
        """Put everything back to the start, the head's weights drawn anew from the seed."""
        chance, known = np.random.default_rng(seed), {id(variable) for variable in self.model.encoder.variables}
        for variable, value in zip(self._state(), self.start, strict=True):
            variable.assign(value)
        for variable in self.model.trainable_variables:
            if id(variable) not in known and variable.path.endswith("kernel"):
                variable.assign(0.02 * np.clip(chance.standard_normal(variable.shape), -2, 2))


def _unpacked(path):
    """Return a folder of texts for each class, from the archive of one."""
    if path.suffix != ".zip":
        return path
    place = Path(tempfile.mkdtemp())
    with zipfile.ZipFile(path) as archive:
        archive.extractall(place, [name for name in archive.namelist() if name.endswith(".txt")])
    return place / path.stem


def _halves(labelled):
    """Return (what is trained on, the rest): half of the rows each, of many rows two thirds; groups together."""
    names = sorted(set(labelled.groups))
    share = 1 / 2 if len(labelled) < 1500 else 2 / 3
    kept = set(np.random.default_rng(0).permutation(names)[:int(share * len(names))])
    sides = ([i for i, group in enumerate(labelled.groups) if (group in kept) == side] for side in (True, False))
    return [replace(labelled._only(np.array(side)), skipped=[]) for side in sides]


def cells(flags):
    """Yield (name, rows, seed, [(rate, epochs) ...]) of what is wanted, few rows first."""
    for rows in flags.rows:
        for seed in flags.seeds:
            for name in flags.only:
                if rows < 5000 or name in ("SST-2", "QNLI", "WNUT-17"):
                    sweep = [(rate, epochs) for epochs in EPOCHS[rows] for rate in RATES]
                    yield name, rows, seed, [*sweep, *({default(name, rows)} - set(sweep))]


def default(name, rows):
    """Return (rate, epochs) as a recipe chooses them for the encoder that comes along."""
    found = recommend(min(rows, FEWER.get(name, rows)), WIDTH)
    return found.learning_rate, found.epochs


def measure(flags, path):
    """Run the cells that are not among the lines of `path`, and add them there."""
    tokenizer, benches = Tokenizer.load(local_folder(DEFAULT)), {}
    for name, rows, seed, points in cells(flags):
        done = {(line["name"], line["rows"], line["seed"], line["rate"], line["epochs"]) for line in read(path)}
        for rate, epochs in points:
            if (name, rows, seed, rate, epochs) in done:
                continue
            bench = benches.setdefault(name, None) or Bench(name, flags.data, tokenizer)
            benches[name] = bench
            if len(bench.pool) < min(rows, FEWER.get(name, rows)):
                break
            found = bench.run(rows, seed, rate, epochs)
            add(path, {"name": name, "rows": rows, "seed": seed, "rate": rate, "epochs": epochs, **found})


def probe(flags, path):
    """Run the linear model of each cell of a task of classes that is not among the lines of `path`."""
    tokenizer = Tokenizer.load(local_folder(DEFAULT))
    for name in flags.only:
        bench = Bench(name, flags.data, tokenizer) if FILES[name][0] == "classify" else None
        for rows, seed in ((rows, seed) for rows in flags.rows for seed in flags.seeds):
            if bench and len(bench.pool) >= rows and not any(
                    (line["name"], line["rows"], line["seed"], line["rate"]) == (name, rows, seed, 0)
                    for line in read(path)):
                add(path, {"name": name, "rows": rows, "seed": seed, "rate": 0, "epochs": 0, **bench.probe(rows, seed)})


def add(path, line):
    """Add a finished cell to the file."""
    print(json.dumps(line), file=sys.stderr, flush=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read(path):
    """Return the lines that are there."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def main():
    """Measure what is left to measure, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="the folder of the data sets")
    parser.add_argument("--result", default="defaults", help="of benchmarks/results/NAME.jsonl and NAME.md")
    parser.add_argument("--only", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--rows", nargs="+", type=int, default=list(EPOCHS), choices=EPOCHS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--probe", action="store_true", help="measure a linear model on frozen vectors instead")
    parser.add_argument("--table", action="store_true", help="measure nothing, write the page only")
    flags = parser.parse_args()
    path = RESULTS / f"{flags.result}.jsonl"
    if not flags.table:
        (probe if flags.probe else measure)(flags, path)
    path.with_suffix(".md").write_text(page(read(path), default, list(FILES)), encoding="utf-8")


if __name__ == "__main__":
    main()

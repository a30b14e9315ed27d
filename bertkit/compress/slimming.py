"""A slimmer bundle of a trained one: parts are removed, and what is left learns from labels and the model it was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bertkit import checkpoints, metrics
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.compress.importance import activation_importance, gradient_importance, strongest
from bertkit.compress.removal import keep_entries, keep_layers, keep_parts, named_ids
from bertkit.compress.sizes import Sizes
from bertkit.compress.soft_targets import SoftTargets
from bertkit.compress.vocabulary import frequent_entries, texts_of, trimmed, used_entries
from bertkit.data.columns import Columns
from bertkit.data.features import features_of
from bertkit.data.pipeline import BatchSampler
from bertkit.data.splits import Splits
from bertkit.errors import Error
from bertkit.files import folders as files
from bertkit.files.atomic import sha256
from bertkit.heads import SentenceEmbedder
from bertkit.report import partial_input
from bertkit.terminal import say
from bertkit.text import Tokenizer
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.contrastive import contrastive_loss
from bertkit.training.losses import check_no_loss_knobs
from bertkit.training.run import Run, check_rate_and_seed, precision
from bertkit.training.score_and_save import score_and_save
from bertkit.training.scoring import outputs, predictions

TASKS = ("classify", "score", "tag", "answer", "choose", "embed")
MEASURED, TOGETHER = 512, 16        # training examples that importance is measured on, and how many at once
PROVED, EQUAL = 64, 1e-6            # rows of dev whose outputs must be the same after a lossless trim


def slim(folder: str | Path, train: str | Path, out: str | Path, dev: str | Path | None = None,
         heads: int | None = None, intermediate: int | None = None, layers: str | Sequence[int] | None = None,
         vocabulary: int | Literal["used"] | None = None, test: str | Path | None = None, epochs: Count = AUTO,
         batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int | None = None, seed: int = 0,
         limit: int | None = None, alpha: float = 0.5, temperature: float = 2.0, columns: Columns = Columns(),
         tuning: TrainConfig = TrainConfig()) -> Card:
    """Remove parts of a trained model, let what is left recover, and leave it as a bundle with its card.

    First layers are removed, then entries of the vocabulary, then heads by the gradient of the loss (Michel et al.
    2019) and feed-forward rows by what they add (E|z_r| · ‖W₂[r]‖), each on training rows. What is left is trained on
    the labels and on what the whole model answers (see `SoftTargets`). With `vocabulary="used"` alone nothing is
    trained, because no answer changes, which is proved on the rows of train and dev.

    Args:
        folder: The bundle.
        train: Labelled rows, as it was trained on.
        out: The folder to write.
        dev: Labelled rows that choose the best epoch and score both models; None holds out some of train.
        heads: Heads that stay in each layer.
        intermediate: Feed-forward rows that stay in each layer.
        layers: The layers that stay, counted from 0, such as "0,2,5" or [0, 2, 5].
        vocabulary: How many entries stay, or "used": those of the texts of train and dev, special ones and single
            characters.
        test: Labelled rows that only report.
        epochs: Passes over the training rows; 0 trains nothing.
        batch_size: Rows in a step.
        learning_rate: The highest rate, after the warm-up.
        length: Tokens that a row is cut to; None takes the bundle's.
        seed: Of the rows that importance is measured on, the order of rows and dropout.
        limit: Take the first rows of train only.
        alpha: α, the share of the labels in the loss; the rest is that of the whole model's answers.
        temperature: T, by which the logits of both are divided.
        columns: Names of columns.
        tuning: The `TrainConfig`.

    Returns:
        The `Card`; `card.training["slim"]` says what was removed, and the scores before and after.

    Raises:
        Error: when nothing would be removed, the model has no such part, or the files do not fit it.
    """
    wanted = Sizes.of(heads, intermediate, layers, vocabulary)
    given = _Given(folder, wanted, length)
    if wanted.is_lossless and epochs not in (0, AUTO):
        raise Error(f"epochs={epochs}: vocabulary=used alone changes no answer, so there is nothing to train; leave it "
                    "out.")
    knobs = {"folder": str(folder), "bundle": sha256(Path(folder) / "bundle.json"), "train": train, "dev": dev,
             "test": test, "limit": limit, "heads": heads, "intermediate": intermediate, "layers": layers,
             "vocabulary": vocabulary, "alpha": alpha, "temperature": temperature, "columns": columns}
    trains = not wanted.is_lossless and epochs != 0
    run = Run(out, epochs, batch_size, learning_rate, given.length, seed, tuning, **knobs) if trains else None
    if run is None:
        files.check_replaceable(out, "bundle")
        check_rate_and_seed(1.0, seed)
    splits = Splits(given.task, train, dev, test, columns, limit, **tuning.reading_options)
    with precision(tuning.precision):
        made = _Slimmed(given, wanted, splits, seed)
    if run is not None:
        made.train(run, splits, SoftTargets(made.model, given.model, made.ids, alpha, temperature))
    said = made.metadata(splits, None if run is None else run.splits.task)
    notes = _sentences(folder, said)
    for sentence in notes:
        say(sentence)
    if run is not None:
        run.notes += notes
        return run.evaluate_and_save("slim", slim=said)
    features = splits.features(made.tokenizer, given.length)
    return score_and_save(out, made.model, made.tokenizer, given.task, given.length, _scored(splits),
                          {**knobs, "out": out, "epochs": 0, "length": given.length, "seed": seed, "tuning": tuning},
                          "slim", features.sample(tuning.calibration, seed), training={"slim": said},
                          notes=tuple(notes), data=splits.metadata())


def _scored(splits):
    return {name: part for name, part in splits.parts.items() if name != "train"}


class _Given:
    """The bundle that is slimmed."""

    def __init__(self, folder: str | Path, wanted: Sizes, length: int | None) -> None:
        values = bundle.read_metadata(folder)
        self.folder, self.task = folder, bundle.task(values)
        if self.task.name not in TASKS:
            raise Error(f"A bundle of the task {self.task.name} is not slimmed; those of {', '.join(TASKS)} are.")
        self.tokenizer, self.length = bundle.tokenizer(folder, values), length or values["length"]
        self.model = checkpoints.load(folder)
        wanted.check(self.model.encoder.config, len(self.tokenizer))


class _Slimmed:
    """What is left of a bundle: a model, its tokenizer, and for each of its ids the one that it was, or None."""

    def __init__(self, given: _Given, wanted: Sizes, splits: Splits, seed: int) -> None:
        self.given, self.wanted, self.ids = given, wanted, None
        self.model, self.tokenizer = checkpoints.load(given.folder), given.tokenizer
        self.removed: dict[str, Any] = {}
        config = self.model.encoder.config
        self.layers = list(range(config.num_layers)) if wanted.layers is None else list(wanted.layers)
        if wanted.layers is not None:
            self.removed["layers"] = sorted(set(range(config.num_layers)) - set(wanted.layers))
            self.model = keep_layers(self.model, wanted.layers)
        if wanted.vocabulary is not None:
            self._trim(splits)
        if wanted.heads is not None or wanted.intermediate is not None:
            self._narrow(splits, seed)

    def _trim(self, splits):
        config, named = self.model.encoder.config, named_ids(self.model.encoder.config)
        ids = _entries(self.tokenizer, self.wanted.vocabulary, splits, self.given.length, named)
        self.tokenizer, self.model = trimmed(self.given.tokenizer, ids), keep_entries(self.model, ids)
        self.removed["entries"], self.ids = config.vocabulary_size - len(ids), np.array(ids, "int32")
        if self.wanted.vocabulary == "used":
            self._prove(splits)

    def _prove(self, splits):
        """Raise `Error` unless the texts of all rows are split as before, and, where nothing else is removed, the first
        rows of dev are answered as before."""
        length = self.given.length
        for part in splits.parts.values():
            before, after = (splits.task.pack(tokenizer, part.inputs, length).rows
                             for tokenizer in (self.given.tokenizer, self.tokenizer))
            if not all(np.array_equal(one[0], self.ids[other[0]]) for one, other in zip(before, after, strict=True)):
                raise Error(f"Without the entries that no text uses, texts of {part.path} are split into other pieces; "
                            "give --vocabulary a number, or leave it out.")
        if self.wanted.is_lossless:
            sides = [_first_outputs(*side, splits, length) for side in
                     ((self.given.model, self.given.tokenizer), (self.model, self.tokenizer))]
            if not all(np.allclose(*pair, rtol=0, atol=EQUAL) for pair in zip(*sides, strict=True)):
                raise Error("The trimmed model answers rows of dev in another way; report it.")

    def _narrow(self, splits, seed):
        config, batches = self.model.encoder.config, _measured(splits, self.tokenizer, self.given.length, seed)
        heads = rows = None
        if self.wanted.heads is not None:
            found = gradient_importance(self.model, _loss(self.model, batches.features), _batches(batches))[0]
            heads = strongest(found, self.wanted.heads)
            self.removed["heads"] = self._by_layer(heads, config.num_heads)
        if self.wanted.intermediate is not None:
            rows = strongest(activation_importance(self.model, _batches(batches)), self.wanted.intermediate)
            self.removed["rows"] = {name: len(numbers) for name, numbers in
                                    self._by_layer(rows, config.intermediate_dim).items()}
        self.model = keep_parts(self.model, heads, rows)

    def _by_layer(self, kept, count):
        """Return {name of a layer of the bundle, or of a block that layers share: the numbers that are removed}."""
        shared = self.model.encoder.config.shared is not None
        names = [f"shared block {i}" if shared else str(self.layers[i]) for i in range(len(kept))]
        return {name: sorted(set(range(count)) - set(part)) for name, part in zip(names, kept, strict=True)}

    def train(self, run: Run, splits: Splits, soft: SoftTargets) -> None:
        """Train what is left on labels and on what the whole model answers."""
        run.prepare(self.model, self.tokenizer, splits)
        if isinstance(self.model, SentenceEmbedder):
            check_no_loss_knobs(run.tuning)
            loss: Any = contrastive_loss(run.sampler.features)
        else:
            loss = run.loss()
        self.model.compute_loss = soft
        self.model.compile(run.optimizer(), loss)
        done = run.resume()
        self.model.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
                       callbacks=run.callbacks(done), shuffle=False, verbose=0)

    def metadata(self, splits: Splits, trained: Any) -> dict[str, Any]:
        """Return what the card says: what it was made of, what was removed, the scores before and after."""
        before, after = (_predicted(*side, splits, self.given.length) for side in
                         ((self.given.model, self.given.tokenizer), (self.model, self.tokenizer)))
        dev = splits.parts["dev"]
        task = self.given.task if trained is None else self.given.task.tuned(dev.targets, after)
        counts = {"before": self.given.model.count_params(), "after": self.model.count_params()}
        return {"of": Path(self.given.folder).name, "parameters": counts, "removed": self.removed,
                "config": self.model.encoder.config.to_json(),
                **scores(self.given.task, task, dev.targets, before, after), "bag_of_words": bag_of_words(splits)}


def _entries(tokenizer: Tokenizer, wanted: Any, splits: Splits, length: int, named: list[int]) -> list[int]:
    """Return the ids of the vocabulary that stay, which depend on all texts of train and dev."""
    known = [part.inputs for name, part in splits.parts.items() if name in ("train", "dev")]
    texts = [text for inputs in known for text in texts_of(inputs)]
    if wanted != "used":
        return frequent_entries(tokenizer, texts, wanted, named)
    packed = {int(i) for inputs in known for row, _ in splits.task.pack(tokenizer, inputs, length).rows for i in row}
    return used_entries(tokenizer, texts, packed | set(named))


def _measured(splits, tokenizer, length, seed):
    """Return the training batches that importance is measured on, drawn by the seed."""
    return BatchSampler(splits.features(tokenizer, length), TOGETHER, seed)


def _batches(sampler):
    return map(sampler.keras_batch, range(min(sampler.steps_per_epoch, MEASURED // TOGETHER)))


def _loss(model, features):
    return contrastive_loss(features) if isinstance(model, SentenceEmbedder) else model.loss_function()


def _first_outputs(model, tokenizer, splits, length):
    packed = splits.task.pack(tokenizer, splits.parts["dev"].inputs[:PROVED], length)
    return outputs(model, features_of(packed, tokenizer))


def _predicted(model, tokenizer, splits, length):
    return predictions(model, splits.task, splits.eval_splits(tokenizer, length)["dev"])


def scores(task: Any, tuned: Any, targets: Any, before: list[Any], after: list[Any]) -> dict[str, Any]:
    """Compare two models on labelled inputs by the task's first metric.

    Args:
        task: The task of the first model.
        tuned: That of the second one, which may have another threshold.
        targets: What the inputs are scored against.
        before: The first model's prediction of each.
        after: The second model's.

    Returns:
        {"metric", "before", "after", "rows", "drop": points {"drop", "low", "high"} with the paired 95 % interval}.
    """
    name, metric = next(iter(task.metrics.items()))
    one, two = task.metric_inputs(targets, before), tuned.metric_inputs(targets, after)
    drop, low, high = (round(task.points * value, 4) for value in metrics.paired_drop(metric, one, two))
    return {"metric": name, "before": float(metric(*one)), "after": float(metric(*two)), "rows": len(one[0]),
            "drop": {"drop": drop, "low": low, "high": high}}


def bag_of_words(splits: Splits) -> float | None:
    """Score a linear model of words and pairs of words, which learns from train, on dev, by the task's first metric.

    Args:
        splits: The `Splits`.

    Returns:
        The score; None for a task that such a model does not answer.
    """
    train, dev = ((part.inputs, part.targets) for part in map(splits.parts.get, ("train", "dev")))
    found = partial_input.probe(splits.task, train, dev)
    return next((view["score"] for view in (found or {"views": ()})["views"] if not view["half"]), None)


def _sentences(folder: str | Path, said: dict[str, Any]) -> list[str]:
    """Return in sentences what was removed, and what it cost."""
    removed, counts, drop = said["removed"], said["parameters"], said["drop"]
    parts = [f"{len(removed[name])} layers" for name in ("layers",) if removed.get(name)]
    parts += [f"{len(next(iter(removed[name].values())))} heads of each layer" for name in ("heads",) if name in removed]
    parts += [f"{next(iter(removed[name].values()))} feed-forward rows of each layer" for name in ("rows",)
              if name in removed]
    parts += [f"{removed['entries']:,} entries of the vocabulary"] if "entries" in removed else []
    bag = said["bag_of_words"]
    judged = "" if said["rows"] >= 200 else " A drop cannot be judged on fewer than 200 rows."
    return [f"Of {folder} were removed: {', '.join(parts)}; {counts['after']:,} of {counts['before']:,} parameters are "
            "left.",
            f"{said['metric']} on dev goes from {said['before']:.4f} to {said['after']:.4f}, a drop of "
            f"{drop['drop']:.2f} points (95 % interval {drop['low']:.2f} to {drop['high']:.2f}).{judged}",
            *([] if bag is None else [f"A bag of words, which has no encoder, reaches {bag:.4f}."])]

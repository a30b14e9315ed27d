"""One run of `fit()` from its first step, or from where it was killed, to the folder it leaves."""

import atexit
import math
import os
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import keras

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.data.features import check_fit
from bertkit.data.frames import checksum, optional_path
from bertkit.data.pipeline import BatchSampler
from bertkit.errors import Error
from bertkit.files import folders as files
from bertkit.files.folders import working_folder
from bertkit.files.lock import hold, release, remove_at_once, remove_dead
from bertkit.report import partial_input, render_report
from bertkit.report.markdown import render_model_card
from bertkit.terminal import say
from bertkit.training.adapt import adapt, merge_adapters, optimizer
from bertkit.training.auto import AUTO, Count, Rate, explain_choice, recommend
from bertkit.training.baseline import baseline_warning
from bertkit.training.best_weights import BestWeights
from bertkit.training.config import TrainConfig
from bertkit.training.history import history
from bertkit.training.losses import loss
from bertkit.training.precision import precision
from bertkit.training.progress import Progress
from bertkit.training.resume import Resume
from bertkit.training.scoring import predictions
from bertkit.training.tensorboard import RunTensorBoard
from bertkit.training.trust import check_trust, familiarity_of, scale_logits, with_limits

MOST_EPOCHS = 10**6


class Run:
    """All that a recipe needs around `compile` and `fit`: checks, batches, optimizer, loss, callbacks and the bundle.

    A recipe gives it all that its `main` takes; what is not named here is for the card and the resumed run. Epochs,
    batch size and rate may be "auto" and become numbers in `prepare` (see `training.auto`). A run works in OUT.tmp, and
    OUT appears only when it is whole. The knobs and the content of the files make the same command the same run, which,
    started again, goes on after its last epoch. Every random draw is fixed by the seed.

    Args:
        out: The folder of the bundle that the run leaves.
        epochs: Passes over the training rows, or "auto".
        batch_size: Rows in a step, or "auto".
        learning_rate: The highest rate, after the warm-up, or "auto".
        length: Tokens that a row is cut to, special tokens included.
        seed: Of the head's first weights, the order of rows and dropout, 0 to 2³² − 1.
        tuning: The `TrainConfig`.
        **others: The recipe's other knobs, for the card.

    Raises:
        Error: When a knob trains nothing, the seed is out of range, or the place of `out` is taken.
    """

    def __init__(self, out: str | Path, epochs: Count, batch_size: Count, learning_rate: Rate, length: int,
                 seed: int, tuning: TrainConfig, **others: Any) -> None:
        self.out, self.folder = out, working_folder(out)
        remove_dead(Path(os.path.abspath(out)))
        remove_dead(self.folder)
        files.check_replaceable(out, "bundle")
        _check_working(self.folder)
        if epochs != AUTO and not 1 <= epochs <= MOST_EPOCHS:
            wrong = "trains nothing; give 1 or more" if epochs < 1 else f"never end; give {MOST_EPOCHS} at most"
            raise Error(f"epochs={epochs!s:.20} {wrong}.")
        check_rate_and_seed(1.0 if learning_rate == AUTO else learning_rate, seed)
        self.notes: list[str] = []
        self.keeps_latest = False           # a run that does not learn to answer sets it before `resume`
        self.model: Any = None
        self.ranges: Any = None             # of the int8 file that the model was trained for
        self.length, self.seed, self.tuning = length, seed, tuning
        self.knobs = {"out": out, "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate,
                      "length": length, "seed": seed, "tuning": tuning, **others}
        self.knobs |= {name: _named(others[name]) for name in ("train", "dev", "test") if name in others}
        keras.utils.set_random_seed(seed)

    @property
    def logs(self) -> Path:
        """The folder of TensorBoard's files."""
        return self.folder / "logs"

    def prepare(self, model: Any, tokenizer: Any, splits: Any, features: Any = None, beside: Any = None) -> None:
        """Adapt the model to the tuning (see `training.adapt`) and pack the splits into rows of `length` tokens.

        Args:
            model: A head of bertkit's on an encoder, not compiled.
            tokenizer: The `Tokenizer` of the encoder.
            splits: The `Splits` of the run.
            features: The `Features` to train on; None takes those of the training rows.
            beside: What the labels of a batch come with (see `BatchSampler`), or None.

        Raises:
            Error: When the tokenizer, the length or the tuning does not fit the encoder.
        """
        check_fit(tokenizer, model.encoder.config, self.length)
        splits.task.check_threshold(self.tuning.threshold)
        check_trust(model, splits.task, self.tuning)
        features = splits.features(tokenizer, self.length) if features is None else features
        self._resolve(len(features), model.encoder.config.hidden_dim)
        self.model, self.tokenizer, self.splits = model, tokenizer, splits
        with precision(self.tuning.precision):
            adapt(model, self.tuning)
        self.sampler = BatchSampler(features, self.batch_size, self.seed, copies=self.tuning.copies,
                                    accumulate=self.tuning.accumulate, beside=beside)
        self.eval_splits = splits.eval_splits(tokenizer, self.length)
        self.steps = self.epochs * self.sampler.steps_per_epoch

    def _resolve(self, rows, width):
        """Make numbers of the knobs that are "auto", and say which."""
        knobs = {name: self.knobs[name] for name in ("epochs", "batch_size", "learning_rate")}
        chosen = recommend(rows, width, **knobs)
        self.epochs, self.batch_size, self.learning_rate = chosen
        self.knobs, self.auto = {**self.knobs, **chosen._asdict()}, AUTO in knobs.values()
        if reason := explain_choice(rows, width, knobs, chosen):
            say(reason)
            self.notes.append(reason)

    def cut_to(self, length: int) -> None:
        """Cut rows to fewer tokens, of a model that is made after the run and has fewer positions.

        Args:
            length: Tokens of a row.
        """
        self.length, self.knobs = length, {**self.knobs, "length": length}

    def optimizer(self) -> keras.optimizers.Optimizer:
        """Return the optimizer for all steps of the run: AdamW, warm-up, decay, and what the tuning adds.

        Returns:
            The optimizer.

        Raises:
            Error: When `prepare` was not called, or the batches are too few for one update.
        """
        model = self._prepared().model
        return optimizer(model, self.learning_rate, self.steps, self.steps_per_epoch, self.tuning)

    def loss(self) -> Callable:
        """Return the model's loss with what the tuning adds.

        Returns:
            A Keras loss, a function of (labels, outputs).

        Raises:
            Error: When `prepare` was not called, or a knob does not fit the head.
        """
        features = self._prepared().sampler.features
        labels = features.labels if features.token_labels is None else features.token_labels
        return loss(self.model, self.tuning, labels)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one pass over the training rows.

        Raises:
            Error: When `prepare` was not called.
        """
        return self._prepared().sampler.steps_per_epoch

    def resume(self, best: BestWeights | None = None) -> int:
        """Put the state of an interrupted run into the compiled model.

        Args:
            best: What chooses the epoch on dev; None takes the score there.

        Returns:
            The epochs that the run has done, 0 for a new run.

        Raises:
            Error: When `prepare` was not called, or the run's folder cannot be written.
        """
        self.best = best or BestWeights(self._prepared().splits.task, self.eval_splits["dev"], self.tuning.patience,
                                        self.tuning.metric, self.keeps_latest)
        sums = [checksum(path) for path in self.splits.paths.values()]
        hold(self.folder)
        atexit.register(_tidy, self.folder)
        self.state = Resume(self.folder, {**self.knobs, "files": sums}, self.best)
        done = self.state.restore(self.model)
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Error(f"{self.folder} cannot be written ({error.strerror}); choose another --out.") from None
        return done

    def dataset(self, done: int = 0) -> Any:
        """Return the training batches, in the order that the seed gives, without end.

        Args:
            done: Epochs that were done before.

        Returns:
            The `tf.data.Dataset` of the batches after these epochs.
        """
        return self.sampler.dataset(done * self.steps_per_epoch)

    def callbacks(self, done: int = 0) -> list[keras.callbacks.Callback]:
        """Return the callbacks of `fit()`: the best epoch on dev, the state to resume from, TensorBoard, progress.

        Args:
            done: Epochs that were done before, which `resume` returned.

        Returns:
            The callbacks; the one that puts the best weights back comes first.
        """
        step = done * self.steps_per_epoch
        board = RunTensorBoard(self, step)
        # The points of an epoch are on disk before its state, which a run that was killed goes on from.
        return [self.best, board, self.state, Progress(self.steps, step)]

    def _prepared(self):
        if self.model is None:
            raise Error("This run has no model yet; call run.prepare(model, tokenizer, splits) first.")
        return self

    def evaluate_and_save(self, recipe: str, folds: dict[str, Any] | None = None, **training: Any) -> Card:
        """Score dev and test, write the bundle, and remove the folder that the run worked in.

        Args:
            recipe: The name of the recipe, for the card.
            folds: What `cross_validate` returned, for the card.
            **training: What else the recipe measured, for the card.

        Returns:
            The `Card` of the bundle.
        """
        merge_adapters(self.model)
        if self.tuning.temperature:
            training["temperature"] = self._note(*scale_logits(self.model, self.splits.task,
                                                                self.eval_splits["dev"]))
        predicted = {name: predictions(self.model, self.splits.task, held) for name, held in self.eval_splits.items()}
        task = self._decided(self.eval_splits["dev"].targets, predicted["dev"])
        task, measured, sentences = with_limits(task, self.eval_splits["dev"].targets, predicted["dev"], self.tuning,
                                                self.seed)
        training |= self._note(measured, *sentences)
        scores = {name: task.intervals(held.targets, predicted[name]) for name, held in self.eval_splits.items()}
        self._judge(task, scores["dev"])
        scores |= {"folds": folds} if folds else {}
        familiarity = self._familiarity() if self.tuning.familiarity else None
        card = Card(name=Path(self.out).name, task=task.name, recipe=recipe, knobs=self.knobs, scores=scores,
                    data=self.splits.metadata(), training=training, notes=tuple(self.notes),
                    model={**bundle.describe(self.model), "encoder": self.model.encoder.config.to_json()})
        bundle.save(self.out, self.model, self.tokenizer, card,
                    self.sampler.features.sample(self.tuning.calibration, self.seed), self.length, task, self.logs,
                    self._report(card, task, predicted["dev"]), ranges=self.ranges, familiarity=familiarity,
                    model_card=render_model_card(card))
        remove_at_once(self.folder)
        release(self.folder)
        return card

    def _familiarity(self):
        """Return what says how like the training texts a text is, and say what its number means."""
        self._note(None, "Answers say how familiar a text is: 0.05 means that one in twenty dev rows lies as far from "
                         "the training rows.")
        return familiarity_of(self.model, self.splits.task, self.tokenizer, self.length, self.splits.parts["train"],
                              self.eval_splits["dev"], self.seed)

    def _note(self, measured, *sentences):
        """Print sentences and note them on the card; return what was measured."""
        for sentence in sentences:
            say(sentence)
            self.notes.append(sentence)
        return measured

    def _decided(self, targets, predictions):
        """Return the task with what dev chooses of how answers are decided; print and note it."""
        task = self.splits.task.tuned(targets, predictions)
        if self.tuning.threshold is not None:
            task = task.thresholded(self.tuning.threshold, targets, predictions)
        self._note(None, *filter(None, [task.decision(targets)]))
        return task

    def _judge(self, task, scores):
        """Print and note a warning if the model is no better than the commonest answer."""
        train, dev = ((part.inputs, part.targets) for part in map(self.splits.parts.get, ("train", "dev")))
        metric = self.best.metric
        if verdict := baseline_warning(task, metric, train, dev, scores[metric], self.auto):
            say(verdict)
            self.notes.append(verdict)

    def _report(self, card, task, predictions):
        """Return the report page; None, with a message, where it cannot be made: the bundle is complete without it."""
        train, dev = self.splits.parts["train"], self.splits.parts["dev"]
        sides = {"inputs": dev.inputs, "targets": dev.targets, "predictions": predictions, "texts": self.tuning.texts}
        try:
            found = partial_input.probe(task, (train.inputs, train.targets), (dev.inputs, dev.targets))
            usual = partial_input.commonest(task, (train.inputs, train.targets), (dev.inputs, dev.targets))
            return render_report(card, task, sides, history(self.logs), found, usual)
        except Error as error:
            say(f"There is no report.html: {error}")
            return None


def _named(data):
    """Return the name of labelled data: rows in memory themselves are no knob."""
    return data if isinstance(data, str | os.PathLike) else optional_path(data)


def _check_working(folder):
    """Raise `Error` if OUT.tmp is not a run's, because it is removed when the bundle is written."""
    if folder.exists() and not folder.is_dir():
        raise Error(f"{folder} is a file, and the run would work in a folder of that name; choose another --out.")
    ours = ("state-", ".state-", "fold-", "logs/events.out.tfevents.", "logs/projector", "logs/plugins/profile")
    strange = sorted(name for name in (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
                     if not name.startswith(ours) and name not in ("logs", "logs/plugins"))
    if strange:
        raise Error(f"{folder} holds {strange[0]}, which no run of bertkit left there; choose another --out.")


def _tidy(folder):
    """Remove the folder of a run that ended before it saved a state: nothing goes on from there."""
    if folder.is_dir() and not any(path.name.startswith(("state-", "fold-")) for path in folder.iterdir()):
        rmtree(folder, ignore_errors=True)


def check_rate_and_seed(learning_rate: float, seed: int) -> None:
    """Check that a learning rate trains something, and that a seed has at most 32 bits.

    Args:
        learning_rate: The highest learning rate.
        seed: The seed.

    Raises:
        Error: When the rate is not a finite number above 0, or the seed is out of range.

    >>> check_rate_and_seed(0.0, seed=0)
    Traceback (most recent call last):
    bertkit.errors.Error: learning_rate=0.0 trains nothing; give a finite number above 0, such as 5e-5.
    """
    if not 0 < learning_rate < math.inf:
        raise Error(f"learning_rate={learning_rate} trains nothing; give a finite number above 0, such as 5e-5.")
    if not 0 <= seed < 2**32:
        raise Error(f"seed={seed} lies outside 0 to {2**32 - 1}.")

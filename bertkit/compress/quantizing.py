"""A bundle trained for integers: its weights and the ranges of its int8 file are learnt together."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.ranges import PRECISIONS, Ranges
from bertkit.compress.quantization_training import RANGE_RATE, IntegerTraining
from bertkit.compress.reduced import TASKS
from bertkit.compress.simulation import ROWS, check_integers, measured_ranges
from bertkit.config import EncoderConfig
from bertkit.data.columns import Columns
from bertkit.data.splits import Splits
from bertkit.errors import Error
from bertkit.files.atomic import sha256
from bertkit.terminal import say
from bertkit.training.auto import AUTO, Count, Rate, recommend
from bertkit.training.best_weights import BestWeights
from bertkit.training.config import TrainConfig
from bertkit.training.precision import precision as computing
from bertkit.training.run import Run
from bertkit.training.scoring import task_outputs

RATE_SHARE = 0.5            # of the rate of fine-tuning: MiniLM came nearer to its float self at 1e-4, not at 3e-4


def quantize(folder: str | Path, train: str | Path, out: str | Path, dev: str | Path | None = None,
             precision: Literal["int8-full", "int4-small"] = "int8-full",
             test: str | Path | None = None, epochs: Count = AUTO, batch_size: Count = AUTO,
             learning_rate: Rate = AUTO, length: int | None = None, seed: int = 0, limit: int | None = None,
             columns: Columns = Columns(), tuning: TrainConfig = TrainConfig()) -> Card:
    """Train a bundle to answer in integers as it does in float, and leave it as a bundle with its card.

    Training computes as the file of this precision will: what the file keeps as integers is rounded to ranges that
    are learnt together with the weights (see `fake_quantize`). The target is what the bundle itself answers and its
    states (see `IntegerTraining`), not the labels. The bundle that is left answers in float and keeps the ranges,
    which `export` with this precision takes without calibration.

    Args:
        folder: The bundle.
        train: Labelled rows, as it was trained on; only their texts are learnt from.
        out: The folder to write.
        dev: Labelled rows, on which the epoch is chosen whose answers in simulated integers are nearest to those of the
            float model; None holds out some of train.
        precision: The precision of the file that it is trained for.
        test: Labelled rows that only report.
        epochs: Passes over the training rows.
        batch_size: Rows in a step.
        learning_rate: The highest rate of the weights, after the warm-up; "auto" takes half of that of `recommend`.
        length: Tokens that a row is cut to; None takes the bundle's.
        seed: Of the order of rows.
        limit: Take the first rows of train only.
        columns: Names of columns.
        tuning: The `TrainConfig`.

    Returns:
        The `Card`; `card.training["quantize"]` compares the bundle with the one that it was, in float and in simulated
        integers.

    Raises:
        Error: When the model cannot compute in integers, its task is another, or the files do not fit it.
    """
    if precision not in PRECISIONS:
        raise Error(f"precision={precision!r:.40} needs no training or is unknown; give {' or '.join(PRECISIONS)}.")
    values = bundle.read_metadata(folder)
    task = bundle.task(values)
    if task.name not in TASKS:
        raise Error(f"A bundle of the task {task.name} is not trained for integers; those of {', '.join(TASKS)} are.")
    tokenizer = bundle.tokenizer(folder, values)
    if learning_rate == AUTO:
        learning_rate = RATE_SHARE * recommend(1, EncoderConfig.from_json(values["config"]).hidden_dim).learning_rate
    run = Run(out, epochs, batch_size, learning_rate, length or values["length"], seed, tuning, folder=str(folder),
              bundle=sha256(Path(folder) / "bundle.json"), train=train, dev=dev, test=test, limit=limit,
              columns=columns, precision=precision)
    splits = Splits(task, train, dev, test, columns, limit, **tuning.reading_options)
    with computing(tuning.precision):
        model, teacher = checkpoints.load(folder), checkpoints.load(folder)
    check_integers(model.encoder.config, precision)
    ranges = {}
    if precision != "int4-small":
        rows = splits.features(tokenizer, run.length).sample(ROWS, seed)
        assert rows is not None                 # splits without rows are refused
        ranges = measured_ranges(model, rows)
    training = IntegerTraining(model, teacher, ranges)
    run.prepare(training, tokenizer, splits)
    exact = task_outputs(teacher, task, run.eval_splits["dev"])
    before = _compared(task, training, run.eval_splits["dev"], exact)
    _train(run, training, Nearest(run, exact, before))
    after = _compared(task, training, run.eval_splits["dev"], exact)
    said = {"of": Path(folder).name, "precision": precision, "ranges": len(training.places), "untrained": before,
            "simulated": after, "float": _compared(task, model, run.eval_splits["dev"], exact)}
    for sentence in _sentences(folder, said):
        say(sentence)
        run.notes.append(sentence)
    run.model, run.ranges = model, Ranges(precision, training.learnt())
    return run.evaluate_and_save("quantize", quantize=said)


class Nearest(BestWeights):
    """The epoch whose answers on dev, in simulated integers, are nearest to those of the float model.

    The weights and ranges before training are the first of those that are compared: training does not make it worse.

    Args:
        run: The `Run`, prepared.
        exact: What the task makes of the float model's outputs for each row of dev.
        before: What `_compared` returned before training.
    """

    def __init__(self, run: Run, exact: list[Any], before: dict[str, Any]) -> None:
        held = run.eval_splits["dev"]
        super().__init__(run.splits.task, held, run.tuning.patience, run.tuning.metric)
        self.exact = self.task.aligned(exact, held.packed)
        self.rank = (before["agreement"], -before["drift"])
        self.weights = [np.asarray(variable) for variable in run.model.trainable_variables]

    def ranked(self, outputs: list[Any], scores: dict[str, float], loss: float | None) -> tuple[float, ...]:
        """Return what epochs are compared by; the largest is the best.

        Args:
            outputs: What the task makes of the model's outputs for each row of dev.
            scores: Not used.
            loss: Not used.

        Returns:
            The agreement with the float model, then the drift with the other sign.
        """
        found = self.task.aligned(outputs, self.eval_split.packed)
        return self.task.agreement(self.exact, found), -self.task.drift(self.exact, found)


def _train(run, training, best):
    """Train weights and ranges together."""
    optimizer = run.optimizer()
    if training.ends is not None:
        optimizer.lr_scales[training.ends.path] = RANGE_RATE
    training.compile(optimizer)
    done = run.resume(best)
    training.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
                 callbacks=run.callbacks(done), shuffle=False, verbose=0)


def _compared(task, model, held, exact):
    """Return the score of a model on a split, and how often it decides as the float bundle did."""
    name, metric = next(iter(task.metrics.items()))
    found = task_outputs(model, task, held)
    score = float(metric(*task.metric_inputs(held.targets, task.predictions(found, held.packed))))
    one, other = (task.aligned(outputs, held.packed) for outputs in (exact, found))
    return {"metric": name, "score": score, "agreement": task.agreement(one, other), "drift": task.drift(one, other)}


def _sentences(folder, said):
    """Return in sentences how near the trained bundle is to the one that it was."""
    before, after, exact = said["untrained"], said["simulated"], said["float"]
    return [f"In simulated {said['precision']} the bundle decides as {folder} on {100 * after['agreement']:.2f} % of "
            f"dev ({100 * before['agreement']:.2f} % before training); {after['metric']} is {after['score']:.4f}.",
            f"In float it decides so on {100 * exact['agreement']:.2f} %; {exact['metric']} is {exact['score']:.4f}."]

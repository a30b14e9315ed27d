"""A cross-validated score: each row is answered by a model that has not seen it."""

import json
from collections.abc import Callable
from shutil import rmtree
from typing import Any

import keras
import numpy as np

from bertkit.data.frames import checksum
from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import read_json, write_json
from bertkit.terminal import say
from bertkit.training.adapt import merge_adapters
from bertkit.training.run import Run
from bertkit.training.scoring import predictions


def cross_validate(run: Run, make: Callable[[], Any], tokenizer: Any, splits: Any, count: int | None) -> dict:
    """Return the cross-validated score of the training rows: each is answered by a model that has not seen it.

    For each fold a model is trained on the others and answers it; without dev, some of what it is trained on chooses
    its epoch (see `Splits.folds`). The score is that of all answers together, with its 95 % bootstrap interval. Folds
    that are done are kept in the run's folder, so that a run that was killed goes on with the next.

    Args:
        run: The run that comes after, not prepared yet; its knobs are those of each fold.
        make: Function without arguments that returns a new model.
        tokenizer: The `Tokenizer` of the encoder.
        splits: The `Splits` of the run.
        count: Number of folds; None or 0 trains nothing.

    Returns:
        {metric: {"score", "low", "high"}, "rows": N, "folds": [{"rows", metric: score} of each fold]}; {} without
        folds.
    """
    if not count:
        return {}
    predicted, task = [None] * len(splits.whole), splits.task
    targets, metadata = splits.whole.targets, []
    for number, (rows, part) in enumerate(splits.folds(count), start=1):
        say(f"fold {number} of {count}: {len(rows)} rows are answered by a model that has not seen them")
        answers = _answers(Run(**{**run.knobs, "out": run.folder / f"fold-{number}"}), make, tokenizer, part)
        sides = task.metric_inputs(part.parts["test"].targets, answers)
        metadata.append({"rows": len(rows)} | {name: float(metric(*sides)) for name, metric in task.metrics.items()})
        for row, answer in zip(rows, answers, strict=True):
            predicted[row] = answer
    keras.utils.set_random_seed(run.seed)               # what comes after is drawn as without folds
    return {**task.intervals(targets, predicted), "rows": len(predicted), "folds": metadata}


def _answers(fold, make, tokenizer, splits):
    """Return a fold's predictions, from the file that says them if it is done."""
    done = fold.folder.with_suffix(".json")
    sums = [checksum(path) for path in splits.paths.values()]
    knobs = json.loads(json.dumps({**fold.knobs, "files": sums}, sort_keys=True, default=str))
    if done.exists() and (before := _written(done)) and before["knobs"] == knobs:
        return list(np.asarray(before["predictions"]))
    model = make()
    fold.prepare(model, tokenizer, splits)
    model.compile(fold.optimizer(), fold.loss())
    epochs = fold.resume()
    model.fit(fold.dataset(epochs), epochs=fold.epochs, initial_epoch=epochs, steps_per_epoch=fold.steps_per_epoch,
              callbacks=fold.callbacks(epochs), shuffle=False, verbose=0)
    merge_adapters(model)
    predicted = np.asarray(predictions(model, splits.task, fold.eval_splits["test"]))
    write_json(done, {"knobs": knobs, "predictions": predicted.tolist()}, signed=True)
    rmtree(fold.folder, ignore_errors=True)
    return list(predicted)


def _written(done):
    """Return what a fold's file says, or None if it is damaged: then the fold is trained again."""
    try:
        return read_json(done, {"knobs": dict, "predictions": list, schema.SUM: str}, signed=True)
    except Error as error:
        say(f"{error} The fold is trained again.")
        return None

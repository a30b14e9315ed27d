"""What TensorBoard shows besides curves: pictures, samples with predictions, knobs, PR curves, the projector."""

import dataclasses
import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from keras import ops
from tensorboard.plugins import projector
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import summary as experiment
from tensorboard.plugins.hparams import summary_v2 as hparams
from tensorboard.plugins.pr_curve import summary as pr_curve

from bertkit.files.atomic import write_text
from bertkit.report.markdown import as_text
from bertkit.report.pictures import calibration_picture, confusion_picture
from bertkit.tasks.classification import Classification

SAMPLES = 10            # rows that are shown with their predictions
MOST_CURVES = 20        # classes that have a PR curve
PROJECTED = 2000        # entries of the vocabulary in the projector


def write_settings(settings: Mapping[str, Any], name: str) -> None:
    """Write the knobs of a run for the tab HParams.

    Args:
        settings: {name: value}; what is no number, truth value or text is written as its text.
        name: The name of the run, different for each run that is compared.
    """
    _write(hparams.hparams_pb(_plain(settings), trial_id=name, start_time_secs=time.time()))


def write_metrics(settings: Mapping[str, Any], scores: Iterable[str], first: Collection[str]) -> None:
    """Write which knobs and which scores the tab HParams compares over runs.

    Args:
        settings: The same as for `write_settings`.
        scores: The tags of the scores.
        first: The knobs that stand first in the table.
    """
    kinds = {bool: api_pb2.DATA_TYPE_BOOL, float: api_pb2.DATA_TYPE_FLOAT64, str: api_pb2.DATA_TYPE_STRING}
    # The tab sorts by `differs`, then by name, and shows the first five.
    knobs = [api_pb2.HParamInfo(name=name, type=kinds[type(value)], differs=name in first)
             for name, value in _plain(settings).items()]
    metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in scores]
    _write(experiment.experiment_pb(knobs, metrics, time_created_secs=time.time()))


def write_end() -> None:
    """Write for the tab HParams that the run ended well."""
    _write(experiment.session_end_pb(api_pb2.STATUS_SUCCESS))


def _plain(settings):
    """Return knobs as HParams holds them."""
    return {name: value if isinstance(value, bool | str) else float(value) if isinstance(value, int | float)
            else "none" if value is None else str(value) for name, value in settings.items()}


def _write(summary):
    tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step=0)


def write_predictions(task: Any, targets: Any, predictions: Sequence[Any], step: int) -> None:
    """Write the pictures and PR curves of predictions, as far as the task has any.

    The calibration and the curves are of tasks that give a text one class, or several; a curve is of each class.

    Args:
        task: The task.
        targets: The targets of the dev inputs.
        predictions: Their predictions.
        step: The number of the step.
    """
    counts = task.confusion(targets, predictions)
    if counts is not None:
        tf.summary.image("confusion", confusion_picture(counts, task.labels)[None], step)
    if not isinstance(task, Classification):
        return
    targets, chances = np.asarray(targets), np.asarray(predictions, "float64")
    right = targets if task.multi_label else np.eye(len(task.labels), dtype=int)[targets]
    for place, label in enumerate(task.labels[:MOST_CURVES]):
        curve = pr_curve.pb(f"pr_curve/{label}", right[:, place] > 0, chances[:, place], display_name=label)
        tf.summary.experimental.write_raw_pb(curve.SerializeToString(), step)
    yes = chances.reshape(-1, 1)
    sides = (right.ravel(), np.hstack([1 - yes, yes])) if task.multi_label else (targets, chances)
    tf.summary.image("calibration", calibration_picture(*sides)[None], step)


def write_examples(task: Any, inputs: Sequence[Any], targets: Any, predictions: Sequence[Any], step: int) -> None:
    """Write some inputs with what is right and what the model answers, as a table.

    Args:
        task: The task.
        inputs: The dev inputs.
        targets: Their targets.
        predictions: Their predictions.
        step: The number of the step.
    """
    rows = np.unique(np.linspace(0, len(inputs) - 1, SAMPLES).astype(int)) if len(inputs) else []
    chosen = [inputs[row] for row in rows]
    answers = task.answers(chosen, [predictions[row] for row in rows])
    cells = [["text", "right", "predicted"]]
    for given, row, answer in zip(chosen, rows, answers, strict=True):
        cells.append([as_text(_shown(given)), as_text(task.target_in_words(given, targets[row])),
                      as_text(_answered(answer))])
    tf.summary.text("examples", np.array(cells, object), step)


def _shown(given):
    return given if isinstance(given, str) else " / ".join(map(str, given))


def _answered(answer):
    """Return an answer of `predict` in words."""
    if "label" in answer:
        return f"{answer['label']} ({answer['probabilities'][answer['label']]:.3f})"
    if "labels" in answer:
        return ", ".join(answer["labels"]) or "none"
    return json.dumps(next(iter(answer.values())), ensure_ascii=False) if len(answer) == 1 else json.dumps(
        answer, ensure_ascii=False)


def write_projector(logs: Path, encoder: Any, tokenizer: Any) -> None:
    """Write vectors of the token table with their words for TensorBoard's projector, beside the events.

    Words come first; pieces of words, single characters and entries in brackets only fill up to `PROJECTED`.

    Args:
        logs: The folder of the events.
        encoder: The `Encoder`.
        tokenizer: The `Tokenizer`, whose entries are the names.
    """
    folder, pieces = logs / "projector", list(tokenizer.vocabulary)
    chosen = sorted(sorted(range(len(pieces)), key=lambda place: _dull(pieces[place]))[:PROJECTED])
    table = ops.take(encoder.embeddings.token.embeddings, np.array(chosen, "int32"), axis=0)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "vectors.tsv", "".join("\t".join(f"{x:.5g}" for x in row) + "\n"
                                               for row in np.asarray(ops.cast(table, "float32"))))
    write_text(folder / "words.tsv", "".join(f"{_one_cell(pieces[place])}\n" for place in chosen))
    config = projector.ProjectorConfig(embeddings=[projector.EmbeddingInfo(
        tensor_name="token_table", tensor_path="projector/vectors.tsv", metadata_path="projector/words.tsv")])
    write_text(logs / "projector_config.pbtxt", text_format.MessageToString(config))


def _dull(piece):
    """Whether an entry of a vocabulary says little to a reader."""
    word = piece.lstrip("\u0120\u2581")
    return piece.startswith(("##", "[", "<")) or sum(map(str.isalpha, word)) < 2


def _one_cell(piece):
    """Return an entry as a cell of a table: blanks and line ends are written as Python writes them."""
    return piece if piece.strip() and piece.isprintable() else repr(piece)


def flat_settings(knobs: dict[str, Any]) -> dict[str, Any]:
    """Return knobs with those inside of others beside them.

    Args:
        knobs: {name: value}; the fields of a dataclass become knobs of their own.

    Returns:
        {name: value}, without the folder of the run.

    >>> from bertkit.data.columns import Columns
    >>> flat_settings({"out": "a", "seed": 1, "columns": Columns(text="t")})["text"]
    't'
    """
    found: dict[str, Any] = {}
    for name, value in knobs.items():
        found |= vars(value) if dataclasses.is_dataclass(value) else {name: value}
    return {name: value for name, value in found.items() if name not in ("out", "knobs")}


def distinctive(knobs: dict[str, Any]) -> list[str]:
    """Return the names of the knobs by which runs are told apart: numbers, and what is not as by default.

    Args:
        knobs: {name: value}; of a dataclass its fields with another value than their default.

    Returns:
        The names.

    >>> from bertkit.training.config import TrainConfig
    >>> distinctive({"seed": 1, "limit": None, "tuning": TrainConfig(lora=8)})
    ['seed', 'lora']
    """
    found = []
    for name, value in knobs.items():
        if dataclasses.is_dataclass(value):
            found += [field.name for field in dataclasses.fields(value) if getattr(value, field.name) != field.default]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append(name)
    return found

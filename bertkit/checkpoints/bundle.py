"""bertkit's own form: JSON, safetensors, a vocabulary, and a manifest of SHA-256 sums; nothing that runs.

    bundle.json           what it holds: model, config, task, tokenizer settings, and each file's size and sum
    weights.safetensors   every variable under our own names
    vocab.txt             the vocabulary, one entry a line (WordPiece), or vocabulary.json with its merges or scores
    calibration.safetensors   at most 500 training rows as ids (optional): export needs them
    card.json             how it was made and how good it is
"""

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save as safetensors_bytes

from bertkit.checkpoints.tensors import WeightMapping, assign, encoder_for, read_safetensors, variables
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files.atomic import read_json, sha256, write_bytes, write_json
from bertkit.files.folders import new_folder
from bertkit.heads import MODELS
from bertkit.tasks import registry as tasks
from bertkit.tasks.documents import TOGETHER
from bertkit.text import Tokenizer

FORMAT = 1
FILES = ("bundle.json", "weights.safetensors", "vocab.txt", "vocabulary.json", "calibration.safetensors", "card.json",
         "report.html")
PARTS = {"model": dict, "config": dict, "tokenizer": dict | None, "length": int, "task": dict | None, "files": dict}


def save(folder, model, tokenizer, card, calibration=None, length=None, task=None, logs=None, report=None,
         storage="float32"):
    """Write a bundle, whole or not at all; a bundle that was there is replaced.

    `calibration` is a batch of int32 arrays (see `Features.batch`), `length` the tokens a row was cut to, `task` what
    the model was trained for (see `ondevice.task`); the folder `logs` (TensorBoard's) is copied in, and the text
    `report` becomes report.html. `storage` "float16" halves the weights' size; they are float32 again when loaded.
    """
    with new_folder(folder, "bundle") as place:
        tensors = {name: np.asarray(variable).astype(storage) for name, variable in variables(model).items()}
        write_bytes(place / "weights.safetensors", safetensors_bytes(tensors))
        settings = tokenizer.save(place) if tokenizer is not None else None
        if calibration is not None:
            write_bytes(place / "calibration.safetensors", safetensors_bytes(calibration))
        write_json(place / "card.json", card.to_json())
        if logs is not None and Path(logs).is_dir():
            shutil.copytree(logs, place / "logs")
        if report is not None:
            write_bytes(place / "report.html", report.encode())
        files = {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
                 for path in sorted(place.iterdir()) if path.is_file()}
        encoder = model if isinstance(model, Encoder) else model.encoder
        write_json(place / "bundle.json", {
            "format": FORMAT, "model": describe(model), "config": encoder.config.to_json(),
            "tokenizer": settings, "length": length or encoder.config.longest or 512,
            "task": task and tasks.metadata(task), "files": files})


def describe(model):
    """Return what besides the config is needed to build a model again, as JSON."""
    if isinstance(model, Encoder):
        return {"kind": "Encoder"}
    return {"kind": type(model).__name__, **model.settings()}


def load(folder, part=None, activation=None):
    """Return the model in a bundle; raises `Error` if a file is missing, changed or does not fit."""
    values = read(folder)
    config = EncoderConfig.from_json(values["config"])
    path = Path(folder) / "weights.safetensors"
    tensors = read_safetensors([path], path)
    encoder = encoder_for(config.but(activation=activation) if activation else config, tensors)
    model = encoder if part == "encoder" else _build(encoder, values["model"])
    unused = tuple(name for name in tensors.shapes if not name.startswith("encoder/")) if part == "encoder" else ()
    assign(model, tensors, {name: WeightMapping(name) for name in variables(model)}, unused=unused)
    return model


def _build(encoder, model):
    options = {name: value for name, value in model.items() if name != "kind"}
    if model.get("kind") == "Encoder":
        return encoder
    if model.get("kind") not in MODELS:
        raise Error(f"The bundle holds a {model.get('kind')!r}, which this version of bertkit does not know.")
    try:
        return MODELS[model["kind"]](encoder, **options)
    except (TypeError, ValueError) as error:
        raise Error(f"The bundle does not describe a {model['kind']} ({error}); copy it again.") from None


def read(folder):
    """Return bundle.json after checking every file of its manifest; raises `Error`."""
    folder = Path(folder)
    if not (folder / "bundle.json").exists():
        raise Error(f"{folder} is no bundle: it holds no bundle.json. A run that was interrupted leaves "
                    "none; the same command again resumes it.")
    values = read_json(folder / "bundle.json")
    if values.get("format") != FORMAT:
        raise Error(f"{folder} is a bundle of format {values.get('format')!r}; this version of bertkit reads "
                    f"{FORMAT}.")
    if wrong := [name for name, kind in PARTS.items() if not isinstance(values.get(name), kind)]:
        raise Error(f"{folder / 'bundle.json'} says nothing usable about {', '.join(wrong)}; copy the bundle "
                    "again.")
    for name in sorted({"weights.safetensors", *values["files"]}):
        _check_file(folder, name, values["files"].get(name))
    return values


def _check_file(folder, name, metadata):
    path = folder / name
    if Path(name).name != name or not path.is_file():
        raise Error(f"{path} is missing, and the bundle's manifest names it; copy the bundle again.")
    if metadata != {"bytes": path.stat().st_size, "sha256": sha256(path)}:
        raise Error(f"{path} is not the file that was written (its SHA-256 differs); copy the bundle again.")


def task(values):
    """Return the task of a bundle, that of its model if it was converted; raises `Error` where there is none."""
    if values["task"] is not None:
        return tasks.task(values["task"])
    kind = values["model"].get("kind")
    if kind == "Encoder":
        raise Error("This is an encoder without a task; fine-tune it first (`bertkit classify`), or take its vectors "
                    "(`bertkit features`).")
    if kind not in UNTOLD:
        raise Error(f"This is a {kind}, which `bertkit` neither predicts with nor exports; bertkit.load "
                    "gives the model itself.")
    return untold(values["model"], EncoderConfig.from_json(values["config"]))


def untold(model, config):
    """Return the task of a model that no recipe made, given what `describe` says of it; None where it has none."""
    return tasks.task(UNTOLD[model["kind"]](model, config)) if model["kind"] in UNTOLD else None


def _of_classifier(model, _):
    if len(model["labels"]) == 1 and not model["multi_label"]:
        return {"name": "score", "pairs": None}
    return {"name": "classify", "labels": model["labels"], "multi_label": model["multi_label"], "pairs": None}


# The task of a model that no recipe made: a function of what `describe` says of it and of its encoder's config.
UNTOLD = {"Classifier": _of_classifier,
          "TokenClassifier": lambda model, _: {"name": "tag", "labels": model["labels"]},
          "QuestionAnswering": lambda model, _: {"name": "answer"},
          "MultipleChoice": lambda model, _: {"name": "choose"},
          "SentenceEmbedder": lambda model, config: {"name": "embed", "width": config.output_dim},
          "DocumentClassifier": lambda model, _: {"name": "long_documents", "labels": model["labels"],
                                                  "multi_label": model["multi_label"], "pooling": TOGETHER},
          "EncoderDecoder": lambda model, _: {"name": "write", "longest": model["longest"]}}


def tokenizer(folder, values):
    """Return the tokenizer of a bundle whose `read` gave `values`; raises `Error` where it keeps none."""
    if values["tokenizer"] is None:
        raise Error(f"{folder} keeps no tokenizer: the checkpoint it was made from had none.")
    return Tokenizer.restore(folder, values["tokenizer"])


def calibration(folder):
    """Return the calibration rows of a bundle as a batch of int32 arrays, or None if it keeps none."""
    path = Path(folder) / "calibration.safetensors"
    if not path.exists():
        return None
    tensors = read_safetensors([path], path)
    return {name: tensors.read(name) for name in tensors.shapes}

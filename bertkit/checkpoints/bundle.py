"""bertkit's own form: JSON, safetensors, a vocabulary, and a manifest of SHA-256 sums; nothing that runs.

    bundle.json           what it holds: model, config, task, tokenizer settings, and each file's size and sum
    weights.safetensors   every variable under our own names
    vocab.txt             the vocabulary, one entry a line (WordPiece), or vocabulary.json with its merges or scores
    calibration.safetensors   at most 500 training rows as ids (optional): export needs them
    card.json             how it was made and how good it is
"""

import shutil
from pathlib import Path
from typing import Any

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
from bertkit.text import Tokenizer

FORMAT = 1
FILES = ("bundle.json", "weights.safetensors", "vocab.txt", "vocabulary.json", "calibration.safetensors", "card.json",
         "report.html")
PARTS = {"model": dict, "config": dict, "tokenizer": dict | None, "length": int, "task": dict | None, "files": dict}


def save(folder: str | Path, model: Any, tokenizer: Tokenizer | None, card: Any,
         calibration: dict[str, np.ndarray] | None = None, length: int | None = None, task: Any = None,
         logs: str | Path | None = None, report: str | None = None, storage: str = "float32") -> None:
    """Write a bundle, whole or not at all; a bundle that was there is replaced.

    Args:
        folder: The folder to write.
        model: An `Encoder`, or a head of bertkit's on one.
        tokenizer: The tokenizer of the encoder, or None.
        card: The `Card` of the model.
        calibration: Training rows as a batch {name: int32 [rows,T]} (see `Features.batch`), for int8 export.
        length: Tokens that rows were cut to, by default as many as the encoder has positions.
        task: What the model was trained for (see `tasks.task`), or None.
        logs: A folder of TensorBoard's files, which is copied.
        report: The text of report.html.
        storage: "float32", or "float16", which halves the size of the weights; they are float32 again when loaded.

    Raises:
        Error: When the folder cannot be written or holds other things.
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
            "tokenizer": settings, "length": length or encoder.config.max_length or 512,
            "task": task and tasks.metadata(task), "files": files})


def describe(model: Any) -> dict[str, Any]:
    """Return what is needed, beside the encoder's config, to build a model again.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.

    Returns:
        JSON values: "kind", the name of the class, and the constructor's arguments.
    """
    if isinstance(model, Encoder):
        return {"kind": "Encoder"}
    return {"kind": type(model).__name__, **model.settings()}


def load(folder: str | Path, part: str | None = None, activation: str | None = None) -> Any:
    """Return the model in a bundle.

    Args:
        folder: The folder of the bundle.
        part: "encoder" for the `Encoder` alone, or None.
        activation: The activation in place of the bundle's, or None.

    Returns:
        The model.

    Raises:
        Error: When a file is missing, changed, or does not fit the others.
    """
    values = read_metadata(folder)
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
    known = MODELS | tasks.model_classes()
    if model.get("kind") not in known:
        raise Error(f"The bundle holds a {model.get('kind')!r}, which this version of bertkit does not know.")
    try:
        return known[model["kind"]](encoder, **options)
    except (TypeError, ValueError) as error:
        raise Error(f"The bundle does not describe a {model['kind']} ({error}); copy it again.") from None


def read_metadata(folder: str | Path) -> dict[str, Any]:
    """Return the content of bundle.json, after every file of its manifest was checked.

    Args:
        folder: The folder of the bundle.

    Returns:
        The JSON object.

    Raises:
        Error: When the folder is no bundle of this format, or a file is missing or changed.
    """
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


def task(values: dict[str, Any]) -> Any:
    """Return the task of a bundle; for a converted model, the task that its kind of model has.

    Args:
        values: What `read_metadata` returned.

    Returns:
        The task.

    Raises:
        Error: When the model has no task.
    """
    if values["task"] is not None:
        return tasks.task(values["task"])
    kind = values["model"].get("kind")
    if kind == "Encoder":
        raise Error("This is an encoder without a task; fine-tune it first (`bertkit classify`), or take its vectors "
                    "(`bertkit features`).")
    guessed = task_of(values["model"], EncoderConfig.from_json(values["config"]))
    if guessed is None:
        raise Error(f"This is a {kind}, which `bertkit` neither predicts with nor exports; bertkit.load "
                    "gives the model itself.")
    return guessed


def task_of(model: dict[str, Any], config: EncoderConfig) -> Any:
    """Return the task of a model that no recipe made.

    Args:
        model: What `describe` returned for it.
        config: The config of its encoder.

    Returns:
        The task; None where this kind of model has none.
    """
    return tasks.task_of_model(model["kind"], model, config)


def tokenizer(folder: str | Path, values: dict[str, Any]) -> Tokenizer:
    """Return the tokenizer of a bundle.

    Args:
        folder: The folder of the bundle.
        values: What `read_metadata` returned for it.

    Returns:
        The tokenizer.

    Raises:
        Error: When the bundle keeps none.
    """
    if values["tokenizer"] is None:
        raise Error(f"{folder} keeps no tokenizer: the checkpoint it was made from had none.")
    return Tokenizer.restore(folder, values["tokenizer"])


def calibration(folder: str | Path) -> dict[str, np.ndarray] | None:
    """Return the calibration rows of a bundle.

    Args:
        folder: The folder of the bundle.

    Returns:
        A batch {name: int32 [rows,T]}; None if the bundle keeps none.
    """
    path = Path(folder) / "calibration.safetensors"
    if not path.exists():
        return None
    tensors = read_safetensors([path], path)
    return {name: tensors.read(name) for name in tensors.shapes}

"""bertkit's own form: JSON, safetensors, a vocabulary, and a manifest of SHA-256 sums; nothing that runs.

    bundle.json           what it holds: model, config, task, tokenizer settings, and each file's size and sum
    weights.safetensors   every variable under our own names
    vocab.txt             the vocabulary, one entry a line (WordPiece), or vocabulary.json with its merges or scores
    calibration.safetensors   at most 500 training rows as ids (optional): export needs them
    ranges.json           what `bertkit quantize` learnt of an int8 file (optional, see `ranges`)
    familiarity.safetensors   what says how like the training texts a text is (optional, see `familiarity`)
    card.json             how it was made and how good it is
    README.md             the same for people, as a model card (optional, may be edited)
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as safetensors_bytes

from bertkit.checkpoints import familiarity as familiar
from bertkit.checkpoints import metadata
from bertkit.checkpoints import ranges as learnt
from bertkit.checkpoints.metadata import task as task
from bertkit.checkpoints.tensors import WeightMapping, assign, encoder_for, read_safetensors, variables
from bertkit.config import EncoderConfig
from bertkit.data.features import NAMES
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files import manifest, schema
from bertkit.files.atomic import sha256, write_bytes, write_json, write_text
from bertkit.files.folders import new_folder
from bertkit.heads import MODELS
from bertkit.tasks import registry as tasks
from bertkit.text import Tokenizer
from bertkit.text.formats.vocabulary import vocabulary_file

FILES = ("bundle.json", "weights.safetensors", "vocab.txt", "vocabulary.json", "calibration.safetensors", "card.json",
         "report.html", "README.md", learnt.FILE, familiar.FILE)
WEIGHTS, CALIBRATION = "weights.safetensors", "calibration.safetensors"


def save(folder: str | Path, model: Any, tokenizer: Tokenizer | None, card: Any,
         calibration: dict[str, np.ndarray] | None = None, length: int | None = None, task: Any = None,
         logs: str | Path | None = None, report: str | None = None, storage: str = "float32",
         ranges: learnt.Ranges | None = None, familiarity: familiar.Familiarity | None = None,
         model_card: str | None = None) -> None:
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
        ranges: What the model was trained for, the `Ranges` of its int8 file, or None.
        familiarity: What says how like the training texts a text is, a `Familiarity`, or None.
        model_card: The text of README.md, or None.

    Raises:
        Error: When the folder cannot be written or holds other things.
    """
    with new_folder(folder, "bundle") as place:
        tensors = {name: np.asarray(variable).astype(storage) for name, variable in variables(model).items()}
        write_bytes(place / "weights.safetensors", safetensors_bytes(tensors))
        settings = tokenizer.save(place) if tokenizer is not None else None
        if calibration is not None:
            write_bytes(place / "calibration.safetensors", safetensors_bytes(calibration))
        if ranges is not None:
            learnt.write_ranges(place, ranges)
        if familiarity is not None:
            familiar.write_familiarity(place, familiarity)
        write_json(place / "card.json", card.to_json())
        if logs is not None and Path(logs).is_dir():
            shutil.copytree(logs, place / "logs")
        if report is not None:
            write_bytes(place / "report.html", report.encode())
        files = {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
                 for path in sorted(place.iterdir()) if path.is_file()}
        if model_card is not None:              # not among these: people write in it
            write_text(place / "README.md", model_card)
        encoder = model if isinstance(model, Encoder) else model.encoder
        write_json(place / "bundle.json", {
            "format": metadata.FORMAT, "model": describe(model), "config": encoder.config.to_json(),
            "tokenizer": settings, "length": length or encoder.config.max_length or 512,
            "task": task and tasks.metadata(task), "files": files}, signed=True)


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
    if (kind := _kind(model)) is None:
        return encoder
    options = {name: value for name, value in model.items() if name != "kind"}
    try:
        return kind(encoder, **options)
    except (TypeError, ValueError, AttributeError) as error:        # of a model from outside bertkit
        raise Error(f"The bundle does not describe a {kind.__name__} ({error}); copy it again.") from None


def _kind(model):
    """Return the class of a bundle's model, whose settings fit it; None for an encoder."""
    known = MODELS | tasks.model_classes()
    if model["kind"] == "Encoder":
        return None
    if model["kind"] not in known:
        raise Error(f"The bundle holds a {model['kind']!r:.60}, which this version of bertkit does not know.")
    kind = known[model["kind"]]
    schema.check({name: value for name, value in model.items() if name != "kind"},
                 schema.arguments(kind, ("encoder",)), f"bundle.json, model {kind.__name__}", "copy the bundle again")
    return kind


def read_metadata(folder: str | Path) -> dict[str, Any]:
    """Return the content of bundle.json, after every file of its manifest was checked.

    Args:
        folder: The folder of the bundle.

    Returns:
        The JSON object.

    Raises:
        Error: When the folder is no bundle of this format, or a file is missing or changed.
    """
    folder, values = Path(folder), metadata.read(folder)
    _kind(values["model"])
    manifest.check(folder, values["files"], _used(folder, values))
    return values


def _used(folder, values):
    """Return the names of the files that a bundle is read from."""
    vocabulary = [] if values["tokenizer"] is None else [vocabulary_file(values["tokenizer"]["kind"])]
    optional = (CALIBRATION, learnt.FILE, familiar.FILE)
    return [WEIGHTS, *vocabulary, *(name for name in optional if (folder / name).exists())]


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

    Raises:
        Error: When the file does not hold such rows.
    """
    path = Path(folder) / CALIBRATION
    if not path.exists():
        return None
    tensors = read_safetensors([path], path)
    shapes = {tensors.shapes.get(name) for name in NAMES}
    if len(shapes) != 1 or len(shapes.pop() or ()) != 2:
        held = ", ".join(f"{name} {list(shape)}" for name, shape in tensors.shapes.items())
        raise Error(f"{path} holds {held or 'nothing':.100}; wanted {', '.join(NAMES)}, each [rows, tokens]: copy the "
                    "bundle again.")
    return {name: tensors.read(name) for name in tensors.shapes}

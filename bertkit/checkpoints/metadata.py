"""What a bundle's bundle.json says, without its model: neither Keras nor TensorFlow is imported."""

from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files import manifest, schema
from bertkit.files.atomic import read_json
from bertkit.tasks import registry as tasks
from bertkit.text import tokenizer as tokenizers

FORMAT = 1
ADVICE = "copy the bundle again, or read it with the version of bertkit that wrote it"
SHAPE = {"format": schema.Choice(FORMAT), "model": {"kind": str, "labels": schema.Maybe([str])}, "config": dict,
         "tokenizer": ({"kind": schema.Choice(*tokenizers.MODELS)}, None), "length": schema.Whole(1, 2**31),
         "task": ({"name": str, "labels": schema.Maybe([str])}, None), "files": manifest.FILES}


def read(folder: str | Path) -> dict[str, Any]:
    """Return the content of bundle.json, which its own checksum vouches for; the files that it names are not looked at.

    Args:
        folder: The folder of the bundle.

    Returns:
        The JSON object.

    Raises:
        Error: When the folder is no bundle of this format, or bundle.json was changed.
    """
    path = Path(folder) / "bundle.json"
    if not path.exists():
        raise Error(f"{folder} is no bundle: it holds no bundle.json. A run that was interrupted leaves "
                    "none; the same command again resumes it.")
    values = read_json(path, SHAPE, signed=True, advice=ADVICE)
    ours, theirs = values["model"].get("labels"), (values["task"] or {}).get("labels")
    if ours and theirs and ours != theirs:
        raise Error(f"{path} has the labels {ours!r:.60} for the model, and {theirs!r:.60} for its task; copy the "
                    "bundle again.")
    return values


def task(values: dict[str, Any]) -> Any:
    """Return the task of a bundle; for a converted model, the task that its kind of model has.

    Args:
        values: What `read` returned.

    Returns:
        The task.

    Raises:
        Error: When the model has no task.
    """
    if values["task"] is not None:
        return tasks.task(values["task"], "bundle.json")
    kind = values["model"].get("kind")
    if kind == "Encoder":
        raise Error("This is an encoder without a task; fine-tune it first (`bertkit classify`), or take its vectors "
                    "(`bertkit features`).")
    from bertkit.config import EncoderConfig  # seldom needed: a recipe's bundle states its task
    guessed = tasks.task_of_model(kind, values["model"], EncoderConfig.from_json(values["config"]))
    if guessed is None:
        raise Error(f"This is a {kind}, which `bertkit` neither predicts with nor exports; bertkit.load "
                    "gives the model itself.")
    return guessed

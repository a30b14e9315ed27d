"""Checkpoints in and out: one `load` for every published form, one safe form of our own."""

import re
from importlib import resources
from pathlib import Path

from bertkit.checkpoints import hub
from bertkit.config import ACTIVATIONS
from bertkit.errors import Error

# What ships with bertkit, and the one of it that recipes begin with where no other checkpoint is named.
OURS = "bertkit://"
DEFAULT = f"{OURS}english"
ADDRESSES = (OURS, "hf://", "kaggle://")
PRESET = re.compile(r"[a-z0-9]+(_[a-z0-9.]+)+")          # of a published one, such as bert_tiny_en_uncased


def load(path, part=None, activation=None):
    """Return the model a checkpoint holds, every tensor accounted for.

    `path` is a bertkit bundle, a Hugging Face or Google TF1 directory, a keras-nlp preset folder or name,
    hf://owner/name, or bertkit://english, which comes along. `part="encoder"` returns the `Encoder` alone, whatever
    head is stored, `part="generator"` the generator that lies beside the discriminator in ELECTRA's own release.
    `activation` ("gelu_erf" or "gelu_tanh") overrides what the checkpoint says. Raises `Error` if anything is missing,
    unread, misshapen or unknown; nothing is loaded in part, and nothing stored is executed.
    """
    if activation is not None and activation not in ACTIVATIONS:
        raise Error(f"activation={activation!r} is unknown; bertkit has {', '.join(ACTIVATIONS)}.")
    folder = local(path)
    module = _format(folder)
    parts = ("encoder", *(module.parts(folder) if hasattr(module, "parts") else ()))
    if part not in (None, *parts):
        raise Error(f"part={part!r} is unknown; {folder} has {', '.join(parts)}.")
    return module.load(folder, part=part, activation=activation)


def local(path):
    """Return the folder of a checkpoint, downloaded first if `path` is an address or a preset's name."""
    text = str(path)
    if text.startswith(OURS):
        return _ours(text.removeprefix(OURS))
    if text.startswith("hf://"):
        return Path(hub.fetch(text))
    folder = Path(text)
    if folder.is_dir():
        return folder
    if folder.exists():
        raise Error(f"{folder} is a file; give the checkpoint's folder.")
    check_exists(text)
    from bertkit.checkpoints import preset
    return Path(preset.fetch(text))


def check_exists(path):
    """Raise `Error` if a checkpoint is not there and `path` is no address, nor the form of a preset's name."""
    text, folder = str(path), Path(path)
    if folder.exists() or text.startswith(ADDRESSES) or PRESET.fullmatch(text):
        return
    raise Error(f"{folder} does not exist; give a checkpoint folder, hf://owner/name or a preset's name.")


def _ours(name):
    """Return the folder of an encoder that ships with bertkit."""
    shelf = Path(str(resources.files("bertkit.saved_models")))
    names = sorted(path.parent.name for path in shelf.glob("*/bundle.json"))
    if name not in names:
        raise Error(f"{OURS}{name} does not ship with bertkit; there is {', '.join(OURS + each for each in names)}.")
    return shelf / name


def _format(folder):
    """Return the module that reads this folder, decided by the files in it."""
    from bertkit.checkpoints.release import release  # brings Keras, which `local` does not need
    if (folder / "bundle.json").exists():
        from bertkit.checkpoints import bundle as module
    elif release(folder) is not None:
        from bertkit.checkpoints import google as module
    elif (folder / "model.weights.h5").exists():
        from bertkit.checkpoints import preset as module
    elif (folder / "config.json").exists():
        from bertkit.checkpoints import huggingface as module
    elif left := sorted(path.name for path in folder.glob("*_config.json") if path.name != "tokenizer_config.json"):
        raise Error(f"{folder} holds {left[0]} and no checkpoint of TensorFlow (*.index) beside it; copy that too.")
    else:
        raise Error(f"{folder} holds no checkpoint: no bundle.json (bertkit), config.json (Hugging Face, "
                    "keras-nlp) or bert_config.json (Google).")
    return module

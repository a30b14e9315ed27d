"""Checkpoints in and out: one `load` for every published form, one safe form of our own."""

from bertkit import addresses, family
from bertkit.addresses import DEFAULT
from bertkit.checkpoints.release import release
from bertkit.config import ACTIVATIONS
from bertkit.errors import Error

__all__ = ["DEFAULT", "load", "local"]


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
    return addresses.local(path, tuple(form.class_name for form in family.published_as("PRESET").values()))


def _format(folder):
    """Return the module that reads this folder, decided by the files in it."""
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

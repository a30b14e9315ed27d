"""Checkpoints in and out: one `load` for every published form, one safe form of our own."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, overload

from bertkit import addresses
from bertkit.addresses import DEFAULT
from bertkit.checkpoints.release import release
from bertkit.errors import Error
from bertkit.files.modules import encoder_folder

if TYPE_CHECKING:
    from bertkit.encoder import Encoder

# Files that end in _config.json and describe no model.
OTHER_CONFIGS = ("tokenizer_config.json", "generation_config.json", "preprocessor_config.json",
                 *(f"sentence_{name}_config.json" for name in ("bert", "roberta", "distilbert", "xlm-roberta")))

__all__ = ["DEFAULT", "load", "local_folder"]


@overload
def load(path: str | Path, part: Literal["encoder"], activation: str | None = None,
         base: str | Path | None = None) -> "Encoder": ...


@overload
def load(path: str | Path, part: str | None = None, activation: str | None = None,
         base: str | Path | None = None) -> Any: ...


def load(path: str | Path, part: str | None = None, activation: str | None = None,
         base: str | Path | None = None) -> Any:
    """Return the model that a checkpoint holds, with every tensor accounted for.

    Nothing is loaded in part, and nothing stored is executed.

    Args:
        path: A bertkit bundle, a Hugging Face, sentence-transformers or Google TF1 directory, a LoRA adapter of PEFT,
            a keras-nlp preset folder or name, hf://owner/name, or bertkit://english, which ships with bertkit.
        part: None for the model as it is stored; "encoder" for the `Encoder` alone, whatever head is stored;
            "generator" for the generator beside the discriminator in ELECTRA's own release.
        activation: "gelu_erf" or "gelu_tanh", in place of what the checkpoint says.
        base: The base model of an adapter, a Hugging Face directory; None takes the folder that the adapter names.

    Returns:
        An `Encoder`, or one of bertkit's heads on an encoder.

    Raises:
        Error: When the checkpoint cannot be found, or a tensor is missing, unread, misshapen or unknown.

    >>> load("bertkit://english", part="encoder").config.hidden_dim
    384
    """
    from bertkit.config import ACTIVATIONS  # which an exported file, answering without a model, does not need
    if activation is not None and activation not in ACTIVATIONS:
        raise Error(f"activation={activation!r} is unknown; bertkit has {', '.join(ACTIVATIONS)}.")
    folder = encoder_folder(local_folder(path))
    module = _format(folder)
    parts = ("encoder", *(module.parts(folder) if hasattr(module, "parts") else ()))
    if part not in (None, *parts):
        raise Error(f"part={part!r} is unknown; {folder} has {', '.join(parts)}.")
    if base is not None and not (folder / "adapter_config.json").exists():
        raise Error(f"base={str(base):.80} is the base model of an adapter, and {folder} is none; leave it out.")
    options = {} if base is None else {"base": base}
    return module.load(folder, part=part, activation=activation, **options)


def local_folder(path: str | Path) -> Path:
    """Return the folder of a checkpoint, downloaded first if `path` is an address or a preset's name.

    Args:
        path: A folder or an address, see `load`.

    Returns:
        The folder.

    Raises:
        Error: When there is no such folder or address, or it cannot be downloaded.
    """
    from bertkit import family
    return addresses.local_folder(path, tuple(form.class_name for form in family.pages_with("PRESET").values()))


def _format(folder):
    """Return the module that reads this folder, decided by the files in it."""
    module: ModuleType
    if (folder / "bundle.json").exists():
        from bertkit.checkpoints import bundle as module
    elif (folder / "adapter_config.json").exists():
        from bertkit.checkpoints import adapters as module
    elif release(folder) is not None:
        from bertkit.checkpoints import google as module
    elif (folder / "model.weights.h5").exists():
        from bertkit.checkpoints import preset as module
    elif (folder / "config.json").exists():
        from bertkit.checkpoints import huggingface as module
    elif (folder / "bert_config.json").exists() and any(folder.glob("pytorch_model*")):      # before 2019
        from bertkit.checkpoints import huggingface as module
    elif left := sorted(path.name for path in folder.glob("*_config.json") if path.name not in OTHER_CONFIGS):
        raise Error(f"{folder} holds {left[0]} and no checkpoint of TensorFlow (*.index) beside it; copy that too.")
    else:
        raise Error(f"{folder} holds no checkpoint: no bundle.json (bertkit), config.json (Hugging Face, "
                    "keras-nlp) or bert_config.json (Google).")
    return module

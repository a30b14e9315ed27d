"""Addresses of checkpoints: a folder, bertkit://name, hf://owner/name, a keras-nlp preset's name or kaggle:// handle.

`bertkit.load` and `bertkit.Tokenizer.load` read the folder that `local_folder` returns.
"""

import re
from importlib import resources
from pathlib import Path

from bertkit.errors import Error
from bertkit.files.bounded import as_path
from bertkit.requirements import missing

# What ships with bertkit, and the one of it that recipes begin with where no other checkpoint is named.
OURS = "bertkit://"
DEFAULT = f"{OURS}english"
REMOTE = (OURS, "hf://", "kaggle://")
PRESET = re.compile(r"[a-z0-9]+(_[a-z0-9.]+)+")          # of a published one, such as bert_tiny_en_uncased
# Weights and vocabulary only; nothing of a repository that could be run. OLDER is for a repository without WEIGHTS.
VOCABULARY = ("config.json", "vocab.txt", "vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model",
              "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "modules.json",
              "sentence_*_config.json", "0_Transformer/*.json", "0_Transformer/*.txt", "0_Transformer/*.model")
WEIGHTS = ("*.safetensors", "model.safetensors.index.json", "0_Transformer/*.safetensors", "*_Pooling/config.json",
           "*_Dense/config.json", "config_sentence_transformers.json", "adapter_config.json", "bert_config.json")
OLDER = ("pytorch_model.bin", "pytorch_model-*.bin", "pytorch_model.bin.index.json", "*/pytorch_model.bin",
         "adapter_model.bin")


def local_folder(address: str | Path, backbones: tuple[str, ...], weights: bool = True) -> Path:
    """Return the folder of a checkpoint, downloaded first where `address` is not on this machine.

    Args:
        address: A folder, `bertkit://name`, `hf://owner/name`, the name of a keras-nlp preset, or `kaggle://handle`.
        backbones: Names of the keras-nlp classes whose presets are known, such as `BertBackbone`.
        weights: False downloads the vocabulary and leaves the weights of an `hf://` address where they are.

    Returns:
        The folder.

    Raises:
        Error: If there is no such folder or address, or it cannot be downloaded.

    >>> local_folder("bertkit://english", ()).name
    'english'
    """
    folder = as_path(address, "a checkpoint")
    text = str(address)
    if text.startswith(OURS):
        return _shipped(text.removeprefix(OURS))
    if text.startswith("hf://"):
        return Path(_from_hub(text, (*VOCABULARY, *WEIGHTS) if weights else VOCABULARY, OLDER if weights else ()))
    if folder.is_dir():
        return folder
    if folder.exists():
        raise Error(f"{folder} is a file; give the checkpoint's folder.")
    check_exists(text)
    return Path(_preset(text, backbones))


def check_exists(path: str | Path) -> None:
    """Check that a checkpoint is on this machine or that its address has the form of one elsewhere.

    Args:
        path: A folder or an address, see `local_folder`.

    Raises:
        Error: If it is no folder, no address, and has not the form of a preset's name.
    """
    text, folder = str(path), Path(path)
    if folder.exists() or text.startswith(REMOTE) or PRESET.fullmatch(text):
        return
    raise Error(f"{folder} does not exist; give a checkpoint folder, hf://owner/name or a preset's name.")


def _shipped(name):
    """Return the folder of an encoder that ships with bertkit."""
    shelf = Path(str(resources.files("bertkit.saved_models")))
    names = sorted(path.parent.name for path in shelf.glob("*/bundle.json"))
    if name not in names:
        raise Error(f"{OURS}{name} does not ship with bertkit; there is {', '.join(OURS + each for each in names)}.")
    return shelf / name


def _from_hub(address, wanted, older):
    """Return the local folder of hf://owner/name, downloaded by Hugging Face's library if it is not in its cache."""
    name = address.removeprefix("hf://")
    if name.count("/") != 1 or not all(name.split("/")):
        raise Error(f"{address} is no address of a checkpoint; wanted hf://owner/name.")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        raise missing("huggingface_hub", "hf://") from None
    try:
        folder = snapshot_download(name, allow_patterns=list(wanted))
        if older and not any(Path(folder).glob("*.safetensors")):
            folder = snapshot_download(name, allow_patterns=[*wanted, *older])
        return folder
    except (LocalEntryNotFoundError, OSError) as error:
        if isinstance(error, HfHubHTTPError):
            raise Error(f"The hub refused {address}: {' '.join(str(error).split())[:200]}") from None
        raise Error(f"{address} is not in the cache and the hub cannot be reached; on a machine that reaches "
                    f"it run `hf download {name} --local-dir DIR`, and give DIR as --model.") from None
    except HFValidationError as error:
        raise Error(f"{address} is no address of a checkpoint: {error}") from None


def _preset(name, backbones):
    """Return the local folder of a published preset, such as "bert_tiny_en_uncased"."""
    try:
        import kagglehub
        import keras_hub
    except ImportError:
        raise missing("keras-nlp", "A published preset") from None
    known = {preset: metadata for backbone in backbones
             for preset, metadata in getattr(keras_hub.models, backbone).presets.items()}
    handle = name if name.startswith("kaggle://") else known.get(name, {}).get("kaggle_handle")
    if handle is None:
        raise Error(f"{name} is neither a folder nor a published preset that is read here; give a checkpoint folder, "
                    "hf://owner/name, or a preset's name such as bert_tiny_en_uncased.")
    try:
        return kagglehub.model_download(handle.removeprefix("kaggle://"))
    except Exception as error:                # kagglehub raises whatever its connection raises
        raise Error(f"The preset {name} could not be downloaded ({type(error).__name__}); download it on a "
                    "machine that reaches Kaggle and give its folder.") from None

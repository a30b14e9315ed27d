"""hf://owner/name: a checkpoint from the Hugging Face hub, through its own library and cache."""

from pathlib import Path

from bertkit.errors import Error
from bertkit.requirements import missing

# Weights and vocabulary only; nothing of a repository that could be run. The second are for one without the first.
WANTED = ("config.json", "*.safetensors", "model.safetensors.index.json", "vocab.txt", "vocab.json", "merges.txt",
          "spiece.model", "sentencepiece.bpe.model", "tokenizer.json", "tokenizer_config.json",
          "special_tokens_map.json", "modules.json", "*_Pooling/config.json")
OLDER = ("pytorch_model.bin", "pytorch_model-*.bin", "pytorch_model.bin.index.json")


def fetch(address):
    """Return the local folder of hf://owner/name, downloaded if it is not in the cache."""
    name = address.removeprefix("hf://")
    if name.count("/") != 1 or not all(name.split("/")):
        raise Error(f"{address} is no address of a checkpoint; wanted hf://owner/name.")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        raise missing("huggingface_hub", "hf://") from None
    try:
        folder = snapshot_download(name, allow_patterns=list(WANTED))
        if not any(Path(folder).glob("*.safetensors")):
            folder = snapshot_download(name, allow_patterns=[*WANTED, *OLDER])
        return folder
    except (LocalEntryNotFoundError, OSError) as error:
        if isinstance(error, HfHubHTTPError):
            raise Error(f"The hub refused {address}: {' '.join(str(error).split())[:200]}") from None
        raise Error(f"{address} is not in the cache and the hub cannot be reached; on a machine that reaches "
                    f"it run `hf download {name} --local-dir DIR`, and give DIR as --model.") from None
    except HFValidationError as error:
        raise Error(f"{address} is no address of a checkpoint: {error}") from None

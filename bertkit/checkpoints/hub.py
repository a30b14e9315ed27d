"""hf://owner/name: a checkpoint from the Hugging Face hub, through its own library and cache."""

from bertkit.errors import Error

# Weights and vocabulary only; nothing of a repository that could be run.
WANTED = ("config.json", "*.safetensors", "model.safetensors.index.json", "vocab.txt", "tokenizer.json",
          "tokenizer_config.json", "special_tokens_map.json")


def fetch(address):
    """Return the local folder of hf://owner/name, downloaded if it is not in the cache."""
    name = address.removeprefix("hf://")
    if name.count("/") != 1 or not all(name.split("/")):
        raise Error(f"{address} is no address of a checkpoint; wanted hf://owner/name.")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        raise Error("hf:// needs the package huggingface_hub: `pip install huggingface_hub`.") from None
    try:
        return snapshot_download(name, allow_patterns=list(WANTED))
    except (LocalEntryNotFoundError, OSError) as error:
        if isinstance(error, HfHubHTTPError):
            raise Error(f"The hub refused {address}: {' '.join(str(error).split())[:200]}") from None
        raise Error(f"{address} is not in the cache and the hub cannot be reached; on a machine that reaches "
                    f"it run `hf download {name} --local-dir DIR`, and give DIR as --model.") from None
    except HFValidationError as error:
        raise Error(f"{address} is no address of a checkpoint: {error}") from None

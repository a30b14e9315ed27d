"""Which paper's original release a folder holds, by the name of the config beside its TensorFlow checkpoint."""

from pathlib import Path
from typing import Any

from bertkit import family
from bertkit.errors import Error
from bertkit.files.atomic import read_json

# A name that does not tell the format: transformers' directories and keras-nlp's have it too.
COMMON = "config.json"


def release(folder: Path) -> tuple[Any, Any] | None:
    """Return which family's original release a folder holds.

    Args:
        folder: A folder.

    Returns:
        The family's page and its `GOOGLE`, or None where the folder is no TensorFlow 1 directory.

    Raises:
        Error: When the folder holds the configs of several families.
    """
    if next(folder.glob("*.index"), None) is None:
        return None
    candidates = {form.file: (page, form) for page, form in family.pages_with("GOOGLE").items()
             if (folder / form.file).exists()}
    if len(candidates) > 1:
        candidates.pop(COMMON, None)
    if len(candidates) > 1:
        raise Error(f"{folder} holds {' and '.join(candidates)}; keep the one that belongs to its checkpoint.")
    if COMMON in candidates and _is_of_another_form(folder, *candidates[COMMON]):
        return None
    return next(iter(candidates.values()), None)


def _is_of_another_form(folder, page, form):
    weights = any(True for pattern in ("*.safetensors*", "pytorch_model*", "*.h5") for _ in folder.glob(pattern))
    return weights or read_json(folder / form.file).get("model_type", page.HUGGINGFACE.type) != page.HUGGINGFACE.type

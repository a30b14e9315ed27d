"""Which paper's original release a folder holds, by the name of the config beside its TensorFlow checkpoint."""

from bertkit import family
from bertkit.errors import Error
from bertkit.files.atomic import read_json

# A name that says nothing: transformers' directories and keras-nlp's have it too.
COMMON = "config.json"


def release(folder):
    """Return (page, its `GOOGLE`) of a TensorFlow 1 directory, or None where the folder holds none.

    Raises `Error` where the configs of several papers lie there.
    """
    if next(folder.glob("*.index"), None) is None:
        return None
    found = {form.file: (page, form) for page, form in family.published_as("GOOGLE").items()
             if (folder / form.file).exists()}
    if len(found) > 1:
        found.pop(COMMON, None)
    if len(found) > 1:
        raise Error(f"{folder} holds {' and '.join(found)}; keep the one that belongs to its checkpoint.")
    if COMMON in found and _is_of_another_form(folder, *found[COMMON]):
        return None
    return next(iter(found.values()), None)


def _is_of_another_form(folder, page, form):
    weights = any(True for pattern in ("*.safetensors*", "pytorch_model*", "*.h5") for _ in folder.glob(pattern))
    return weights or read_json(folder / form.file).get("model_type", page.HUGGINGFACE.type) != page.HUGGINGFACE.type

"""From any published form to a bundle, or to a Hugging Face directory."""

import logging
from pathlib import Path
from typing import Literal

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle, huggingface
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files.atomic import write_json
from bertkit.files.bounded import as_path
from bertkit.files.folders import new_folder
from bertkit.text import Tokenizer
from bertkit.text.formats.loading import holds_tokenizer

log = logging.getLogger("bertkit")


def convert(source: str | Path, target: str | Path, to: Literal["bertkit", "huggingface"] = "bertkit") -> Card:
    """Write a checkpoint as a bundle, or as a directory for Hugging Face's libraries.

    The model keeps its head, and the vocabulary its order.

    Args:
        source: A checkpoint: whatever `bertkit.load` takes.
        target: The folder to write.
        to: "bertkit" or "huggingface".

    Returns:
        The `Card` of what was written.

    Raises:
        Error: When the source does not load whole, the target holds other things, or `to` is unknown.

    Example:
        >>> import tempfile
        >>> from bertkit import EncoderConfig, save
        >>> encoder = Encoder(EncoderConfig(100, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
        >>> with tempfile.TemporaryDirectory() as place:
        ...     save(encoder, f"{place}/ours")
        ...     card = convert(f"{place}/ours", f"{place}/theirs", to="huggingface")
        ...     sorted(path.name for path in Path(place, "theirs").iterdir())
        ['card.json', 'config.json', 'model.safetensors']
    """
    if to not in ("bertkit", "huggingface"):
        raise Error(f"to={to!r} is unknown; give bertkit or huggingface.")
    target = as_path(target, "the folder to write")
    folder = checkpoints.local_folder(source)
    model, tokenizer = checkpoints.load(folder), _tokenizer(folder)
    encoder = model if isinstance(model, Encoder) else model.encoder
    card = Card(name=Path(target).name, task=_task_name(model, encoder.config),
                model={**bundle.describe(model), "encoder": encoder.config.to_json()}, recipe="convert",
                knobs={"source": str(source), "to": to})
    if to == "bertkit":
        bundle.save(target, model, tokenizer, card)
        return card
    with new_folder(target, "huggingface") as place:
        huggingface.save(place, model, tokenizer)
        write_json(place / "card.json", card.to_json())
    return card


def _task_name(model, config):
    found = bundle.task_of(bundle.describe(model), config)
    return found.name if found else "encode"


def _tokenizer(folder):
    """Return the tokenizer of a checkpoint, or None, which is said, for one that came without."""
    if holds_tokenizer(folder):
        return Tokenizer.load(folder)
    log.warning("%s holds no tokenizer; what is written holds none either.", folder)
    return None

"""From any published form to a bundle, or to a Hugging Face directory."""

import dataclasses
import logging
from pathlib import Path
from typing import Literal

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle, huggingface
from bertkit.checkpoints.adapters import base_folder, is_adapter
from bertkit.checkpoints.embedder import load_embedder, row_length, task_of
from bertkit.checkpoints.pooling import read_pooling
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files.atomic import read_json, write_json
from bertkit.files.bounded import as_path
from bertkit.files.folders import new_folder
from bertkit.terminal import say
from bertkit.text import Tokenizer
from bertkit.text.formats.loading import holds_tokenizer

log = logging.getLogger("bertkit")

# Keys of config.json that its class CrossEncoder writes, now and before its version 4.
CROSS_ENCODER = ("sentence_transformers", "sbert_ce_default_activation_function")


def convert(source: str | Path, target: str | Path, to: Literal["bertkit", "huggingface"] = "bertkit",
            pairs: bool = False, base: str | Path | None = None) -> Card:
    """Write a checkpoint as a bundle, or as a directory for Hugging Face's libraries.

    The model keeps its head, and the vocabulary its order. A folder of sentence-transformers becomes a bundle of the
    task `embed`, with its pooling, dense layers, prompts and length.

    Args:
        source: A checkpoint: whatever `bertkit.load` takes.
        target: The folder to write.
        to: "bertkit" or "huggingface".
        pairs: Whether a classifier reads pairs of texts, which config.json does not say. Without it the bundle takes
            texts and pairs alike, and its exported file single texts.
        base: The base model of an adapter of PEFT, see `bertkit.load`.

    Returns:
        The `Card` of what was written.

    Raises:
        Error: When the source does not load whole, the target holds other things, `to` is unknown, or `pairs` is given
            for another model than a classifier.

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
    model, task, length = _read(folder, to, base)
    tokenizer = _tokenizer(folder, base)
    task = _with_pairs(task, folder) if pairs or _is_cross_encoder(folder) else task
    encoder = model if isinstance(model, Encoder) else model.encoder
    card = Card(name=Path(target).name, task=task.name if task else "encode",
                model={**bundle.describe(model), "encoder": encoder.config.to_json()}, recipe="convert",
                knobs={"source": str(source), "to": to, **({"pairs": True} if pairs else {})})
    if to == "bertkit":
        if getattr(task, "pairs", False) is None:
            say(f"{folder} does not say whether its classifier reads pairs of texts. {target} takes texts and pairs "
                "alike, and what is exported of it takes single texts; for a model of pairs convert with --pairs.")
        bundle.save(target, model, tokenizer, card, length=length, task=task)
        return card
    with new_folder(target, "huggingface") as place:
        huggingface.save(place, model, tokenizer)
        write_json(place / "card.json", card.to_json())
    return card


def _read(folder, to, base):
    """Return the model of a folder, its task or None, and the tokens of a row where the folder says them."""
    if (folder / "bundle.json").exists():
        values = bundle.read_metadata(folder)
        return checkpoints.load(folder), _task(values), values["length"]
    if read_pooling(folder).pooling is not None:
        if to == "bertkit":
            embedder, said = load_embedder(folder, base)
            return embedder, task_of(embedder, said), row_length(embedder, said)
        log.warning("%s is a folder of sentence-transformers; its encoder is written, without its pooling.", folder)
    model = checkpoints.load(folder, part="encoder" if read_pooling(folder).pooling is not None else None, base=base)
    config = model.config if isinstance(model, Encoder) else model.encoder.config
    return model, bundle.task_of(bundle.describe(model), config), None


def _task(values):
    """Return the task of a bundle, or None where its model has none."""
    if values["task"] is not None:
        return bundle.task(values)
    return bundle.task_of(values["model"], EncoderConfig.from_json(values["config"]))


def _with_pairs(task, folder):
    """Return the task of a classifier that reads pairs."""
    if not hasattr(task, "pairs"):
        raise Error(f"{folder} holds no classifier, and pairs says what a classifier reads; leave it out.")
    return dataclasses.replace(task, pairs=True)


def _is_cross_encoder(folder):
    """Return whether config.json is that of a CrossEncoder of sentence-transformers, which reads pairs."""
    path = folder / "config.json"
    values = read_json(path) if path.exists() else {}
    if not (found := [key for key in CROSS_ENCODER if values.get(key)]):
        return False
    said = values[found[0]]
    say(f"{path} is of a CrossEncoder of sentence-transformers ({found[0]}: {said}): it reads pairs, and bertkit's "
        "score of one output is the logit, before any activation that is named there.")
    return True


def _tokenizer(folder, base):
    """Return the tokenizer of a checkpoint, or None, which is said, for one that came without."""
    if holds_tokenizer(folder):
        return Tokenizer.load(folder)
    if is_adapter(folder) and holds_tokenizer(below := base_folder(folder, base)):
        return Tokenizer.load(below)
    log.warning("%s holds no tokenizer; what is written holds none either.", folder)
    return None

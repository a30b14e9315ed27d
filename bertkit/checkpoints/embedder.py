"""The model that makes vectors of texts, as a checkpoint has it."""

import logging
from pathlib import Path

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.pooling import Pooling, read_pooling
from bertkit.checkpoints.tensors import floats
from bertkit.errors import Error
from bertkit.heads import SentenceEmbedder
from bertkit.tasks.embedding import Embedding

log = logging.getLogger("bertkit")


def load_embedder(path: str | Path, base: str | Path | None = None) -> tuple[SentenceEmbedder, Pooling]:
    """Return the embedder of a checkpoint: with the pooling and the dense layers that it names, else the mean.

    Args:
        path: A checkpoint: whatever `bertkit.load` takes.
        base: The base model of an adapter, see `bertkit.load`.

    Returns:
        (the model, what the checkpoint says of it); `length` there is not above what the encoder takes.

    Raises:
        Error: When the checkpoint does not load whole, or has a module that bertkit does not have.
    """
    folder = checkpoints.local_folder(path)
    said = read_pooling(folder)
    if said.pooling is not None and (folder / "bundle.json").exists():
        return checkpoints.load(folder), said
    embedder = SentenceEmbedder(checkpoints.load(folder, part="encoder", base=base), **said.options())
    for layer, place in zip(embedder.dense, said.places, strict=True):
        _assign(layer, place)
    return embedder, said


def load_for_training(path: str | Path) -> SentenceEmbedder:
    """Return the embedder of a checkpoint, and say which of its prompts training puts in front of no text.

    Args:
        path: A checkpoint: whatever `bertkit.load` takes.

    Returns:
        The model.

    Raises:
        Error: When the checkpoint does not load whole, or has a module that bertkit does not have.
    """
    embedder, said = load_embedder(path)
    if said.prompts:
        log.warning("%s has prompts (%s); training puts none in front of texts, and its bundle has none. Write them "
                    "into the texts where you want them.", path,
                    ", ".join(f"{name} {text!r:.40}" for name, text in dict(said.prompts).items()))
    return embedder


def task_of(embedder: SentenceEmbedder, said: Pooling) -> Embedding:
    """Return the task of an embedder, with the prompts of its checkpoint.

    Args:
        embedder: The model.
        said: What its checkpoint says.

    Returns:
        The task.
    """
    return Embedding(embedder.width, **dict(said.prompts))


def row_length(embedder: SentenceEmbedder, said: Pooling, default: int | None = None) -> int:
    """Return to how many tokens texts are cut: as the checkpoint says, but no more than the encoder takes.

    Args:
        embedder: The model.
        said: What its checkpoint says.
        default: Tokens where it says nothing; None takes as many as the encoder has positions, else 512.

    Returns:
        The number of tokens.
    """
    most = embedder.encoder.config.max_length
    length = said.length or default or most or 512
    return length if most is None else min(length, most)


def _assign(layer, place):
    """Give a dense layer the weights of its folder."""
    tensors = huggingface.weights(place)
    wanted = {"linear.weight": tuple(layer.kernel.shape)[::-1]}
    if layer.use_bias:
        wanted["linear.bias"] = tuple(layer.bias.shape)
    if tensors.shapes != wanted:
        raise Error(f"{tensors.path} holds {str(tensors.shapes)[:120]}, and the config.json beside it describes "
                    f"{wanted}; copy both again.")
    layer.kernel.assign(floats(tensors.read("linear.weight"), "linear.weight", tensors.path).T)
    if layer.use_bias:
        layer.bias.assign(floats(tensors.read("linear.bias"), "linear.bias", tensors.path))

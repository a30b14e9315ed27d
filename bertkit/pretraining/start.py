"""Where a pre-training begins: with a new encoder, or with the weights of a checkpoint."""

from pathlib import Path
from typing import Any

from bertkit.checkpoints import load, local_folder
from bertkit.corpus.make import fingerprint
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.terminal import say
from bertkit.text import Tokenizer


def load_source(path: str | Path, tokenizer: Tokenizer) -> Any:
    """Load the model of a checkpoint to go on from.

    Args:
        path: The checkpoint.
        tokenizer: The `Tokenizer` that the corpus was made with.

    Returns:
        The model.

    Raises:
        Error: when the checkpoint has another vocabulary.
    """
    try:
        own = Tokenizer.load(local_folder(path))
    except Error:
        say(f"{path} has no vocabulary of its own to compare with; make sure that it was trained with the one given.")
        return load(path)
    if fingerprint(own) != fingerprint(tokenizer):
        raise Error(f"{path} was trained with another vocabulary, of {len(own)} entries, than the one given, of "
                    f"{len(tokenizer)}; give its own, and a corpus made with it.")
    return load(path)


def encoder_of(model: Any) -> Any:
    """Return the encoder of a model, or the model itself where it is an encoder.

    Args:
        model: An `Encoder`, or a model with one.

    Returns:
        The `Encoder`.
    """
    return model if isinstance(model, Encoder) else model.encoder


def copy_heads(pretrainer: Any, model: Any) -> None:
    """Copy the weights of a model's heads into the heads of the same name, and say which heads are new.

    Args:
        pretrainer: The `Pretrainer`, whose heads get the weights.
        model: The model of a checkpoint.
    """
    theirs, new = getattr(model, "heads", {}), []
    for name, head in pretrainer.model.heads.items():
        values = theirs[name].get_weights() if name in theirs else None
        if values is not None and [value.shape for value in values] == [weight.shape for weight in head.weights]:
            head.set_weights(values)
        else:
            new.append(name)
    if new:
        say(f"The checkpoint has no head for {', '.join(new)}, which starts with new weights.")

"""Where a pre-training begins: a new encoder, or the weights of a checkpoint."""

from bertkit.checkpoints import load, local
from bertkit.corpus.make import fingerprint
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.terminal import say
from bertkit.text import Tokenizer


def source(path, tokenizer):
    """Return the model of a checkpoint to go on from; raises `Error` if its vocabulary is another one."""
    try:
        own = Tokenizer.load(local(path))
    except Error:
        say(f"{path} has no vocabulary to compare with; it must be the one given.")
        return load(path)
    if fingerprint(own) != fingerprint(tokenizer):
        raise Error(f"{path} was trained with another vocabulary, of {len(own)} entries, than the one given, of "
                    f"{len(tokenizer)}; give its own, and a corpus made with it.")
    return load(path)


def encoder_of(model):
    """Return the encoder of a model, or the model itself where it is one."""
    return model if isinstance(model, Encoder) else model.encoder


def adopt(pretrainer, model):
    """Give the heads of `pretrainer` the weights of the same heads of a model, and say which are new."""
    theirs, new = getattr(model, "heads", {}), []
    for name, head in pretrainer.model.heads.items():
        values = theirs[name].get_weights() if name in theirs else None
        if values is not None and [value.shape for value in values] == [weight.shape for weight in head.weights]:
            head.set_weights(values)
        else:
            new.append(name)
    if new:
        say(f"The checkpoint holds no head for {', '.join(new)}: it starts anew.")

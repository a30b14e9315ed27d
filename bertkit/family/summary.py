"""The entries of a config.json that say how a text becomes one vector: transformers' sequence summary."""

from bertkit.errors import Error
from bertkit.family import entries
from bertkit.kinds import HeadConfig

# Their summary_type -> what is read; the token at "cls_index" is the last if nobody says which.
REDUCTIONS = {"first": "first", "last": "last", "mean": "mean", "cls_index": "last"}


def read(values, reduce, activation, dropout=0.1):
    """Return the `HeadConfig` of summary_type, summary_use_proj and summary_activation, "" being none.

    `reduce` and `activation` stand for absent entries; `dropout` is the head's rate where nothing else says one.
    """
    dense = entries.flag(values, "summary_use_proj", True)
    plain = values.get("summary_activation") == ""
    name = "linear" if plain else entries.activation(values, "summary_activation", activation)
    return HeadConfig(REDUCTIONS[entries.choice(values, "summary_type", reduce, REDUCTIONS)],
                   None if plain and not dense else name, dense=dense, dropout=dropout)


def write(kind):
    """Return the entries that `read` takes."""
    if kind.reduce not in REDUCTIONS:
        raise Error(f"Hugging Face has no summary that reads {kind.reduce!r}; save a bundle instead.")
    plain = kind.activation in (None, "linear")
    return {"summary_type": kind.reduce, "summary_use_proj": kind.dense and kind.activation is not None,
            "summary_activation": "" if plain else entries.NAMES[kind.activation]}

"""The entries of a config.json that say how a text becomes one vector: transformers' sequence summary."""

from typing import Any

from bertkit.errors import Error
from bertkit.family import entries
from bertkit.kinds import HeadConfig

# summary_type -> `HeadConfig.reduce`; "cls_index" reads the last token where no index is given.
REDUCTIONS = {"first": "first", "last": "last", "mean": "mean", "cls_index": "last"}


def read(values: dict[str, Any], reduce: str, activation: str, dropout: float = 0.1) -> HeadConfig:
    """Read summary_type, summary_use_proj and summary_activation.

    A summary_activation that is null or "" means no activation; where there is none at all, it is the default.

    Args:
        values: the parsed config.json.
        reduce: summary_type where there is none.
        activation: summary_activation where there is none.
        dropout: rate of dropout of the head.

    Returns:
        A `HeadConfig`.

    Raises:
        Error: when an entry is malformed, or one that bertkit does not read.
    """
    dense = entries.flag(values, "summary_use_proj", True)
    plain = not values.get("summary_activation", activation)
    name = "linear" if plain else entries.activation(values, "summary_activation", activation)
    return HeadConfig(REDUCTIONS[entries.choice(values, "summary_type", reduce, REDUCTIONS)],
                   None if plain and not dense else name, dense=dense, dropout=dropout)


def write(kind: HeadConfig) -> dict[str, Any]:
    """Return the entries that `read` takes.

    Args:
        kind: the head.

    Returns:
        A dict of entries of config.json.

    Raises:
        Error: when Hugging Face has no summary of this kind.
    """
    if kind.reduce not in REDUCTIONS:
        raise Error(f"Hugging Face has no summary that reads {kind.reduce!r}; save a bundle instead.")
    plain = kind.activation in (None, "linear")
    return {"summary_type": kind.reduce, "summary_use_proj": kind.dense and kind.activation is not None,
            "summary_activation": "" if plain else entries.NAMES[str(kind.activation)]}

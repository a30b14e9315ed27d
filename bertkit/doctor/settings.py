"""What a config.json says, whoever wrote it: the family's defaults filled in, under one set of names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import family
from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.family import entries as published
from bertkit.files.atomic import read_json

COUNTED = ("roberta", "xlm-roberta", "camembert", "longformer")     # positions count real tokens, from the pad id on
# What other families call the same entry; the first that is there counts.
OTHER_NAMES = {"hidden_size": ("hidden_size", "d_model", "dim"), "num_hidden_layers": ("num_hidden_layers", "n_layer",
                                                                                       "n_layers"),
               "num_attention_heads": ("num_attention_heads", "n_head", "n_heads"),
               "intermediate_size": ("intermediate_size", "d_inner", "feed_forward_size"),
               "hidden_act": ("hidden_act", "hidden_activation", "ff_activation", "activation"),
               "layer_norm_eps": ("layer_norm_eps", "norm_eps")}
POSTNORM = ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra", "albert")


@dataclass(frozen=True)
class Settings:
    """The entries of a config.json that decide what an encoder computes, under BERT's names for every family.

    Args:
        family: The model_type.
        vocabulary: Rows V of the word table.
        hidden: Features D of a token.
        layers: Number of layers L.
        heads: Number of heads N.
        inner: Features inside the feed-forward network.
        table: Rows of the position table.
        kinds: Rows of the segment table; 0 without one.
        activation: hidden_act.
        head_activation: The activation of the masked-language head.
        epsilon: ε of LayerNorm.
        pad: The id of padding.
        counted: Whether positions count real tokens from `pad` + 1.
        causal: Whether a token sees only itself and earlier ones.
        groups: ALBERT's groups of layers that share weights; 0 elsewhere.
        repeated: ALBERT's inner_group_num; 1 elsewhere.
    """
    family: str
    vocabulary: int
    hidden: int
    layers: int
    heads: int
    inner: int
    table: int
    kinds: int
    activation: str
    head_activation: str
    epsilon: float
    pad: int
    counted: bool
    causal: bool
    groups: int = 0
    repeated: int = 1

    @property
    def bounded(self) -> bool:
        """Whether positions end: those of XLNet and ModernBERT are relative."""
        return self.family not in ("xlnet", "modernbert")

    @property
    def longest(self) -> int:
        """The most tokens of a row."""
        return self.table - (self.pad + 1 if self.counted else 0)

    @property
    def head(self) -> int:
        """The features of a head."""
        return self.hidden // self.heads

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Settings":
        """Read the entries of a config.json, defaults filled in.

        Args:
            config: What `complete` returned.

        Returns:
            The `Settings`.
        """
        def entry(name, otherwise):
            return next((config[key] for key in OTHER_NAMES.get(name, (name,)) if config.get(key) is not None),
                        otherwise)

        kind, albert, hidden_act = config["model_type"], config["model_type"] == "albert", str(entry("hidden_act",
                                                                                                     "gelu"))
        inner = config.get("hidden_dim") if kind == "distilbert" else entry("intermediate_size", 4)
        kinds = {"distilbert": 0, "xlnet": 2, "modernbert": 0, "reformer": 0}.get(kind)
        return cls(
            kind, int(entry("vocab_size", 100)), int(entry("hidden_size", 1)), int(entry("num_hidden_layers", 1)),
            int(entry("num_attention_heads", 1)), int(inner or 4), int(entry("max_position_embeddings", 512)),
            int(entry("type_vocab_size", 2)) if kinds is None else kinds, hidden_act,
            "gelu" if kind in (*COUNTED, "electra") else hidden_act,
            1e-12 if kind == "distilbert" else float(entry("layer_norm_eps", 1e-12)), int(entry("pad_token_id", 0)),
            kind in COUNTED, bool(config.get("is_decoder")), int(entry("num_hidden_groups", 1)) if albert else 0,
            int(entry("inner_group_num", 1)) if albert else 1)


def complete(config: Mapping[str, Any] | EncoderConfig | str | Path) -> dict[str, Any]:
    """Return the entries of a config.json with the family's defaults where it says nothing.

    Args:
        config: The entries, an `EncoderConfig`, or the path of a config.json or of its folder.

    Returns:
        {key: value}; model_type is always there.

    Raises:
        Error: When there is no such file, or `config` is something else.
    """
    if isinstance(config, str | Path):
        path = Path(config)
        config = read_json(path / "config.json" if path.is_dir() else path)
    values = _written(config) if isinstance(config, EncoderConfig) else config
    if not isinstance(values, Mapping):
        raise Error(f"config is a {type(config).__name__}; give a config.json's entries, an EncoderConfig or a path.")
    said = {key: value for key, value in values.items() if value is not None}
    said.setdefault("model_type", _guessed(said))
    return {**_defaults(said), **said}


def _guessed(values):
    """Return the model_type that the name of the architecture says, else bert."""
    name = re.sub(r"(For|Model|LMHead).*", "", str((values.get("architectures") or ["Bert"])[0])).lower()
    return {"xlmroberta": "xlm-roberta"}.get(name, name)


def _defaults(values):
    """Return what transformers takes where a config.json of this family says nothing."""
    try:
        page = family.of_huggingface(dict(values))
    except Error:
        return {"pad_token_id": 0}
    form = page.HUGGINGFACE
    found = {key: getattr(page.CONFIG, name) for name, key in form.config.items()}
    for key in ("hidden_act", "activation"):
        if key in found:
            found[key] = published.NAMES.get(found[key], found[key])
    pad = 1 if form.type in COUNTED else 0
    return {"pad_token_id": pad, **found, **form.defaults}


def _written(config):
    """Return the entries of a config.json that describe an `EncoderConfig`."""
    form = family.page(config.family).HUGGINGFACE
    values = {key: getattr(config, name) for name, key in form.config.items()}
    activation = form.config.get("activation")
    if activation:
        values[activation] = published.NAMES[config.activation]
    narrow = {} if config.embedding_dim is None else {"embedding_size": config.embedding_dim}
    return {**values, **narrow, "model_type": form.type, **form.write(config)}


def without_prefix(weights: Mapping[str, np.ndarray] | None, config: Mapping[str, Any]) -> dict[str, np.ndarray] | None:
    """Return weights under the names of a bare encoder.

    Args:
        weights: {name under Hugging Face names: array of any shape and dtype}, or None.
        config: The entries of config.json.

    Returns:
        The same arrays, of the same shapes, without the family's prefix and with today's names of LayerNorm's
        weights; None for None.
    """
    return None if weights is None else {plain_name(name, config): np.asarray(value) for name, value in weights.items()}


def plain_name(name: str, config: Mapping[str, Any]) -> str:
    """Return the name of a tensor without the family's prefix and with today's names of LayerNorm's weights.

    Args:
        name: The name under Hugging Face names.
        config: The entries of config.json.

    Returns:
        The name in a bare encoder.

    >>> plain_name("bert.embeddings.LayerNorm.gamma", {"model_type": "bert"})
    'embeddings.LayerNorm.weight'
    """
    prefix = {"xlm-roberta": "roberta", "camembert": "roberta", "big_bird": "bert", "xlnet": "transformer",
              "modernbert": "model"}.get(config["model_type"], config["model_type"])
    if config["model_type"] == "distilbert" or not name.startswith("transformer.") or prefix == "transformer":
        name = name.removeprefix(f"{prefix}.")
    return name.replace("Norm.gamma", "Norm.weight").replace("Norm.beta", "Norm.bias")

"""The places of an encoder's weights: one set of names for every family, and what each family's files call them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bertkit.doctor.settings import Settings

_BERT = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
         "output": "attention.output.dense", "attention_norm": "attention.output.LayerNorm",
         "inner": "intermediate.dense", "outer": "output.dense", "output_norm": "output.LayerNorm"}
_DISTIL = {"query": "attention.q_lin", "key": "attention.k_lin", "value": "attention.v_lin",
           "output": "attention.out_lin", "attention_norm": "sa_layer_norm", "inner": "ffn.lin1", "outer": "ffn.lin2",
           "output_norm": "output_layer_norm"}
_ALBERT = {"query": "attention.query", "key": "attention.key", "value": "attention.value", "output": "attention.dense",
           "attention_norm": "attention.LayerNorm", "inner": "ffn", "outer": "ffn_output",
           "output_norm": "full_layer_layer_norm"}
# The masked-language head: transform, its norm, where the bias stands, where a matrix of its own stands.
_LANGUAGE = {
    "bert": ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions",
             "cls.predictions.decoder"),
    "roberta": ("lm_head.dense", "lm_head.layer_norm", "lm_head", "lm_head.decoder"),
    "distilbert": ("vocab_transform", "vocab_layer_norm", "vocab_projector", "vocab_projector"),
    "electra": ("generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head",
                "generator_lm_head"),
    "albert": ("predictions.dense", "predictions.LayerNorm", "predictions", "predictions.decoder")}


def places(settings: Settings) -> dict[str, str]:
    """Return where the weights of an encoder stand in files of its family.

    Args:
        settings: The encoder's `Settings`.

    Returns:
        {our name: beginning of the name in a file}: "word", "position", "segment", "norm", "projection",
        "layer.I.query" ... "layer.I.output_norm", "pooler", "transform", "transform_norm", "bias", "decoder".
    """
    family = settings.family if settings.family in _LANGUAGE else "roberta" if settings.counted else "bert"
    found = {name: f"embeddings.{theirs}" for name, theirs in (
        ("word", "word_embeddings"), ("position", "position_embeddings"), ("segment", "token_type_embeddings"),
        ("norm", "LayerNorm"))}
    found["projection"] = "encoder.embedding_hidden_mapping_in" if family == "albert" else "embeddings_project"
    for i in range(settings.layers * settings.repeated):
        found |= {f"layer.{i}.{part}": f"{_layer(settings, i)}.{theirs}" for part, theirs in
                  {"albert": _ALBERT, "distilbert": _DISTIL}.get(family, _BERT).items()}
    found["pooler"] = "pooler" if family == "albert" else "pooler.dense"
    return found | dict(zip(("transform", "transform_norm", "bias", "decoder"), _LANGUAGE[family], strict=True))


def _layer(settings, number):
    """Return the beginning of the names of a layer's tensors; ALBERT's layers are those of their group."""
    if settings.family == "albert":
        layer, inner = divmod(number, settings.repeated)
        group = int(layer / (settings.layers / settings.groups))
        return f"encoder.albert_layer_groups.{group}.albert_layers.{inner}"
    return f"{'transformer' if settings.family == 'distilbert' else 'encoder'}.layer.{number}"


def arranged(weights: Mapping[str, np.ndarray], settings: Settings, dtype: Any = np.float64) -> dict[str, np.ndarray]:
    """Return weights under our names.

    Args:
        weights: {name in a bare encoder of Hugging Face: array of any shape and dtype}.
        settings: The encoder's `Settings`.
        dtype: float64 or float32.

    Returns:
        {our name + ".weight" or ".bias": array of the tensor's shape}; heads keep their names; layers that share
        weights share the array.
    """
    made: dict[str, np.ndarray] = {}

    def array(name):
        if name not in made:
            made[name] = np.asarray(weights[name]).astype(dtype)
        return made[name]

    found = {f"{ours}{leaf}": array(f"{theirs}{leaf}") for ours, theirs in places(settings).items()
             for leaf in (".weight", ".bias") if f"{theirs}{leaf}" in weights}
    if "bias.bias" not in found and "decoder.bias" in found:
        found["bias.bias"] = found["decoder.bias"]
    heads = ("classifier", "pre_classifier", "qa_outputs")
    return found | {name: array(name) for name in weights if name.startswith(heads)}


def spread(changed: Mapping[str, np.ndarray], weights: Mapping[str, np.ndarray],
           settings: Settings) -> dict[str, np.ndarray]:
    """Return weights under Hugging Face names, changed at some of our places.

    Args:
        changed: {our name + ".weight" or ".bias": array of that tensor's shape, any float dtype}.
        weights: {name in a bare encoder of Hugging Face: array of any shape and dtype}.
        settings: The encoder's `Settings`.

    Returns:
        All of `weights`, arrays of the same shapes; a stored copy of the word table follows it.
    """
    found, where = dict(weights), places(settings)
    for name, value in changed.items():
        ours, leaf = name.rsplit(".", 1)
        theirs = f"{where.get(ours, ours)}.{leaf}"
        if theirs in found:
            found[theirs] = np.asarray(value, found[theirs].dtype)
    copy, table = f"{where['decoder']}.weight", f"{where['word']}.weight"
    if copy in found and table in found and "word.weight" in changed and found[copy].shape == found[table].shape:
        found[copy] = found[table]
    return found

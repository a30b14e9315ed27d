"""MobileBERT: a compact task-agnostic BERT for resource-limited devices (Sun et al. 2020, arXiv 2004.02984)."""

from bertkit.errors import Error
from bertkit.family import bert
from bertkit.family.entries import choice, flag, whole
from bertkit.kinds import Bottleneck, First, Language, Tanh, Trigram

# Table 1, the column MobileBERT: 24 thin blocks of four feed-forward networks.
CONFIG = bert.CONFIG.but(num_layers=24, num_heads=4, hidden_dim=512, intermediate_dim=512, embedding_dim=128,
                         activation="relu", dropout=0.0, inputs=Trigram(), block=Bottleneck(), family="mobilebert")
SIZES = {"mobilebert-uncased": CONFIG}
HEADS = bert.HEADS | {"mlm": Language(split=True)}
PRETRAINING = bert.PRETRAINING


def _read(values):
    width = whole(values, "intra_bottleneck_size", CONFIG.block.width, least=1)
    if whole(values, "embedding_size", CONFIG.embedding_dim) > whole(values, "hidden_size", CONFIG.hidden_dim):
        raise Error("embedding_size is larger than hidden_size, and the language model's head cannot hold it; "
                    "give at most hidden_size.")
    norms = choice(values, "normalization_type", "no_norm", ("no_norm", "layer_norm"))
    return {"inputs": Trigram(flag(values, "trigram_input", True)),
            "pooler": Tanh() if flag(values, "classifier_activation", True) else First(),
            "block": Bottleneck(width if flag(values, "use_bottleneck", True) else None,
                                feeds=whole(values, "num_feedforward_networks", CONFIG.block.feeds, least=1, most=1000),
                                shared=flag(values, "key_query_shared_bottleneck", True),
                                narrow=flag(values, "use_bottleneck_attention", False), affine=norms == "no_norm")}


def _write(config):
    block = config.block
    return {"embedding_size": config.embedding_dim or config.hidden_dim, "trigram_input": config.inputs.neighbours,
            "classifier_activation": not isinstance(config.pooler, First), "use_bottleneck": block.width is not None,
            "intra_bottleneck_size": config.block_dim, "num_feedforward_networks": block.feeds,
            "key_query_shared_bottleneck": block.shared, "use_bottleneck_attention": block.narrow,
            "normalization_type": "no_norm" if block.affine else "layer_norm"}


_BLOCK, _THEIRS = "encoder/block_{i}/", "encoder.layer.{i}."
HUGGINGFACE = bert.HUGGINGFACE.but(
    type="mobilebert", class_name="MobileBert", prefix="mobilebert.",
    names={
        **{ours: theirs for ours, theirs in bert.HUGGINGFACE.names.items()
           if not ours.startswith((_BLOCK + "inner", _BLOCK + "outer", _BLOCK + "output_norm"))},
        "encoder/embeddings/projection": "embeddings.embedding_transformation",
        _BLOCK + "entry/dense": _THEIRS + "bottleneck.input.dense",
        _BLOCK + "entry/norm": _THEIRS + "bottleneck.input.LayerNorm",
        _BLOCK + "key_entry/dense": _THEIRS + "bottleneck.attention.dense",
        _BLOCK + "key_entry/norm": _THEIRS + "bottleneck.attention.LayerNorm",
        _BLOCK + "feed_{j}/inner": _THEIRS + "ffn.{j}.intermediate.dense",
        _BLOCK + "feed_{j}/outer": _THEIRS + "ffn.{j}.output.dense",
        _BLOCK + "feed_{j}/norm": _THEIRS + "ffn.{j}.output.LayerNorm",
        _BLOCK + "last_feed/inner": _THEIRS + "intermediate.dense",
        _BLOCK + "last_feed/outer": _THEIRS + "output.dense",
        _BLOCK + "last_feed/norm": _THEIRS + "output.LayerNorm",
        _BLOCK + "exit/dense": _THEIRS + "output.bottleneck.dense",
        _BLOCK + "exit/norm": _THEIRS + "output.bottleneck.LayerNorm",
        "mlm/more": "cls.predictions.dense.weight",
    },
    config=bert.HUGGINGFACE.config | {"embedding_dim": "embedding_size"},
    ignored=("embeddings.position_ids", "cls.predictions.decoder."), read=_read, write=_write)

"""ALBERT: A Lite BERT for Self-supervised Learning of Language Representations (Lan et al. 2019, arXiv 1909.11942).

Token vectors narrower than the blocks (section 3.1), blocks that are used again and again, and the order of two
sentences instead of whether they belong together.
"""

from bertkit.errors import Error
from bertkit.family import bert, entries
from bertkit.family.formats import Google
from bertkit.kinds import HeadConfig, Language, Shared

# Version 2 has no dropout (section 4.8 and the release's notes); "gelu" is the tanh form in its code.
CONFIG = bert.CONFIG.but(vocabulary_size=30000, embedding_dim=128, activation="gelu_tanh", dropout=0.0,
                         attention_dropout=0.0, shared=Shared(), family="albert")
_WIDE = CONFIG.but(num_heads=64, hidden_dim=4096, intermediate_dim=16384)
SIZES = {
    "albert-base-v2": CONFIG,
    "albert-large-v2": CONFIG.but(num_layers=24, num_heads=16, hidden_dim=1024, intermediate_dim=4096),
    "albert-xlarge-v2": CONFIG.but(num_layers=24, num_heads=16, hidden_dim=2048, intermediate_dim=8192),
    "albert-xxlarge-v2": _WIDE,
    "albert-xxlarge-v1": _WIDE,
}
SIZES |= {name.replace("v2", "v1"): config.but(dropout=0.1, attention_dropout=0.1)
          for name, config in SIZES.items() if "xxlarge" not in name}

# The encoder drops nothing, its heads do (run_classifier.py of the release).
_POOLED = HeadConfig(dropout=0.1)
HEADS = {"classify": _POOLED, "choose": _POOLED, "tag": HeadConfig("each", dropout=0.1),
         "answer": HeadConfig("each", dropout=0.0), "mlm": Language(), "sop": _POOLED}
PRETRAINING = ("mlm", "sop")


def _read(values):
    return {"embedding_dim": entries.whole(values, "embedding_size", CONFIG.embedding_dim, least=1),
            "shared": Shared(groups=entries.whole(values, "num_hidden_groups", 1, least=1),
                             inner=entries.whole(values, "inner_group_num", 1, least=1))}


def _write(config):
    if config.embedding_dim is None:
        raise Error("transformers' ALBERT always projects its embeddings, and this one does not; save a bundle.")
    return {"num_hidden_groups": config.shared.groups, "inner_group_num": config.shared.inner}


_BLOCK, _THEIRS = "encoder/block_{i}_{j}/", "encoder.albert_layer_groups.{i}.albert_layers.{j}."
HUGGINGFACE = bert.HUGGINGFACE.but(
    type="albert", class_name="Albert", prefix="albert.",
    names={ours: theirs for ours, theirs in bert.HUGGINGFACE.names.items()
           if ours.startswith(("encoder/embeddings/", "classify/", "choose/", "tag/", "answer/"))} | {
        "encoder/embeddings/projection": "encoder.embedding_hidden_mapping_in",
        **{f"{_BLOCK}attention/{name}": f"{_THEIRS}attention.{name}" for name in ("query", "key", "value")},
        _BLOCK + "attention/output": _THEIRS + "attention.dense",
        _BLOCK + "attention_norm": _THEIRS + "attention.LayerNorm",
        _BLOCK + "inner": _THEIRS + "ffn",
        _BLOCK + "outer": _THEIRS + "ffn_output",
        _BLOCK + "output_norm": _THEIRS + "full_layer_layer_norm",
        "encoder/pooler": "pooler", "sop/logits": "sop_classifier.classifier",
        "mlm/dense": "predictions.dense", "mlm/norm": "predictions.LayerNorm",
        "mlm": "predictions", "mlm/decoder": "predictions.decoder"},
    config={**bert.HUGGINGFACE.config, "embedding_dim": "embedding_size"},
    unused=("predictions.", "sop_classifier.", "classifier.", "qa_outputs."),
    ignored=("embeddings.position_ids", "embeddings.token_type_ids", "predictions.decoder."),
    defaults={"hidden_size": 4096, "num_attention_heads": 64, "intermediate_size": 16384},
    dropouts=dict.fromkeys(("classify", "choose", "tag"), "classifier_dropout_prob"),
    read=_read, write=_write)

_SCOPE, _PROJECTION = "bert/encoder/transformer/group_{i}/inner_group_{j}/", "bert/encoder/embedding_hidden_mapping_in"


def _projected_or_not(config, shapes):
    """Return the config without a projection where E = D, because the release's code leaves it out."""
    return config if config.embedding_dim != config.hidden_dim or _PROJECTION + "/kernel" in shapes else config.but(
        embedding_dim=None)


# google-research/albert, modeling.py.
GOOGLE = Google(
    file="albert_config.json", config=HUGGINGFACE.config, gelu="gelu_tanh", unused=("cls/",), read=_read,
    measure=_projected_or_not,
    names={ours: theirs for ours, theirs in bert.GOOGLE.names.items()
           if ours.startswith(("encoder/embeddings/", "encoder/pooler", "mlm/"))} | {
        "encoder/embeddings/projection": _PROJECTION,
        **{f"{_BLOCK}attention/{name}": f"{_SCOPE}attention_1/self/{name}" for name in ("query", "key", "value")},
        _BLOCK + "attention/output": _SCOPE + "attention_1/output/dense",
        _BLOCK + "attention_norm": _SCOPE + "LayerNorm",
        _BLOCK + "inner": _SCOPE + "ffn_1/intermediate/dense",
        _BLOCK + "outer": _SCOPE + "ffn_1/intermediate/output/dense",
        _BLOCK + "output_norm": _SCOPE + "LayerNorm_1",
        "sop/logits/kernel": bert.GOOGLE.names["nsp/logits/kernel"],
        "sop/logits/bias": bert.GOOGLE.names["nsp/logits/bias"]})

PRESET = bert.PRESET.but(
    class_name="AlbertBackbone", config=(*bert.PRESET.config, "embedding_dim"),
    names={ours.replace("block_{i}", "block_{i}_{j}"): theirs.replace("{i}", "{n}")
           for ours, theirs in bert.PRESET.names.items()} | {
        "encoder/embeddings/projection": "layers/dense", "encoder/pooler": "layers/dense_1"},
    read=lambda values: {"shared": Shared(groups=entries.whole(values, "num_groups", 1, least=1),
                                          inner=entries.whole(values, "num_inner_repetitions", 1, least=1))})

"""DeBERTaV3: Improving DeBERTa using ELECTRA-style pre-training (He et al. 2021, arXiv 2111.09543).

BERT without segments and positions, whose attention lets content and distances score each other (He et al. 2020,
DeBERTa, arXiv 2006.03654). The model_type is deberta-v2; the convolution of deberta-v2-xlarge is not here.
"""

from typing import Any

from bertkit.errors import Error
from bertkit.family import bert, entries
from bertkit.kinds import Absolute, Disentangled, HeadConfig, Language

CONFIG = bert.CONFIG.but(vocabulary_size=128100, num_segments=0, layer_norm_epsilon=1e-7, positions=None,
                         attention=Disentangled(), pooler=None, family="deberta")
SIZES = {                                                                       # the README of microsoft/DeBERTa
    "deberta-v3-xsmall": CONFIG.but(num_heads=6, hidden_dim=384, intermediate_dim=1536),
    "deberta-v3-small": CONFIG.but(num_layers=6),
    "deberta-v3-base": CONFIG,
    "deberta-v3-large": CONFIG.but(num_layers=24, num_heads=16, hidden_dim=1024, intermediate_dim=4096),
    "mdeberta-v3-base": CONFIG.but(vocabulary_size=251000),
}

# A dense layer of the head's own reads the first token, with GELU; replaced tokens are told beside the first one.
_FIRST = HeadConfig("first", "gelu_erf")
HEADS: dict[str, Any] = {
    "classify": _FIRST, "choose": _FIRST, "tag": HeadConfig("each"), "answer": HeadConfig("each", dropout=0.0),
    "mlm": Language(), "rtd": HeadConfig("each", "encoder", dropout=0.0, beside_first=True)}
PRETRAINING = ("rtd",)

_TERMS = {"p2c": "from_places", "c2p": "to_places"}
_REFUSED = {"conv_kernel_size": 0, "embedding_size": None, "attention_head_size": None, "pooler_hidden_size": None}


def _read(values):
    _refuse_others(values)
    terms = values.get("pos_att_type") or []
    terms = [term.strip() for term in terms.lower().split("|")] if isinstance(terms, str) else terms
    if not isinstance(terms, list) or not set(map(str, terms)) <= set(_TERMS):
        raise Error(f"pos_att_type={str(terms)[:60]}; bertkit has {' and '.join(_TERMS)}.")
    farthest = entries.whole(values, "max_relative_positions", -1, least=-1)
    buckets = entries.whole(values, "position_buckets", -1, least=-1)
    norm = values.get("norm_rel_ebd") or "none"
    if norm not in ("none", "layer_norm"):
        raise Error(f"norm_rel_ebd={norm!r} is unknown; bertkit has none, layer_norm.")
    placed = entries.flag(values, "position_biased_input", True)
    return {"positions": Absolute() if placed else None, "attention": Disentangled(
        buckets if buckets > 0 else None,
        farthest if farthest > 0 else entries.whole(values, "max_position_embeddings", 512, least=1),
        shared=entries.flag(values, "share_att_key", False), norm=norm == "layer_norm",
        **{ours: theirs in terms for theirs, ours in _TERMS.items()})}


def _refuse_others(values):
    """Raise Error for what DeBERTa-v2 can have besides, and no DeBERTaV3 has."""
    if not entries.flag(values, "relative_attention", False):
        raise Error("relative_attention=false; bertkit reads DeBERTa with the attention of its paper, wanted true.")
    for key, usual in _REFUSED.items():
        given = values.get(key)
        if given and given != (usual if usual is not None else _usual(values, key)):
            raise Error(f"{key}={given!r}: bertkit has DeBERTa without a convolution, with one width for tokens, "
                        "blocks and the head; give a DeBERTaV3.")


def _usual(values, key):
    """Return the value of a key that changes nothing."""
    width = entries.whole(values, "hidden_size", CONFIG.hidden_dim, least=1)
    return width // entries.whole(values, "num_attention_heads", 12, least=1) if "head" in key else width


def _write(config):
    kind = config.attention
    if not isinstance(kind, Disentangled):
        raise Error(f"transformers' DeBERTa has disentangled attention in all layers, and this one has {kind}; save a "
                    "bundle instead.")
    farthest = -1 if kind.farthest == config.max_sequence_length else kind.farthest
    return {"relative_attention": True, "position_buckets": kind.buckets or -1, "max_relative_positions": farthest,
            "share_att_key": kind.shared, "norm_rel_ebd": "layer_norm" if kind.norm else "none",
            "position_biased_input": config.positions is not None,
            "pos_att_type": [theirs for theirs, ours in _TERMS.items() if getattr(kind, ours)], "legacy": True}


def _read_heads(values):
    """`pooler_dropout` is a rate before the dense layer; that of `cls_dropout` comes after it."""
    early, rate = entries.rate(values, "pooler_dropout"), entries.rate(values, "hidden_dropout_prob", 0.1)
    if early and early != entries.rate(values, "cls_dropout", rate):
        raise Error(f"pooler_dropout={early}; a head has one rate, so give 0 or that of cls_dropout.")
    kind = HeadConfig("first", entries.activation(values, "pooler_hidden_act"), drop_first=early > 0)
    return {"classify": kind, "choose": kind}


def _write_heads(kinds):
    return {key: value for name in ("classify", "choose") if name in kinds
            for key, value in (("pooler_hidden_act", entries.NAMES.get(kinds[name].activation, "gelu")),)}


_ATTENTION = "encoder/block_{i}/attention/"
HUGGINGFACE = bert.HUGGINGFACE.but(
    type="deberta-v2", class_name="DebertaV2", prefix="deberta.", causal="ForCausalLM",
    names={ours: theirs for ours, theirs in bert.HUGGINGFACE.names.items()
           if ours not in ("encoder/pooler", "nsp/logits")} | {
        "encoder/distances": "encoder.rel_embeddings", "encoder/distances/norm": "encoder.LayerNorm",
        **{_ATTENTION + name: f"encoder.layer.{{i}}.attention.self.{name}_proj" for name in ("query", "key", "value")},
        **{f"{_ATTENTION}place_{name}": f"encoder.layer.{{i}}.attention.self.pos_{name}_proj"
           for name in ("query", "key")},
        "classify/dense": "pooler.dense", "choose/dense": "pooler.dense",
        "rtd/sum_norm": "mask_predictions.LayerNorm", "rtd/dense": "mask_predictions.dense",
        "rtd/logits": "mask_predictions.classifier"},
    unused=("cls.", "pooler.", "classifier.", "qa_outputs.", "mask_predictions."),
    ignored=("embeddings.position_ids", "embeddings.position_embeddings.", "cls.predictions.decoder."),
    renames=((r"^lm_predictions\.lm_head\.(dense|LayerNorm)", r"cls.predictions.transform.\1"),
             (r"^lm_predictions\.lm_head\.bias", "cls.predictions.bias"),
             (r"^mask_predictions\.classifer", "mask_predictions.classifier")),
    defaults={"type_vocab_size": 0, "hidden_size": 1536, "num_hidden_layers": 24, "num_attention_heads": 24,
              "intermediate_size": 6144},
    dropouts={"classify": "cls_dropout", "choose": "cls_dropout", "tag": "classifier_dropout"},
    read=_read, write=_write, read_heads=_read_heads, write_heads=_write_heads)

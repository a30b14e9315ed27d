"""EuroBERT: Scaling Multilingual Encoders for European Languages (Boizard et al. 2025, arXiv 2503.05500).

LLaMA's block (Touvron et al. 2023, arXiv 2302.13971) read both ways: RMSNorm before, rotary positions, keys and values
that heads share (Ainslie et al. 2023, arXiv 2305.13245), SwiGLU, no biases. Texts are cut as by LLaMA 3.
"""

from typing import Any

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.family import bert, entries
from bertkit.family.formats import HuggingFace
from bertkit.kinds import Bare, Grouped, HeadConfig, Language, RootPreNorm

CONFIG = EncoderConfig(vocabulary_size=128256, num_layers=12, num_heads=12, hidden_dim=768, intermediate_dim=3072,
                       max_sequence_length=8192, num_segments=0, activation="silu", dropout=0.0, attention_dropout=0.0,
                       layer_norm_epsilon=1e-5, qkv_bias=False, attention=Grouped(base=250_000.0), positions=None,
                       inputs=Bare(), block=RootPreNorm(), pooler=None, family="eurobert")
_SIX = Grouped(base=250_000.0, key_heads=6)
SIZES = {"EuroBERT-210m": CONFIG,
         "EuroBERT-610m": CONFIG.but(num_layers=26, num_heads=18, hidden_dim=1152, intermediate_dim=4096,
                                     attention=_SIX),
         "EuroBERT-2.1B": CONFIG.but(num_layers=32, num_heads=18, hidden_dim=2304, intermediate_dim=6144,
                                     attention=_SIX)}
# classifier_pooling -> `HeadConfig.reduce`
_POOLINGS = {"late": "late", "bos": "first", "mean": "real"}


def _heads(pooling="late", bias=False):
    """Return the heads; the paper has none for choices, which get the classifier's here."""
    classify = HeadConfig(_POOLINGS[pooling], "gelu_erf")
    return {"classify": classify, "choose": classify, "tag": HeadConfig("each"), "answer": HeadConfig("each"),
            "mlm": Language(transform=False, tied=False, bias=bias)}


HEADS: dict[str, Any] = _heads()
PRETRAINING = ("mlm",)


def _read(values):
    heads = entries.whole(values, "num_attention_heads", CONFIG.num_heads, least=1)
    shared = entries.whole(values, "num_key_value_heads", heads, least=1)
    if heads % shared:
        raise Error(f"num_key_value_heads={shared}; wanted a number that divides num_attention_heads={heads}.")
    return {"attention": Grouped(entries.rope_theta(values, 10_000.0), None if shared == heads else shared),
            "head_size": entries.head_size(values, CONFIG.num_heads, CONFIG.hidden_dim),
            "qkv_bias": entries.flag(values, "attention_bias", False),
            "block": RootPreNorm(entries.flag(values, "mlp_bias", False))}


def _write(config):
    kind = config.attention
    if not isinstance(kind, Grouped) or not isinstance(config.block, RootPreNorm) or config.positions:
        raise Error(f"transformers' EuroBert has one kind of grouped attention and RMSNorms, and this one has {kind}, "
                    f"{config.block}; save a bundle instead.")
    # transformers' default pad_token_id is outside a small vocabulary.
    return {"rope_parameters": {"rope_type": "default", "rope_theta": kind.base}, "head_dim": config.head_dim,
            "num_key_value_heads": kind.key_heads or config.num_heads, "attention_bias": config.qkv_bias,
            "mlp_bias": config.block.feed_bias, "pad_token_id": None}


def _read_heads(values):
    """Read which vectors a classifier reads; the code of the paper calls the entry clf_pooling."""
    older = entries.choice(values, "clf_pooling", "late", _POOLINGS)
    return _heads(entries.choice(values, "classifier_pooling", older, _POOLINGS),
                  entries.flag(values, "mlp_bias", False))


def _write_heads(kinds):
    reduced = {kinds[name].reduce for name in ("classify", "choose") if name in kinds}
    found = [name for name, reduce in _POOLINGS.items() if reduce in reduced]
    return {"classifier_pooling": found[0]} if found else {}


_BLOCK, _THEIRS = "encoder/block_{i}/", "layers.{i}."
HUGGINGFACE = HuggingFace(
    type="eurobert", class_name="EuroBert", prefix="model.",
    names={
        "encoder/embeddings/token": "embed_tokens", "encoder/ending": "norm",
        _BLOCK + "attention_norm": _THEIRS + "input_layernorm",
        _BLOCK + "attention/query": _THEIRS + "self_attn.q_proj",
        _BLOCK + "attention/key": _THEIRS + "self_attn.k_proj",
        _BLOCK + "attention/value": _THEIRS + "self_attn.v_proj",
        _BLOCK + "attention/output": _THEIRS + "self_attn.o_proj",
        _BLOCK + "feed_norm": _THEIRS + "post_attention_layernorm", _BLOCK + "gate": _THEIRS + "mlp.gate_proj",
        _BLOCK + "inner": _THEIRS + "mlp.up_proj", _BLOCK + "outer": _THEIRS + "mlp.down_proj",
        "classify/dense": "dense", "choose/dense": "dense",
        **{f"{head}/logits": "classifier" for head in ("classify", "choose", "tag")}, "answer/logits": "qa_outputs",
        "mlm": "lm_head", "mlm/decoder": "lm_head"},
    config={name: key for name, key in bert.HUGGINGFACE.config.items() if name != "num_segments"} | {
        "head_size": "head_dim", "dropout": "hidden_dropout", "attention_dropout": "attention_dropout",
        "layer_norm_epsilon": "rms_norm_eps"},
    unused=("lm_head.", "dense.", "classifier.", "qa_outputs."), ignored=("rotary_emb.",), tied=False,
    read=_read, write=_write, read_heads=_read_heads, write_heads=_write_heads)

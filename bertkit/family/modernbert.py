"""ModernBERT: smarter, better, faster, longer (Warner et al. 2024, arXiv 2412.13663).

Rotary positions (Su et al. 2021, arXiv 2104.09864), two layers of three local, norms before and no biases, GeGLU
(Shazeer 2020, arXiv 2002.05202); one head block for every task. mmBERT (Marone et al. 2025, arXiv 2509.06888) is the
same encoder with Gemma 2's vocabulary, and one base of the angles for all layers.
"""

from dataclasses import replace

from bertkit.config import EncoderConfig
from bertkit.family import bert, layer_types
from bertkit.family.entries import NAMES, activation, choice, flag, rate
from bertkit.family.formats import HuggingFace
from bertkit.kinds import Bare, HeadConfig, Language, PreNorm, Rotary

GLOBAL, LOCAL = Rotary(base=160_000.0), Rotary(base=10_000.0, window=64)          # section 2.1.2
CONFIG = EncoderConfig(vocabulary_size=50368, num_layers=22, num_heads=12, hidden_dim=768, intermediate_dim=1152,
                       max_sequence_length=8192, num_segments=0, dropout=0.0, attention_dropout=0.0,
                       layer_norm_epsilon=1e-5, qkv_bias=False, attention=(GLOBAL, LOCAL, LOCAL), positions=None,
                       inputs=Bare(norm=True), block=PreNorm(), pooler=None, family="modernbert")
WIDE = replace(LOCAL, base=GLOBAL.base)
MULTILINGUAL = CONFIG.but(vocabulary_size=256000, attention=(GLOBAL, WIDE, WIDE))
SIZES = {"ModernBERT-base": CONFIG,
         "ModernBERT-large": CONFIG.but(num_layers=28, num_heads=16, hidden_dim=1024, intermediate_dim=2624),
         "mmBERT-base": MULTILINGUAL, "mmBERT-small": MULTILINGUAL.but(num_heads=6, hidden_dim=384)}


def _heads(pooling="cls", act="gelu_erf", bias=False, decoder_bias=True):
    """Return the heads: the same block on each token or on one vector; for choices cls is the first real token."""
    block = HeadConfig("each", act, norm=True, bias=bias)
    return {"classify": replace(block, reduce={"cls": "first", "mean": "real"}[pooling]),
            "choose": replace(block, reduce={"cls": "start", "mean": "real"}[pooling]),
            "tag": block, "answer": block, "mlm": Language(act, dense_bias=bias, bias=decoder_bias)}


HEADS = _heads()
PRETRAINING = ("mlm",)


def _read(values):
    block = PreNorm(flag(values, "norm_bias", False), flag(values, "mlp_bias", False), rate(values, "mlp_dropout"))
    return {"attention": layer_types.read({"num_hidden_layers": CONFIG.num_layers, **values}, GLOBAL, LOCAL),
            "qkv_bias": flag(values, "attention_bias", False), "block": block}


def _write(config):
    # transformers' default pad_token_id is outside a small vocabulary.
    return {**layer_types.write(config, GLOBAL, LOCAL), "attention_bias": config.qkv_bias, "pad_token_id": None,
            "norm_bias": config.norm_bias, "mlp_bias": config.block.feed_bias, "mlp_dropout": config.block.feed_dropout}


def _read_heads(values):
    return _heads(choice(values, "classifier_pooling", "cls", ("cls", "mean")),
                  activation(values, "classifier_activation"), flag(values, "classifier_bias", False),
                  flag(values, "decoder_bias", True))


def _write_heads(kinds):
    if not kinds:
        return {}
    ((name, kind),) = kinds.items()
    words = {"classifier_bias": kind.dense_bias, "decoder_bias": kind.bias} if name == "mlm" else {
        "classifier_bias": kind.bias, "classifier_pooling": "mean" if kind.reduce == "real" else "cls"}
    return {"classifier_activation": NAMES.get(kind.activation, "gelu"), **words}


_BLOCK = "encoder/block_{i}/"
HUGGINGFACE = HuggingFace(
    type="modernbert", class_name="ModernBert", prefix="model.",
    names={
        "encoder/embeddings/token": "embeddings.tok_embeddings",
        "encoder/embeddings/norm": "embeddings.norm",
        _BLOCK + "attention_norm": "layers.{i}.attn_norm",
        _BLOCK + "attention/qkv": "layers.{i}.attn.Wqkv",
        _BLOCK + "attention/output": "layers.{i}.attn.Wo",
        _BLOCK + "feed_norm": "layers.{i}.mlp_norm",
        _BLOCK + "inner": "layers.{i}.mlp.Wi",
        _BLOCK + "outer": "layers.{i}.mlp.Wo",
        "encoder/ending": "final_norm",
        **{f"{head}/{layer}": f"head.{layer}" for head in HEADS for layer in ("dense", "norm")},
        **{f"{head}/logits": "classifier" for head in HEADS if head != "mlm"},
        "mlm": "decoder", "mlm/decoder": "decoder",
    },
    config={name: key for name, key in bert.HUGGINGFACE.config.items() if name != "num_segments"} | {
        "activation": "hidden_activation", "dropout": "embedding_dropout", "attention_dropout": "attention_dropout",
        "layer_norm_epsilon": "norm_eps"},
    unused=("head.", "classifier.", "decoder."), ignored=("decoder.weight",),
    dropouts=dict.fromkeys(("classify", "choose", "tag", "answer"), "classifier_dropout"),
    read=_read, write=_write, read_heads=_read_heads, write_heads=_write_heads)

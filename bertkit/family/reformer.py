"""Reformer: The Efficient Transformer (Kitaev et al. 2020, arXiv 2001.04451).

Attention among tokens of like hashes and within chunks (section 2), reversible residuals (section 3), positions as rows
and columns (appendix). CONFIG holds the defaults of transformers.
"""

from dataclasses import replace

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.family import entries
from bertkit.family.formats import HuggingFace
from bertkit.family.layer_types import cycle
from bertkit.kinds import Absolute, Axial, Bare, Hash, HeadConfig, Language, Local, Reversible
from bertkit.kinds.values import check

CONFIG = EncoderConfig(vocabulary_size=320, num_layers=6, num_heads=12, hidden_dim=256, intermediate_dim=512,
                       max_sequence_length=4096, num_segments=0, head_size=64, activation="relu", dropout=0.05,
                       attention_dropout=0.05, qkv_bias=False, family="reformer",
                       attention=(Local(), Hash(dropout=0.0)), positions=Axial(), inputs=Bare(), block=Reversible(),
                       pooler=None)

_NEAR, _ALIKE = Local(128, causal=True), Hash(256, causal=True, hashes=4, buckets=512, dropout=0.1)
SIZES = {
    "reformer-crime-and-punishment": CONFIG.but(
        attention=(Local(causal=True), Hash(causal=True, buckets=(64, 128), dropout=0.0)), num_heads=2,
        max_sequence_length=524_288, positions=Axial((512, 1024), (64, 192))),
    "reformer-enwik8": CONFIG.but(
        attention=(_NEAR, _NEAR, _ALIKE, _NEAR), vocabulary_size=258, num_layers=12, num_heads=8, head_size=128,
        hidden_dim=1024, intermediate_dim=4096, max_sequence_length=65_536, dropout=0.2, attention_dropout=0.2,
        positions=Axial((128, 512), (256, 768))),
}

# The code of transformers, where heads read both streams.
_FIRST = HeadConfig("first", "tanh", drop_first=True)
HEADS = {"classify": _FIRST, "choose": _FIRST, "tag": HeadConfig("each"), "answer": HeadConfig("each"),
         "mlm": Language(transform=False, tied=False, bias=False)}
PRETRAINING = ("mlm",)

# A kind's fields -> the keys of config.json.
_KEYS = {
    Local: {"chunk": "local_attn_chunk_length", "before": "local_num_chunks_before", "after": "local_num_chunks_after"},
    Hash: {"chunk": "lsh_attn_chunk_length", "before": "lsh_num_chunks_before", "after": "lsh_num_chunks_after",
           "hashes": "num_hashes", "buckets": "num_buckets", "seed": "hash_seed",
           "dropout": "lsh_attention_probs_dropout_prob"},
    Axial: {"shape": "axial_pos_shape", "widths": "axial_pos_embds_dim", "deviation": "axial_norm_std"}}


def _described(kind, values):
    """Return a kind as config.json describes it; the `Error` on a wrong value names its key."""
    for name, key in _KEYS[type(kind)].items():
        value = values.get(key, getattr(kind, name))
        kind = replace(kind, **{name: tuple(value) if isinstance(value, list) else value})
        try:
            check(kind)
        except Error as error:
            raise Error(f"{key}={value!r} is wrong: {error}") from None
    return kind


def _read(values):
    causal, names = entries.flag(values, "is_decoder", False), str(values.get("architectures"))
    if "WithLMHead" in names and not causal or "ForMaskedLM" in names and causal:
        raise Error(f"is_decoder={causal} came with {names}; give true for a ModelWithLMHead, false for a ForMaskedLM.")
    if "LM" in names and values.get("tie_word_embeddings"):
        raise Error("tie_word_embeddings=true, and Reformer's decoder is twice as wide as its tokens; set it to false.")
    kinds = {"local": _described(Local(causal=causal), values),
             "lsh": _described(Hash(causal=causal, dropout=0.0), values)}
    layers = values.get("attn_layers", ["local", "lsh"] * 3)
    count = values.get("num_hidden_layers")
    if not (isinstance(layers, list) and layers and set(map(str, layers)) <= set(kinds)
            and count in (None, len(layers))):
        raise Error(f"attn_layers={str(layers)[:80]}; wanted local or lsh for each of num_hidden_layers={count!r}.")
    axial = entries.flag(values, "axial_pos_embds", True)
    return {"num_layers": len(layers), "attention": cycle(tuple(kinds[name] for name in layers)),
            "positions": _described(Axial(), values) if axial else Absolute()}


def _write(config):
    layers = [config.attention_of(i) for i in range(config.num_layers)]
    distinct, axial = dict.fromkeys(layers), isinstance(config.positions, Axial)
    types, rate = {(type(kind), layers[0].causal == kind.causal) for kind in distinct}, config.attention_dropout
    if len(types & {(Local, True), (Hash, True)}) < len(distinct):
        raise Error("Hugging Face's Reformer has one kind of local and one of hashed layers; save a bundle instead.")
    dropping = [replace(kind, dropout=rate) if getattr(kind, "dropout", 0) is None else kind for kind in distinct]
    written = {key: getattr(kind, name) for kind in dropping + [config.positions] * axial
               for name, key in _KEYS[type(kind)].items()}
    return {**written, "attn_layers": ["local" if isinstance(kind, Local) else "lsh" for kind in layers],
            "num_hidden_layers": config.num_layers, "attention_head_size": config.head_dim, "axial_pos_embds": axial,
            "is_decoder": layers[0].causal}


_BLOCK, _LAYER = "encoder/block_{i}/", "encoder.layers.{i}."
HUGGINGFACE = HuggingFace(
    type="reformer", class_name="Reformer", prefix="reformer.",
    names={
        "encoder/embeddings/token": "embeddings.word_embeddings",
        "encoder/embeddings/position": "embeddings.position_embeddings.embedding",
        "encoder/embeddings/position/rows": "embeddings.position_embeddings.weights.0",
        "encoder/embeddings/position/columns": "embeddings.position_embeddings.weights.1",
        _BLOCK + "attention_norm": _LAYER + "attention.layer_norm",
        **{f"{_BLOCK}attention/{name}": f"{_LAYER}attention.self_attention.{name}"
           for name in ("query", "key", "value", "query_key")},
        _BLOCK + "attention/output": _LAYER + "attention.output.dense",
        _BLOCK + "feed_norm": _LAYER + "feed_forward.layer_norm",
        _BLOCK + "inner": _LAYER + "feed_forward.dense.dense", _BLOCK + "outer": _LAYER + "feed_forward.output.dense",
        "encoder/ending/norm": "encoder.layer_norm", "classify/dense": "classifier.dense",
        "classify/logits": "classifier.out_proj",
        "answer/logits": "qa_outputs", "mlm": "lm_head", "mlm/decoder": "lm_head.decoder",
    },
    config={
        "vocabulary_size": "vocab_size", "num_heads": "num_attention_heads", "head_size": "attention_head_size",
        "hidden_dim": "hidden_size", "intermediate_dim": "feed_forward_size",
        "max_sequence_length": "max_position_embeddings", "activation": "hidden_act", "dropout": "hidden_dropout_prob",
        "attention_dropout": "local_attention_probs_dropout_prob", "layer_norm_epsilon": "layer_norm_eps",
        "initializer_range": "initializer_range",
    },
    unused=("lm_head.", "classifier.", "qa_outputs."), ignored=("lm_head.bias",), causal="ModelWithLMHead", tied=False,
    read=_read, write=_write)

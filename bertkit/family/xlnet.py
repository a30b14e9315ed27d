"""XLNet: Generalized Autoregressive Pretraining for Language Understanding (Yang et al. 2019, arXiv 1906.08237).

Tokens are predicted in any order: a query stream knows where it stands and, of the content, what comes before it in
that order (section 2.3). Scores are by content, distance and segment, over earlier texts too (sections 2.4 and 2.5).
"""

from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.family import entries, summary
from bertkit.family.formats import Google, HuggingFace
from bertkit.kinds import Bare, Beam, HeadConfig, Language, Relative, TwoStream

CONFIG = EncoderConfig(vocabulary_size=32000, num_layers=12, num_heads=12, hidden_dim=768, intermediate_dim=3072,
                       num_segments=0, family="xlnet", attention=Relative(), positions=None, inputs=Bare(),
                       block=TwoStream(), pooler=None)
SIZES = {
    "xlnet-base-cased": CONFIG,
    "xlnet-large-cased": CONFIG.but(num_layers=24, num_heads=16, hidden_dim=1024, intermediate_dim=4096),
}

# The code of the release: the last token sums up a text (modeling.py, summarize_sequence), answers are searched for.
HEADS = {"classify": HeadConfig("last", "tanh", dropout=0.1), "choose": HeadConfig("last", "tanh", dropout=0.1),
         "tag": HeadConfig("each", dropout=0.0), "answer": HeadConfig("each", dropout=0.0), "beam": Beam(),
         "mlm": Language(transform=False)}
PRETRAINING = ("mlm",)


def _head_size(values):
    """Return the size of a head, which is D / N unless `d_head` says otherwise."""
    size = entries.whole(values, "d_head", 0)
    return {"head_size": size} if size and size * (values.get("n_head") or 1) != values.get("d_model") else {}


def _read(values):
    """Return more fields: `mem_len` null or 0 remembers all tokens, and `use_mems_eval` false none."""
    return {**_head_size(values), "attention": Relative(
        causal=entries.choice(values, "attn_type", "bi", ("bi", "uni")) == "uni",
        clamp=entries.whole(values, "clamp_len", -1, least=-1),
        same_length=entries.flag(values, "same_length", False),
        mirrored=entries.flag(values, "bi_data", False),
        memory=entries.whole(values, "mem_len", 0) if entries.flag(values, "use_mems_eval", True) else None,
        reuse=entries.whole(values, "reuse_len", 0) or None)}


def _write(config):
    kind = config.attention
    if config.num_heads * config.head_dim != config.hidden_dim:
        raise Error(f"d_head={config.head_dim}: transformers' XLNet has heads as wide as d_model / n_head; save a "
                    "bundle instead.")
    return {"attn_type": "uni" if kind.causal else "bi", "clamp_len": kind.clamp, "same_length": kind.same_length,
            "bi_data": kind.mirrored, "use_mems_eval": kind.memory is not None, "mem_len": kind.memory or None,
            "reuse_len": kind.reuse, "d_head": config.head_dim}


def _read_heads(values):
    read = summary.read(values, "last", "tanh")
    return {"classify": read, "choose": read, "beam": Beam(starts=entries.whole(values, "start_n_top", 5, least=1),
                                                           ends=entries.whole(values, "end_n_top", 5, least=1))}


def _write_heads(kinds):
    written = {}
    for kind in (kinds[name] for name in ("classify", "choose") if name in kinds):
        written |= summary.write(kind)
    if "beam" in kinds:
        written |= {"start_n_top": kinds["beam"].starts, "end_n_top": kinds["beam"].ends}
    return written


_BLOCK, _ATTENTION = "encoder/block_{i}/", "encoder/block_{i}/attention/"
_BIASES = {"content_bias": "r_w_bias", "place_bias": "r_r_bias", "segment_bias": "r_s_bias", "segments": "seg_embed"}
_MATRICES = {"query": "q", "key": "k", "value": "v", "place": "r", "output": "o"}
_SIZES = {"num_layers": "n_layer", "num_heads": "n_head", "hidden_dim": "d_model", "intermediate_dim": "d_inner",
          "activation": "ff_activation"}
HUGGINGFACE = HuggingFace(
    type="xlnet", class_name="XLNet", prefix="transformer.",
    names={
        "encoder/embeddings/token": "word_embedding", "encoder/beginning/target": "mask_emb",
        **{f"{_ATTENTION}{ours}/kernel": f"layer.{{i}}.rel_attn.{theirs}" for ours, theirs in _MATRICES.items()},
        **{_ATTENTION + ours: f"layer.{{i}}.rel_attn.{theirs}" for ours, theirs in _BIASES.items()},
        _BLOCK + "attention_norm": "layer.{i}.rel_attn.layer_norm",
        _BLOCK + "inner": "layer.{i}.ff.layer_1", _BLOCK + "outer": "layer.{i}.ff.layer_2",
        _BLOCK + "output_norm": "layer.{i}.ff.layer_norm",
        "classify/dense": "sequence_summary.summary", "classify/logits": "logits_proj",
        "choose/dense": "sequence_summary.summary", "choose/logits": "logits_proj",
        "tag/logits": "classifier", "answer/logits": "qa_outputs", "mlm": "lm_loss", "mlm/decoder": "lm_loss",
        "beam/start": "start_logits.dense", "beam/end_dense": "end_logits.dense_0",
        "beam/end_norm": "end_logits.LayerNorm", "beam/end": "end_logits.dense_1",
        "beam/impossible_dense": "answer_class.dense_0", "beam/impossible": "answer_class.dense_1",
    },
    config={"vocabulary_size": "vocab_size", **_SIZES, "attention_dropout": "dropout", "dropout": "dropout",
            "layer_norm_epsilon": "layer_norm_eps", "initializer_range": "initializer_range"},
    unused=("lm_loss.", "sequence_summary.", "logits_proj.", "classifier.", "qa_outputs.", "start_logits.",
           "end_logits.", "answer_class."),
    ignored=("lm_loss.weight",),
    defaults={"n_layer": 24, "n_head": 16, "d_model": 1024, "d_inner": 4096, "mem_len": 512},
    dropouts={"classify": "summary_last_dropout", "choose": "summary_last_dropout"},
    read=_read, write=_write, read_heads=_read_heads, write_heads=_write_heads,
    classes={"LMHeadModel": "LanguageModel", "ForQuestionAnswering": "BeamQuestionAnswering",
             "ForQuestionAnsweringSimple": "QuestionAnswering"})

# zihangdai/xlnet, modeling.py: biases are stacked over the layers, or shared by all. Its "gelu" is the tanh form;
# transformers' copies of the released weights run the exact one, which is followed here.
_SCOPE, _LAYER = "model/transformer/", "model/transformer/layer_{i}/"
GOOGLE = Google(
    file="xlnet_config.json", config={"vocabulary_size": "n_token", **_SIZES}, gelu="gelu_erf",
    read=_head_size, unused=("model/lm_loss/",),
    names={
        "encoder/embeddings/token": _SCOPE + "word_embedding/lookup_table",
        "encoder/beginning/target": _SCOPE + "mask_emb/mask_emb",
        **{_ATTENTION + ours: f"{_LAYER}rel_attn/{theirs}" for ours, theirs in _MATRICES.items()},
        **{_ATTENTION + ours: f"{_SCOPE}{theirs}[{{i}}]" for ours, theirs in _BIASES.items()},
        _BLOCK + "attention_norm": _LAYER + "rel_attn/LayerNorm",
        _BLOCK + "inner": _LAYER + "ff/layer_1", _BLOCK + "outer": _LAYER + "ff/layer_2",
        _BLOCK + "output_norm": _LAYER + "ff/LayerNorm", "mlm": "model/lm_loss"})

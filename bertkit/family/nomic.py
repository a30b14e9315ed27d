"""Nomic BERT, of Nomic Embed (Nussbaum et al. 2024, arXiv 2402.01613): BERT for texts of 2048 tokens.

Rotary positions (Su et al. 2021, arXiv 2104.09864) of a small base, SwiGLU (Shazeer 2020, arXiv 2002.05202), no biases,
no dropout. Files have the names of its code, which transformers reads and writes too; config.json has the keys of GPT-2
there, and those of BERT in transformers.
"""

from typing import Any

from bertkit.errors import Error
from bertkit.family import bert, entries
from bertkit.kinds import GatedPost, HeadConfig, Language, Rotary

CONFIG = bert.CONFIG.but(vocabulary_size=30528, max_sequence_length=2048, activation="silu", dropout=0.0,
                         attention_dropout=0.0, qkv_bias=False, attention=Rotary(base=1000.0), positions=None,
                         block=GatedPost(), pooler=None, family="nomic")
SIZES = dict.fromkeys(("nomic-bert-2048", "nomic-embed-text-v1", "nomic-embed-text-v1.5",
                       "nomic-embed-text-v1-unsupervised"), CONFIG)

# BERT's pooler, which only models with such a head have, is a dense layer of the head's own.
_FIRST = HeadConfig("first", "tanh")
HEADS: dict[str, Any] = {"classify": _FIRST, "choose": _FIRST, "tag": HeadConfig("each"), "answer": HeadConfig("each"),
                         "mlm": Language()}
PRETRAINING = ("mlm",)

# Its code: what bertkit reads, and the values of what changes the equations and is in no published model.
_OLDER = {"vocabulary_size": "vocab_size", "num_layers": "n_layer", "num_heads": "n_head", "hidden_dim": "n_embd",
          "intermediate_dim": "n_inner", "max_sequence_length": "n_positions", "num_segments": "type_vocab_size",
          "layer_norm_epsilon": "layer_norm_epsilon", "initializer_range": "initializer_range",
          "dropout": "resid_pdrop", "attention_dropout": "attn_pdrop"}
_ACTIVATIONS = {"swiglu": "silu", "geglu": "gelu_erf"}
_USUAL = {"prenorm": False, "parallel_block": False, "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False,
          "rotary_emb_scale_base": None, "rotary_scaling_factor": None, "qkv_proj_bias": False, "mlp_fc1_bias": False,
          "mlp_fc2_bias": False, "use_rms_norm": False, "causal": False, "num_experts": 0,
          "scale_attn_by_inverse_layer_idx": False}


def _read(values):
    if "n_embd" in values:
        return _read_older(values)
    return {"head_size": entries.head_size(values, CONFIG.num_heads, CONFIG.hidden_dim),
            "attention": Rotary(entries.rope_theta(values, CONFIG.attention.base))}


def _read_older(values):
    """Read the keys of its own code."""
    for key, usual in _USUAL.items():
        if (values.get(key) or usual) != usual:
            raise Error(f"{key}={values[key]!r}; bertkit reads nomic-bert with {key}={usual!r}, as it was published.")
    fields = {ours: values[theirs] for ours, theirs in _OLDER.items() if values.get(theirs) is not None}
    act = entries.choice(values, "activation_function", "swiglu", _ACTIVATIONS)
    return {"intermediate_dim": 4 * values["n_embd"], **fields, "activation": _ACTIVATIONS[act],
            "attention": Rotary(entries.number(values, "rotary_emb_base", 10_000.0, least=1))}


def _write(config):
    kind = config.attention
    if kind != Rotary(getattr(kind, "base", 0)) or config.block != GatedPost() or config.positions or config.qkv_bias:
        raise Error(f"transformers' NomicBert has one kind of rotary attention and no biases, and this one has {kind}, "
                    f"{config.block}; save a bundle instead.")
    return {"rope_parameters": {"rope_type": "default", "rope_theta": kind.base}, "head_dim": config.head_dim}


# transformers' own names, which it has in memory and a state_dict that was saved as it is.
_IN_MEMORY = ((r"^layers\.", "encoder.layers."), ("self_attn.o_proj", "attn.out_proj"), ("mlp.up_proj", "mlp.fc11"),
              ("mlp.gate_proj", "mlp.fc12"), ("mlp.down_proj", "mlp.fc2"), ("post_attention_layernorm", "norm1"),
              ("post_mlp_layernorm", "norm2"))
_BLOCK, _THEIRS = "encoder/block_{i}/", "encoder.layers.{i}."
HUGGINGFACE = bert.HUGGINGFACE.but(
    type="nomic_bert", class_name="NomicBert", prefix="nomic_bert.", causal="ForCausalLM",
    config={**bert.HUGGINGFACE.config, "head_size": "head_dim"},
    names={
        "encoder/embeddings/token": "embeddings.word_embeddings",
        "encoder/embeddings/segment": "embeddings.token_type_embeddings", "encoder/embeddings/norm": "emb_ln",
        _BLOCK + "attention/qkv": _THEIRS + "attn.Wqkv", _BLOCK + "attention/output": _THEIRS + "attn.out_proj",
        _BLOCK + "attention_norm": _THEIRS + "norm1", _BLOCK + "inner": _THEIRS + "mlp.fc11",
        _BLOCK + "gate": _THEIRS + "mlp.fc12", _BLOCK + "outer": _THEIRS + "mlp.fc2",
        _BLOCK + "output_norm": _THEIRS + "norm2",
        "classify/dense": "nomic_bert.pooler.dense", "choose/dense": "nomic_bert.pooler.dense",
        "classify/logits": "classifier", "choose/logits": "classifier", "tag/logits": "classifier",
        "answer/logits": "qa_outputs", "mlm/dense": "cls.predictions.transform.dense",
        "mlm/norm": "cls.predictions.transform.layer_norm", "mlm": "cls.predictions",
        "mlm/decoder": "cls.predictions.decoder"},
    unused=("cls.", "nomic_bert.pooler.", "classifier.", "qa_outputs."),
    ignored=("embeddings.position_ids", "rotary_emb.", "cls.predictions.decoder."),
    renames=((r"^bert\.", ""), (r"^pooler\.", "nomic_bert.pooler."), (r"^embeddings\.LayerNorm\.", "emb_ln."),
             (r"^cls\.predictions\.transform\.LayerNorm\.", "cls.predictions.transform.layer_norm."), *_IN_MEMORY),
    joined={"attn.Wqkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")},
    defaults={}, read=_read, write=_write)

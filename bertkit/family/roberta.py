"""RoBERTa: A Robustly Optimized BERT Pretraining Approach (Liu et al. 2019, arXiv 1907.11692).

BERT without next-sentence prediction and segments; its code counts positions from the padding id on.
`distilroberta-base` is its distilled half (Sanh et al. 2019, arXiv 1910.01108).
"""

from typing import Any

from bertkit.errors import Error
from bertkit.family import bert, entries
from bertkit.kinds import Absolute, Full, HeadConfig, Language

# 514 positions hold 512 tokens: those of id 0 and of padding, 1, stand before them.
CHANGES = {"vocabulary_size": 50265, "max_sequence_length": 514, "num_segments": 1, "layer_norm_epsilon": 1e-5,
           "positions": Absolute(pad_id=1), "family": "roberta"}
CONFIG, LARGE = bert.CONFIG.but(**CHANGES), bert.LARGE.but(**CHANGES)
SIZES = {"roberta-base": CONFIG, "roberta-large": LARGE, "roberta-large-mnli": LARGE,
         "distilroberta-base": CONFIG.but(num_layers=6)}

# A sentence's vector is its first token (fairseq's classification head). The mlm head has the exact GELU in any case.
HEADS: dict[str, Any] = {
    "classify": HeadConfig("first", "tanh", drop_first=True), "choose": HeadConfig(), "tag": HeadConfig("each"),
    "answer": HeadConfig("each", dropout=0.0), "mlm": Language("gelu_erf")}
PRETRAINING = ("mlm",)


def _read(values):
    return {"attention": Full(causal=entries.flag(values, "is_decoder", False)),
            "positions": Absolute(pad_id=entries.whole(values, "pad_token_id", 1))}


def _write(config):
    if not config.num_segments or config.positions.pad_id is None:
        raise Error("transformers' RoBERTa has a segment and counts positions from the padding id, and this one, of "
                    "keras-nlp, does not; save a bundle instead.")
    return {"is_decoder": config.attention.causal, "pad_token_id": config.positions.pad_id}


HUGGINGFACE = bert.HUGGINGFACE.but(
    type="roberta", class_name="Roberta", prefix="roberta.", causal="ForCausalLM",
    names={ours: theirs for ours, theirs in bert.HUGGINGFACE.names.items()
           if ours.startswith(("encoder/", "choose/", "tag/", "answer/"))} | {
        "classify/dense": "classifier.dense", "classify/logits": "classifier.out_proj",
        "mlm/dense": "lm_head.dense", "mlm/norm": "lm_head.layer_norm",
        "mlm": "lm_head", "mlm/decoder": "lm_head.decoder"},
    unused=("lm_head.", "classifier.", "qa_outputs."),
    ignored=("embeddings.position_ids", "embeddings.token_type_ids", "lm_head.decoder."),
    defaults={"max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12},
    read=_read, write=_write)

# keras-nlp leaves out the segment, whose vector is zero, and the rows of positions that no token has.
_TABLES = "layers/token_and_position_embedding/"
PRESET = bert.PRESET.but(
    class_name="RobertaBackbone", gelu="gelu_erf",
    names={ours: theirs for ours, theirs in bert.PRESET.names.items() if ours.startswith("encoder/block")} | {
        "encoder/embeddings/token": _TABLES + "token_embedding",
        "encoder/embeddings/position": _TABLES + "position_embedding",
        "encoder/embeddings/norm": "layers/layer_normalization"},
    read=lambda values: {"positions": Absolute(), "num_segments": 0, "pooler": None})

"""DistilBERT, a distilled version of BERT: smaller, faster, cheaper and lighter (Sanh et al. 2019, arXiv 1910.01108).

Half of BERT's blocks; no segments, no pooler.
"""

from bertkit.family import bert, entries, roberta
from bertkit.family.formats import HuggingFace
from bertkit.kinds import Absolute, HeadConfig, Language

CONFIG = bert.CONFIG.but(num_layers=6, num_segments=0, pooler=None, family="distilbert")
SIZES = {
    "distilbert-base-uncased": CONFIG,
    "distilbert-base-cased": CONFIG.but(**bert.CASED),
    "distilbert-base-multilingual-cased": CONFIG.but(vocabulary_size=119547),
    "distilbert-base-uncased-finetuned-sst-2-english": CONFIG,
}

# A head of its own where BERT has the pooler, with twice the dropout (the rates are those of its published config).
_FIRST = HeadConfig("first", "relu", dropout=0.2)
HEADS = {"classify": _FIRST, "choose": _FIRST, "tag": HeadConfig("each"), "answer": HeadConfig("each", dropout=0.1),
         "mlm": Language()}
PRETRAINING = ("mlm",)

_BLOCK, _THEIRS = "encoder/block_{i}/", "transformer.layer.{i}."
HUGGINGFACE = HuggingFace(
    type="distilbert", class_name="DistilBert", prefix="distilbert.",
    names={
        "encoder/embeddings/token": "embeddings.word_embeddings",
        "encoder/embeddings/position": "embeddings.position_embeddings",
        "encoder/embeddings/norm": "embeddings.LayerNorm",
        _BLOCK + "attention/query": _THEIRS + "attention.q_lin",
        _BLOCK + "attention/key": _THEIRS + "attention.k_lin",
        _BLOCK + "attention/value": _THEIRS + "attention.v_lin",
        _BLOCK + "attention/output": _THEIRS + "attention.out_lin",
        _BLOCK + "attention_norm": _THEIRS + "sa_layer_norm",
        _BLOCK + "inner": _THEIRS + "ffn.lin1",
        _BLOCK + "outer": _THEIRS + "ffn.lin2",
        _BLOCK + "output_norm": _THEIRS + "output_layer_norm",
        "classify/dense": "pre_classifier", "classify/logits": "classifier",
        "choose/dense": "pre_classifier", "choose/logits": "classifier",
        "tag/logits": "classifier", "answer/logits": "qa_outputs",
        "mlm/dense": "vocab_transform", "mlm/norm": "vocab_layer_norm",
        "mlm": "vocab_projector", "mlm/decoder": "vocab_projector",
    },
    config={
        "vocabulary_size": "vocab_size", "num_layers": "n_layers", "num_heads": "n_heads", "hidden_dim": "dim",
        "intermediate_dim": "hidden_dim", "max_sequence_length": "max_position_embeddings",
        "activation": "activation", "dropout": "dropout", "attention_dropout": "attention_dropout",
        "initializer_range": "initializer_range",
    },
    unused=("vocab_", "pre_classifier.", "classifier.", "qa_outputs."),
    ignored=("embeddings.position_ids", "vocab_projector.weight"),
    dropouts={"classify": "seq_classif_dropout", "choose": "seq_classif_dropout", "answer": "qa_dropout"},
    read=lambda values: {"positions": Absolute(sinusoidal=entries.flag(values, "sinusoidal_pos_embds", False))},
    write=lambda config: {"sinusoidal_pos_embds": config.positions.sinusoidal})

PRESET = roberta.PRESET.but(class_name="DistilBertBackbone", read=lambda values: {})

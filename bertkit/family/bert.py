"""BERT: Pre-training of Deep Bidirectional Transformers (Devlin et al. 2018, arXiv 1810.04805).

Sizes besides base and large: small BERTs (Turc et al. 2019, arXiv 1908.08962), whole-word masking and multilingual
models (README of the BERT release), BERTje (de Vries et al. 2019, arXiv 1912.09582), TinyBERT (Jiao et al. 2019, arXiv
1909.10351), MiniLM (Wang et al. 2020, arXiv 2002.10957).
"""

from bertkit.config import EncoderConfig
from bertkit.family import entries
from bertkit.family.formats import Google, HuggingFace, Preset
from bertkit.kinds import Full, HeadConfig, Language

CONFIG = EncoderConfig(vocabulary_size=30522, num_layers=12, num_heads=12, hidden_dim=768,
                       intermediate_dim=3072)
LARGE = CONFIG.but(num_layers=24, num_heads=16, hidden_dim=1024, intermediate_dim=4096)
CASED = {"vocabulary_size": 28996}


def _small(num_layers, hidden_dim):
    """Return a BERT with one head for every 64 features and a feed-forward network four times as wide."""
    return CONFIG.but(num_layers=num_layers, num_heads=hidden_dim // 64, hidden_dim=hidden_dim,
                      intermediate_dim=4 * hidden_dim)


SIZES = {
    "bert-base-uncased": CONFIG,
    "bert-base-cased": CONFIG.but(**CASED),
    "bert-large-uncased": LARGE,
    "bert-large-cased": LARGE.but(**CASED),
    "bert-large-uncased-whole-word-masking": LARGE,
    "bert-large-cased-whole-word-masking": LARGE.but(**CASED),
    "bert-base-multilingual-cased": CONFIG.but(vocabulary_size=119547),
    "bert-base-multilingual-uncased": CONFIG.but(vocabulary_size=105879),
    "bert-base-chinese": CONFIG.but(vocabulary_size=21128),
    "bert-base-dutch-cased": CONFIG.but(vocabulary_size=30073),
    "TinyBERT_General_4L_312D": CONFIG.but(num_layers=4, hidden_dim=312, intermediate_dim=1200),
    "TinyBERT_General_6L_768D": CONFIG.but(num_layers=6),
    "bert-tiny": _small(2, 128),
    "bert-mini": _small(4, 256),
    "bert-small": _small(4, 512),
    "bert-medium": _small(8, 512),
    "all-MiniLM-L6-v2": CONFIG.but(num_layers=6, hidden_dim=384, intermediate_dim=1536),
    "all-MiniLM-L12-v2": CONFIG.but(hidden_dim=384, intermediate_dim=1536),
    **{f"bert_uncased_L-{layers}_H-{width}_A-{width // 64}": _small(layers, width)
       for layers in (2, 4, 6, 8, 10, 12) for width in (128, 256, 512, 768)},
}

# Section 4: the pooled token for sentences, each token for tags and spans, what it was pre-trained with.
HEADS = {"classify": HeadConfig(), "choose": HeadConfig(), "tag": HeadConfig("each"), "answer": HeadConfig("each"),
         "mlm": Language(), "nsp": HeadConfig()}
PRETRAINING = ("mlm", "nsp")

_BLOCK = "encoder/block_{i}/"
HUGGINGFACE = HuggingFace(
    type="bert", class_name="Bert", prefix="bert.", causal="LMHeadModel",
    names={
        "encoder/embeddings/token": "embeddings.word_embeddings",
        "encoder/embeddings/position": "embeddings.position_embeddings",
        "encoder/embeddings/segment": "embeddings.token_type_embeddings",
        "encoder/embeddings/norm": "embeddings.LayerNorm",
        _BLOCK + "attention/query": "encoder.layer.{i}.attention.self.query",
        _BLOCK + "attention/key": "encoder.layer.{i}.attention.self.key",
        _BLOCK + "attention/value": "encoder.layer.{i}.attention.self.value",
        _BLOCK + "attention/output": "encoder.layer.{i}.attention.output.dense",
        _BLOCK + "attention_norm": "encoder.layer.{i}.attention.output.LayerNorm",
        _BLOCK + "inner": "encoder.layer.{i}.intermediate.dense",
        _BLOCK + "outer": "encoder.layer.{i}.output.dense",
        _BLOCK + "output_norm": "encoder.layer.{i}.output.LayerNorm",
        "encoder/pooler": "pooler.dense",
        "classify/logits": "classifier", "choose/logits": "classifier", "tag/logits": "classifier",
        "answer/logits": "qa_outputs", "nsp/logits": "cls.seq_relationship",
        "mlm/dense": "cls.predictions.transform.dense", "mlm/norm": "cls.predictions.transform.LayerNorm",
        "mlm": "cls.predictions", "mlm/decoder": "cls.predictions.decoder",
    },
    config={
        "vocabulary_size": "vocab_size", "num_layers": "num_hidden_layers", "num_heads": "num_attention_heads",
        "hidden_dim": "hidden_size", "intermediate_dim": "intermediate_size",
        "max_sequence_length": "max_position_embeddings", "num_segments": "type_vocab_size",
        "activation": "hidden_act", "dropout": "hidden_dropout_prob",
        "attention_dropout": "attention_probs_dropout_prob", "layer_norm_epsilon": "layer_norm_eps",
        "initializer_range": "initializer_range",
    },
    unused=("cls.", "classifier.", "qa_outputs."),
    ignored=("embeddings.position_ids", "fit_dense.", "cls.predictions.decoder."),
    read=lambda values: {"attention": Full(causal=entries.flag(values, "is_decoder", False))},
    write=lambda config: {"is_decoder": config.attention.causal})

# google-research/bert, modeling.py: the same names as variable scopes; "gelu" is the tanh form there.
GOOGLE = Google(
    file="bert_config.json", config=HUGGINGFACE.config, gelu="gelu_tanh", unused=("cls/",),
    names={ours: "bert/" + theirs.replace("layer.{i}", "layer_{i}").replace(".", "/")
           for ours, theirs in HUGGINGFACE.names.items() if ours.startswith("encoder/")} | {
        "mlm/dense": "cls/predictions/transform/dense", "mlm/norm": "cls/predictions/transform/LayerNorm",
        "mlm/bias": "cls/predictions/output_bias", "nsp/logits/kernel": "cls/seq_relationship/output_weights.T",
        "nsp/logits/bias": "cls/seq_relationship/output_bias"})

# keras-nlp's BertBackbone, whatever its config says, runs the tanh form.
_PRESET = "layers/transformer_encoder_{i}/"
PRESET = Preset(
    class_name="BertBackbone", gelu="gelu_tanh",
    config=("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim", "dropout",
            "max_sequence_length", "num_segments"),
    names={
        "encoder/embeddings/token": "layers/reversible_embedding",
        "encoder/embeddings/position": "layers/position_embedding",
        "encoder/embeddings/segment": "layers/embedding",
        "encoder/embeddings/norm": "layers/layer_normalization",
        **{f"{_BLOCK}attention/{name}": f"{_PRESET}_self_attention_layer/{name}_dense"
           for name in ("query", "key", "value", "output")},
        _BLOCK + "attention_norm": _PRESET + "_self_attention_layer_norm",
        _BLOCK + "inner": _PRESET + "_feedforward_intermediate_dense",
        _BLOCK + "outer": _PRESET + "_feedforward_output_dense",
        _BLOCK + "output_norm": _PRESET + "_feedforward_layer_norm",
        "encoder/pooler": "layers/dense",
    })

"""BERT: Pre-training of Deep Bidirectional Transformers (Devlin et al. 2018, arXiv 1810.04805).

Sizes besides base and large: small BERTs (Turc et al. 2019, arXiv 1908.08962), whole-word masking and
multilingual models (README of the BERT release), BERTje (de Vries et al. 2019, arXiv 1912.09582),
SpanBERT (Joshi et al. 2019, arXiv 1907.10529), TinyBERT (Jiao et al. 2019, arXiv 1909.10351), MiniLM (Wang et
al. 2020, arXiv 2002.10957).
"""

from bertkit.config import EncoderConfig

CONFIG = EncoderConfig(vocabulary_size=30522, num_layers=12, num_heads=12, hidden_dim=768,
                       intermediate_dim=3072)
LARGE = CONFIG.but(num_layers=24, num_heads=16, hidden_dim=1024, intermediate_dim=4096)
CASED = {"vocabulary_size": 28996}


def _small(num_layers, hidden_dim):
    """One head for every 64 features and a feed-forward network four times as wide."""
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
    "spanbert-base-cased": CONFIG.but(**CASED),
    "spanbert-large-cased": LARGE.but(**CASED),
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

# ---------------------------------------------------------------- names in published files
# our layer -> theirs; {i} counts blocks. How a layer's own tensors are called (`kernel` is `weight`, `vars/0`
# ...) and laid out is the format's business, in bertkit/checkpoints.

HUGGINGFACE_TYPE, HUGGINGFACE_CLASS, HUGGINGFACE_PREFIX = "bert", "Bert", "bert."
HUGGINGFACE = {
    "encoder/embeddings/token": "embeddings.word_embeddings",
    "encoder/embeddings/position": "embeddings.position_embeddings",
    "encoder/embeddings/segment": "embeddings.token_type_embeddings",
    "encoder/embeddings/norm": "embeddings.LayerNorm",
    "encoder/block_{i}/attention/query": "encoder.layer.{i}.attention.self.query",
    "encoder/block_{i}/attention/key": "encoder.layer.{i}.attention.self.key",
    "encoder/block_{i}/attention/value": "encoder.layer.{i}.attention.self.value",
    "encoder/block_{i}/attention/output": "encoder.layer.{i}.attention.output.dense",
    "encoder/block_{i}/attention_norm": "encoder.layer.{i}.attention.output.LayerNorm",
    "encoder/block_{i}/inner": "encoder.layer.{i}.intermediate.dense",
    "encoder/block_{i}/outer": "encoder.layer.{i}.output.dense",
    "encoder/block_{i}/output_norm": "encoder.layer.{i}.output.LayerNorm",
    "encoder/pooler": "pooler.dense",
    "head/logits": "classifier",
    "head/transform": "cls.predictions.transform.dense",
    "head/norm": "cls.predictions.transform.LayerNorm",
    "head/output": "cls.predictions",
}
HUGGINGFACE_HEADS = ("cls.", "classifier.", "qa_outputs.")
HUGGINGFACE_IGNORED = ("embeddings.position_ids", "fit_dense.", "cls.predictions.decoder.")
HUGGINGFACE_CONFIG = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "max_sequence_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
    "activation": "hidden_act",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "layer_norm_epsilon": "layer_norm_eps",
    "initializer_range": "initializer_range",
}

# google-research/bert, modeling.py: the same names as variable scopes.
GOOGLE_CONFIG_FILE = "bert_config.json"
GOOGLE_GELU = "gelu_tanh"
GOOGLE = {ours: "bert/" + theirs.replace("layer.{i}", "layer_{i}").replace(".", "/")
          for ours, theirs in HUGGINGFACE.items() if ours.startswith("encoder/")}
GOOGLE_HEADS = ("cls/",)

# keras-nlp's BertBackbone, whatever its config says, runs the tanh form.
PRESET_CLASS = "BertBackbone"
PRESET_GELU = "gelu_tanh"
PRESET_CONFIG = ("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim", "dropout",
                 "max_sequence_length", "num_segments")
_PRESET_BLOCK = "layers/transformer_encoder_{i}/"
PRESET = {
    "encoder/embeddings/token": "layers/reversible_embedding",
    "encoder/embeddings/position": "layers/position_embedding",
    "encoder/embeddings/segment": "layers/embedding",
    "encoder/embeddings/norm": "layers/layer_normalization",
    "encoder/block_{i}/attention/query": _PRESET_BLOCK + "_self_attention_layer/query_dense",
    "encoder/block_{i}/attention/key": _PRESET_BLOCK + "_self_attention_layer/key_dense",
    "encoder/block_{i}/attention/value": _PRESET_BLOCK + "_self_attention_layer/value_dense",
    "encoder/block_{i}/attention/output": _PRESET_BLOCK + "_self_attention_layer/output_dense",
    "encoder/block_{i}/attention_norm": _PRESET_BLOCK + "_self_attention_layer_norm",
    "encoder/block_{i}/inner": _PRESET_BLOCK + "_feedforward_intermediate_dense",
    "encoder/block_{i}/outer": _PRESET_BLOCK + "_feedforward_output_dense",
    "encoder/block_{i}/output_norm": _PRESET_BLOCK + "_feedforward_layer_norm",
    "encoder/pooler": "layers/dense",
}

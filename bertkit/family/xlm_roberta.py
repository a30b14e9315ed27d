"""XLM-R: Unsupervised Cross-lingual Representation Learning at Scale (Conneau et al. 2019, arXiv 1911.02116).

RoBERTa with one sentencepiece vocabulary for a hundred languages.
"""

from bertkit.family import roberta

CHANGES = {"vocabulary_size": 250002, "family": "xlm_roberta"}
CONFIG = roberta.CONFIG.but(**CHANGES)
SIZES = {"xlm-roberta-base": CONFIG, "xlm-roberta-large": roberta.LARGE.but(**CHANGES)}
HEADS, PRETRAINING = roberta.HEADS, roberta.PRETRAINING
HUGGINGFACE = roberta.HUGGINGFACE.but(
    type="xlm-roberta", class_name="XLMRoberta",
    defaults={**roberta.HUGGINGFACE.defaults, "vocab_size": 30522})
PRESET = roberta.PRESET.but(class_name="XLMRobertaBackbone")

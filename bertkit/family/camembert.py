"""CamemBERT: a Tasty French Language Model (Martin et al. 2019, arXiv 1911.03894).

RoBERTa with a sentencepiece vocabulary, for French.
"""

from bertkit.family import roberta

CHANGES = {"vocabulary_size": 32005, "family": "camembert"}
CONFIG = roberta.CONFIG.but(**CHANGES)
SIZES = {"camembert-base": CONFIG, "camembert-large": roberta.LARGE.but(**CHANGES)}
HEADS, PRETRAINING = roberta.HEADS, roberta.PRETRAINING
HUGGINGFACE = roberta.HUGGINGFACE.but(
    type="camembert", class_name="Camembert",
    defaults={**roberta.HUGGINGFACE.defaults, "vocab_size": 30522})

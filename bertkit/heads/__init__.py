"""Task heads: each model takes an encoder and answers one kind of question."""

from bertkit.heads.classifier import Classifier, MultipleChooser
from bertkit.heads.embedder import SentenceEmbedder
from bertkit.heads.tokens import BeamAnswerer, LanguageModel, Pretrained, SpanAnswerer, TokenClassifier

__all__ = ["BeamAnswerer", "Classifier", "LanguageModel", "MultipleChooser", "Pretrained", "SentenceEmbedder",
           "SpanAnswerer", "TokenClassifier"]

MODELS = {model.__name__: model for model in (
    Classifier, TokenClassifier, SpanAnswerer, BeamAnswerer, MultipleChooser, SentenceEmbedder, LanguageModel,
    Pretrained)}

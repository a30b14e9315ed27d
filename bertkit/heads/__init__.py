"""Task heads: each model takes an encoder and answers one kind of question."""

from bertkit.heads.classifier import Classifier, MultipleChooser
from bertkit.heads.documents import DocumentClassifier
from bertkit.heads.embedder import SentenceEmbedder
from bertkit.heads.tokens import BeamAnswerer, LanguageModel, Pretrained, SpanAnswerer, TokenClassifier
from bertkit.heads.writer import Writer

__all__ = ["BeamAnswerer", "Classifier", "DocumentClassifier", "LanguageModel", "MultipleChooser", "Pretrained",
           "SentenceEmbedder", "SpanAnswerer", "TokenClassifier", "Writer"]

MODELS = {model.__name__: model for model in (
    Classifier, DocumentClassifier, TokenClassifier, SpanAnswerer, BeamAnswerer, MultipleChooser, SentenceEmbedder,
    LanguageModel, Pretrained, Writer)}

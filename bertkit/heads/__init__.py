"""Task heads: each model takes an encoder and answers one kind of question."""

from bertkit.heads.classifier import Classifier, MultipleChoice
from bertkit.heads.documents import DocumentClassifier
from bertkit.heads.embedder import SentenceEmbedder
from bertkit.heads.encoder_decoder import EncoderDecoder
from bertkit.heads.tokens import (
           BeamQuestionAnswering,
           LanguageModel,
           PretrainingModel,
           QuestionAnswering,
           TokenClassifier,
)

__all__ = ["BeamQuestionAnswering", "Classifier", "DocumentClassifier", "EncoderDecoder", "LanguageModel",
           "MultipleChoice", "PretrainingModel", "QuestionAnswering", "SentenceEmbedder", "TokenClassifier"]

MODELS = {model.__name__: model for model in (
    Classifier, DocumentClassifier, TokenClassifier, QuestionAnswering, BeamQuestionAnswering, MultipleChoice,
    SentenceEmbedder, LanguageModel, PretrainingModel, EncoderDecoder)}

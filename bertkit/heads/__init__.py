"""Task heads: each takes an encoder and answers one kind of question."""

from bertkit.heads.classifier import Classifier

__all__ = ["Classifier"]

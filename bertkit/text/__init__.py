"""Text: one definition of tokens from training to the phone; only graph.py needs TensorFlow."""

from bertkit.text.tokenizer import Encoding, Tokenizer

__all__ = ["Encoding", "Tokenizer"]

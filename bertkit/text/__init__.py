"""Text: one definition of tokens from training to the phone; only `text/graph/` needs TensorFlow."""

from bertkit.text.tokenizer import Encoding, Tokenizer

__all__ = ["Encoding", "Tokenizer"]
